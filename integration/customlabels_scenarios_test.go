package integration

import "strings"

// creating matches a DescribeDataset answer that a poller waits on.
const creating = `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS"}}`

// fromManifest and describe are the calls that most scenarios begin with.
func fromManifest(kind, key string) string {
	return `{"ProjectArn":"${project}","DatasetType":"` + kind + `","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"` + key + `"}}}}`
}

// customLabelsScenarios cover sections 2.2 to 2.9 of the specification.
var customLabelsScenarios = []scenario{
	{
		name:  "cl project",
		brief: true,
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectArn":"~arn:aws:rekognition:us-east-1:[0-9]{12}:project/${p}/[0-9]{13}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, err: "ResourceInUseException", status: 400},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"CL-Project"}`, save: "upper=ProjectArn"},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}","no-such-project"]}`, want: `{"ProjectDescriptions":[{"ProjectArn":"${project}","Status":"CREATED","Datasets":[],"CreationTimestamp":"?"}],"NextToken":"!"}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}","CL-Project"]}`, want: `{"ProjectDescriptions":[{"ProjectArn":"${upper}"},{"ProjectArn":"${project}"}]}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}","CL-Project"],"MaxResults":1}`, want: `{"ProjectDescriptions":[{"ProjectArn":"${upper}"}]}`, save: "token=NextToken"},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}","CL-Project"],"MaxResults":1,"NextToken":"${token}"}`, want: `{"ProjectDescriptions":[{"ProjectArn":"${project}"}],"NextToken":"!"}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"],"NextToken":"${token}"}`, err: "InvalidPaginationTokenException", status: 400},
			{call: "rekognition.DescribeProjects", in: `{"NextToken":"xyz"}`, err: "InvalidPaginationTokenException", status: 400},
			{call: "rekognition.DescribeProjects", in: `{"MaxResults":101}`, err: "ValidationException", status: 400},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":[]}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["no-such-project"]}`, want: `{"ProjectDescriptions":[],"NextToken":"!"}`},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"no blanks"}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${upper}"}`, want: `{"Status":"DELETING"}`},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, want: `{"Status":"DELETING"}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, while: `{"ProjectDescriptions":[{"Status":"DELETING"}]}`, want: `{"ProjectDescriptions":[]}`},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"arn:aws:rekognition:us-east-1:123456789012:project/x"}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "again=ProjectArn"},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"ProjectArn":"${again}"}]}`},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceNotFoundException", status: 400},
		},
	},
	{
		name: "cl newer members",
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}","Feature":"CUSTOM_LABELS","Tags":{"team":"line 3"}}`, save: "project=ProjectArn", unless: "boto3 cli"},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"],"Features":["CUSTOM_LABELS"]}`, want: `{"ProjectDescriptions":[{"Feature":"CUSTOM_LABELS","AutoUpdate":"!"}]}`, unless: "boto3 cli"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","Tags":{"shift":"1"}}`, want: `{"DatasetArn":"?"}`, unless: "boto3 cli"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2","Feature":"CONTENT_MODERATION"}`, err: "InvalidParameterException", status: 400, unless: "boto3 cli"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2","AutoUpdate":"ENABLED"}`, err: "InvalidParameterException", status: 400, unless: "boto3 cli"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2","Tags":{"aws:mine":"x"}}`, err: "InvalidParameterException", status: 400, unless: "boto3 cli"},
		},
	},
	{
		name:  "cl dataset from a manifest",
		brief: true,
		texts: map[string]string{"manifest": leaf("img/1.jpg", "leaf") + leaf("img/2.jpg", "leaf", "thorn") +
			leaf("img/sub/3.jpg") + strings.TrimSuffix(board("img/4.jpg", [4]int{10, 10, 20, 20}, [4]int{5, 5, 9, 9}), "\n")},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/a.manifest","Body":"${manifest}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/a.manifest"), want: `{"DatasetArn":"~arn:aws:rekognition:us-east-1:[0-9]{12}:project/${p}/dataset/train/[0-9]{13}"}`, save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","StatusMessage":"The dataset was successfully created from the manifest file.","StatusMessageCode":"SUCCESS","CreationTimestamp":"?","LastUpdatedTimestamp":"?","DatasetStats":{"TotalEntries":4,"LabeledEntries":3,"TotalLabels":3,"ErrorEntries":0}}}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[{"DatasetType":"TRAIN","DatasetArn":"${train}","Status":"CREATE_COMPLETE","StatusMessage":"?","StatusMessageCode":"SUCCESS","CreationTimestamp":"?"}]}]}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/a.manifest"), err: "ResourceAlreadyExistsException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, err: "ResourceInUseException", status: 400},

			// Every entry, whole (CL-7.28, CL-6.60).
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","NextToken":"","HasErrors":false,"MaxResults":100}`, want: `{"NextToken":"!","DatasetEntries":[{"source-ref":"s3://factory/img/1.jpg","leaf":1,"leaf-metadata":{"class-name":"leaf","creation-date":"2026-02-03T04:05:06.789Z"},"cl-metadata":{"is_labeled":true},"errors":"!","cl-errors":"!"},{"source-ref":"s3://factory/img/2.jpg"},{"source-ref":"s3://factory/img/sub/3.jpg","cl-metadata":{"is_labeled":false}},{"source-ref":"s3://factory/img/4.jpg","BB":{"annotations":[{"left":10},{"left":5}]}}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetEntries":["~\\{\"source-ref\":\"s3://factory/img/1.jpg\",.*[^\\n]","?","?","?"]}`},

			// Pages of one (CL-2.6), and their tokens.
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":true,"MaxResults":1}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/1.jpg"}]}`, save: "token=NextToken"},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":true,"MaxResults":1,"NextToken":"${token}"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/2.jpg"}]}`, save: "next=NextToken"},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":true,"MaxResults":2,"NextToken":"${next}"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/4.jpg"}],"NextToken":"!"}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":false,"NextToken":"${next}"}`, err: "InvalidPaginationTokenException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","NextToken":"bm9uc2Vuc2U="}`, err: "InvalidPaginationTokenException", status: 400},

			// Filters (CL-7.20 to CL-7.27).
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","ContainsLabels":["thorn","relay"]}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/2.jpg"},{"source-ref":"s3://factory/img/4.jpg"}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","ContainsLabels":["Thorn"]}`, want: `{"DatasetEntries":[],"NextToken":"!"}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":false}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/sub/3.jpg"}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","SourceRefContains":"img/sub"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/sub/3.jpg"}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","SourceRefContains":"IMG/"}`, want: `{"DatasetEntries":[]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","HasErrors":true}`, want: `{"DatasetEntries":[]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","ContainsLabels":["leaf"],"Labeled":true,"SourceRefContains":"2.jpg","HasErrors":false}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/2.jpg"}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","SourceRefContains":"  "}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","ContainsLabels":["1","2","3","4","5","6","7","8","9","10","11"]}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","MaxResults":101}`, err: "ValidationException", status: 400, says: "'101' at 'maxResults' failed to satisfy constraint"},

			// Labels in order of first appearance (CL-7.40 to CL-7.42).
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetLabelDescriptions":[{"LabelName":"leaf","LabelStats":{"EntryCount":2,"BoundingBoxCount":"!"}},{"LabelName":"thorn","LabelStats":{"EntryCount":1}},{"LabelName":"relay","LabelStats":{"EntryCount":1,"BoundingBoxCount":1}}],"NextToken":"!"}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}","MaxResults":2}`, want: `{"DatasetLabelDescriptions":[{"LabelName":"leaf"},{"LabelName":"thorn"}]}`, save: "token=NextToken"},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}","NextToken":"${token}"}`, want: `{"DatasetLabelDescriptions":[{"LabelName":"relay"}],"NextToken":"!"}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}","NextToken":"${next}"}`, err: "InvalidPaginationTokenException", status: 400},

			// The manifest is not needed any more (CL-8.3).
			{call: "s3.DeleteObject", in: `{"Bucket":"factory","Key":"cl/a.manifest"}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","MaxResults":1}`, want: `{"DatasetEntries":["?"]}`},

			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: `{"DatasetDescription":{"Status":"DELETE_IN_PROGRESS"}}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${project}"}`, want: `{"Status":"DELETING"}`},
		},
	},
	{
		name: "cl version of a manifest",
		texts: map[string]string{
			"one": leaf("img/1.jpg", "leaf"),
			"two": leaf("img/1.jpg", "leaf") + leaf("img/2.jpg", "leaf"),
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"cl.manifest","Body":"${one}"}`, save: "version=VersionId"},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"cl.manifest","Body":"${two}"}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"versioned","Name":"cl.manifest","Version":"${version}"}}}}`, save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","DatasetStats":{"TotalEntries":1}}}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"versioned","Name":"cl.manifest"}}}}`, save: "test=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: creating, want: `{"DatasetDescription":{"DatasetStats":{"TotalEntries":2}}}`},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"versioned","Name":"cl.manifest","Version":"no-such-version"}}}}`, err: "InvalidS3ObjectException", status: 400},
		},
	},
	{
		name: "cl empty dataset",
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"test"}`, want: `{"DatasetArn":"~.*/dataset/test/[0-9]{13}"}`, save: "test=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","StatusMessage":"~.+","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":0,"LabeledEntries":0,"TotalLabels":0,"ErrorEntries":0}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetEntries":[],"NextToken":"!"}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetLabelDescriptions":[],"NextToken":"!"}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[{"DatasetType":"TEST"},{"DatasetType":"TRAIN"}]}]}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, err: "ResourceAlreadyExistsException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"DEV"}`, err: "InvalidParameterException", status: 400},
		},
	},
	{
		name:  "cl copy",
		texts: map[string]string{"manifest": leaf("img/1.jpg", "leaf") + leaf("img/2.jpg", "thorn"), "broken": "x\n"},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/copy.manifest","Body":"${manifest}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/copy.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","DatasetSource":{"DatasetArn":"${train}"}}`, save: "test=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":2,"LabeledEntries":2,"TotalLabels":2}}}`},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: `{"DatasetDescription":{"Status":"DELETE_IN_PROGRESS"}}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/img/1.jpg"},{"source-ref":"s3://factory/img/2.jpg"}]}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetLabelDescriptions":[{"LabelName":"leaf"},{"LabelName":"thorn"}]}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${train}"}}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${test}","GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"cl/copy.manifest"}}}}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{}}`, err: "InvalidParameterException", status: 400},

			// What failed cannot be copied (section 4.2).
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/broken.manifest","Body":"${broken}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/broken.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED"}}`},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${train}"}}`, err: "InvalidParameterException", status: 400},

			// Into another project, as the other type.
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${test}"}}`, save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"DatasetStats":{"TotalEntries":2}}}`},
		},
	},
	{
		name: "cl refused datasets",
		texts: map[string]string{
			"gone": "arn:aws:rekognition:us-east-1:123456789012:project/gone/1690556751958",
			"lost": "arn:aws:rekognition:us-east-1:123456789012:project/gone/dataset/train/1690556751958",
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "no/such.manifest"), err: "InvalidS3ObjectException", status: 400},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[]}]}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"no-such-bucket","Name":"a"}}}}`, err: "InvalidS3ObjectException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${gone}","DatasetType":"TRAIN"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"arn:aws:rekognition:us-east-1:1:project/x/1","DatasetType":"TRAIN"}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"DatasetArn":"${lost}"}}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","DatasetSource":{"GroundTruthManifest":{}}}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${lost}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${gone}"}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${lost}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${lost}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${lost}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DeleteProject", in: `{"ProjectArn":"${gone}"}`, err: "ResourceNotFoundException", status: 400},
		},
	},
	{
		name: "cl errors in lines",
		texts: map[string]string{"manifest": board("b/0.jpg", [4]int{1, 1, 50, 50}) +
			board("b/1.jpg", [4]int{600, 10, 100, 20}, [4]int{5, 5, 9, 9}) + // off the frame
			board("b/2.jpg", [4]int{0, 0, 1, 1}) + // too small
			strings.Replace(board("b/3.jpg", [4]int{1, 1, 50, 50}), "object-detection", "wrongtype", 1) +
			strings.Replace(board("b/4.jpg", [4]int{1, 1, 50, 50}), `{"confidence":1}`, `{}`, 1) +
			strings.Replace(board("b/5.jpg", [4]int{1, 1, 50, 50}), `"class_id":0`, `"class_id":4`, 1) +
			strings.Replace(board("b/6.jpg", [4]int{1, 1, 50, 50}), `"height":480`, `"height":32`, 1) +
			`{"source-ref":"s3://factory/b/7.jpg","alone":1}` + "\n" +
			strings.Replace(leaf("b/8.jpg", "leaf"), `"class-name":"leaf",`, "", 1) +
			`{"source_ref":"s3://factory/b/9.jpg"}` + "\n" + // dropped
			leaf("b/10.jpg", "leaf")},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/errors.manifest","Body":"${manifest}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/errors.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","DatasetStats":{"TotalEntries":10,"ErrorEntries":8}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","HasErrors":true,"MaxResults":3}`, want: `{"DatasetEntries":[
				{"source-ref":"s3://factory/b/1.jpg","cl-metadata":{"is_labeled":true},"BB":{"annotations":[{"cl-errors":[{"code":"ERROR_INVALID_BOUNDING_BOX","message":"The bounding box has off frame values."}],"errors":[{"code":"ERROR_INVALID_BOUNDING_BOX","message":"The bounding box has off frame values."}]},{"errors":"!","cl-errors":"!"}]},"cl-errors":"!"},
				{"source-ref":"s3://factory/b/2.jpg","BB":{"annotations":[{"cl-errors":[{"code":"ERROR_BOUNDING_BOX_TOO_SMALL","message":"The height and width of the bounding box is too small."}]}],"cl-errors":[{"code":"ERROR_NO_VALID_ANNOTATIONS"}],"errors":[{"code":"ERROR_NO_VALID_ANNOTATIONS"}]}},
				{"source-ref":"s3://factory/b/3.jpg","BB-metadata":{"cl-errors":[{"code":"ERROR_UNSUPPORTED_USE_CASE_TYPE","message":"The use case type of the BB-metadata label attribute metadata is unsupported. Check the type field."}]},"cl-errors":[{"code":"ERROR_NO_VALID_LABEL_ATTRIBUTES","message":"No valid label attributes found."}],"errors":[{"code":"ERROR_NO_VALID_LABEL_ATTRIBUTES"}]}]}`, save: "token=NextToken"},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","HasErrors":true,"NextToken":"${token}"}`, want: `{"NextToken":"!","DatasetEntries":[
				{"source-ref":"s3://factory/b/4.jpg","BB-metadata":{"cl-errors":[{"code":"ERROR_MISSING_BOUNDING_BOX_CONFIDENCE"}]}},
				{"source-ref":"s3://factory/b/5.jpg","BB-metadata":{"cl-errors":[{"code":"ERROR_MISSING_CLASS_MAP_ID"}]}},
				{"source-ref":"s3://factory/b/6.jpg","BB":{"cl-errors":["...",{"code":"ERROR_INVALID_IMAGE_DIMENSION"}]}},
				{"source-ref":"s3://factory/b/7.jpg","cl-metadata":{"is_labeled":false},"cl-errors":[{"code":"ERROR_NO_LABEL_ATTRIBUTES","message":"No label attributes found."}]},
				{"source-ref":"s3://factory/b/8.jpg","leaf-metadata":{"cl-errors":[{"code":"ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT"}]},"cl-errors":[{"code":"ERROR_NO_VALID_LABEL_ATTRIBUTES"}]}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","HasErrors":true,"SourceRefContains":"b/5"}`, want: `{"DatasetEntries":["?"]}`},
		},
	},
	{
		name: "cl failing manifests",
		texts: map[string]string{
			"dropped": leaf("img/1.jpg", "leaf") + "\n\n" + leaf("img/2.jpg", "leaf"),
			"buckets": leaf("img/1.jpg", "leaf") + strings.Replace(leaf("img/2.jpg", "leaf"), "factory", "office", 1),
			"binary":  "GIF89a not a manifest",
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/dropped.manifest","Body":"${dropped}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/dropped.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessageCode":"CLIENT_ERROR","StatusMessage":"~The manifest file has too many terminal errors\\..*","DatasetStats":{"TotalEntries":0}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotReadyException", status: 400},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, err: "ResourceNotReadyException", status: 400},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/dropped.manifest"), err: "ResourceAlreadyExistsException", status: 400},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: `{"DatasetDescription":{"Status":"DELETE_IN_PROGRESS"}}`, err: "ResourceNotFoundException", status: 400},

			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/buckets.manifest","Body":"${buckets}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/buckets.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~The manifest file contains images from multiple S3 buckets\\..*"}}`},

			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/empty.manifest","Body":""}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TEST", "cl/empty.manifest"), save: "test=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~The manifest file is empty\\..*"}}`},
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${test}"}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: `{"DatasetDescription":{"Status":"DELETE_IN_PROGRESS"}}`, err: "ResourceNotFoundException", status: 400},

			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/binary","Body":"${binary}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TEST", "cl/binary"), save: "test=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~The manifest file extension or contents are invalid\\..*","StatusMessageCode":"CLIENT_ERROR"}}`},
		},
	},
	{
		name:  "cl not built",
		brief: true,
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.ListProjectPolicies", in: `{"ProjectArn":"${project}"}`, err: "NotImplementedException", status: 501, says: "ListProjectPolicies"},
		},
	},
}
