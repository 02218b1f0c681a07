package integration

import "strings"

// importing matches a DescribeDataset answer that a poller waits on.
const importing = `{"DatasetDescription":{"Status":"CREATE_IN_PROGRESS"}}`

// lookoutManifest returns the input of CreateDataset from a manifest.
func lookoutManifest(kind, key string) string {
	return `{"ProjectName":"${p}","DatasetType":"` + kind + `","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Key":"` + key + `"}}}}`
}

// lookoutScenarios cover sections 2.1 to 2.8 of the specification.
var lookoutScenarios = []scenario{
	{
		name:  "lv project",
		brief: true,
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectMetadata":{"ProjectName":"${p}","ProjectArn":"~arn:aws:lookoutvision:us-east-1:[0-9]{12}:project/${p}","CreationTimestamp":"?"}}`, save: "arn=ProjectMetadata.ProjectArn"},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"PROJECT","ResourceId":"${p}"}`},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"LV-project"}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectDescription":{"ProjectArn":"${arn}","ProjectName":"${p}","CreationTimestamp":"?","Datasets":[]}}`},
			{call: "lookoutvision.ListProjects", want: `{"Projects":["...",{"ProjectName":"LV-project"},{"ProjectName":"${p}","ProjectArn":"${arn}","CreationTimestamp":"?"}],"NextToken":"!"}`},
			{call: "lookoutvision.ListProjects", in: `{"MaxResults":1}`, want: `{"Projects":[{"ProjectName":"LV-project"}],"NextToken":"~[a-zA-Z0-9/+=]+"}`, save: "token=NextToken"},
			{call: "lookoutvision.ListProjects", in: `{"MaxResults":1,"NextToken":"${token}"}`, want: `{"Projects":[{"ProjectName":"${p}"}]}`},
			{call: "lookoutvision.ListProjects", in: `{"NextToken":"bm9uc2Vuc2U="}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListProjects", in: `{"MaxResults":101}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"no blanks"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"no-such"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT","ResourceId":"no-such"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"no-such"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"LV-project"}`, want: `{"ProjectArn":"~.*:project/LV-project"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectArn":"${arn}"}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
		},
	},
	{
		// The order of the Java integration test (LV-13.50).
		name:  "lv java integration test",
		brief: true,
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectMetadata":{"ProjectName":"${p}"}}`},
			{call: "lookoutvision.ListProjects", want: `{"Projects":["...",{"ProjectName":"${p}"}]}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetMetadata":{"DatasetType":"train","Status":"CREATE_COMPLETE","StatusMessage":"~.+"}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetDescription":{"ProjectName":"${p}","DatasetType":"train","Status":"CREATE_COMPLETE","StatusMessage":"~.+","ImageStats":{"Total":0,"Labeled":0,"Normal":0,"Anomaly":0}}}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":true}`, want: `{"DatasetEntries":[],"NextToken":"!"}`},
			{call: "lookoutvision.ListModels", in: `{"ProjectName":"${p}"}`, want: `{"Models":[],"NextToken":"!"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"DATASET","ResourceId":"${p}/train"}`},
			{call: "lookoutvision.DeleteModel", in: `{"ProjectName":"${p}","ModelVersion":"1"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"${p}/1"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, err: "ResourceNotFoundException", status: 404},
		},
	},
	{
		name:  "lv dataset from a manifest",
		brief: true,
		texts: map[string]string{"manifest": cookie("c/1.jpg", "normal", "2026-01-01T00:00:00.000Z") +
			cookie("c/2.jpg", "anomaly", "2026-02-01T00:00:00") +
			cookie("c/3.jpg", "", "") +
			strings.TrimSuffix(cookie("d/4.jpg", "normal", "2026-03-01T00:00:00.123456"), "\n")},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/a.manifest","Body":"${manifest}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/a.manifest"), want: `{"DatasetMetadata":{"DatasetType":"train","Status":"CREATE_IN_PROGRESS","StatusMessage":"The dataset is creating.","CreationTimestamp":"?"}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"ProjectName":"${p}","DatasetType":"train","Status":"CREATE_COMPLETE","StatusMessage":"The dataset was created successfully.","CreationTimestamp":"?","LastUpdatedTimestamp":"?","ImageStats":{"Total":4,"Labeled":3,"Normal":2,"Anomaly":1}}}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectDescription":{"Datasets":[{"DatasetType":"train","Status":"CREATE_COMPLETE","StatusMessage":"?","CreationTimestamp":"?"}]}}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/a.manifest"), err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET","ResourceId":"${p}/train"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"PROJECT"}`},

			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"NextToken":"!","DatasetEntries":[{"source-ref":"s3://factory/c/1.jpg","anomaly-label":0,"anomaly-label-metadata":{"class-name":"normal"},"cl-metadata":"!"},{"source-ref":"s3://factory/c/2.jpg"},"{\"source-ref\":\"s3://factory/c/3.jpg\"}",{"source-ref":"s3://factory/d/4.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":true,"MaxResults":1}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/1.jpg"}],"NextToken":"~[a-zA-Z0-9/+=]{1,1000}"}`, save: "token=NextToken"},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":true,"MaxResults":1,"NextToken":"${token}"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/2.jpg"}]}`, save: "next=NextToken"},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":true,"MaxResults":50,"NextToken":"${next}"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/d/4.jpg"}],"NextToken":"!"}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","NextToken":"${next}"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":false}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/3.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","AnomalyClass":"normal"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/1.jpg"},{"source-ref":"s3://factory/d/4.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","AnomalyClass":"anomaly"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/2.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","BeforeCreationDate":"2026-02-01T00:00:00Z"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/c/1.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","Labeled":true,"AfterCreationDate":"2026-02-01T00:00:00Z"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/d/4.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","SourceRefContains":"/d/"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/d/4.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","SourceRefContains":"factory","Labeled":true,"AnomalyClass":"normal","AfterCreationDate":"2026-01-15T00:00:00Z","BeforeCreationDate":"2026-04-01T00:00:00Z"}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/d/4.jpg"}]}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","SourceRefContains":"nothing"}`, want: `{"DatasetEntries":[],"NextToken":"!"}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","AnomalyClass":"odd"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train","MaxResults":101}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"test"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"DATASET"}`},

			// A test dataset beside it, gone at once when it is deleted (LV-2.40).
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("test", "lv/a.manifest"), want: `{"DatasetMetadata":{"DatasetType":"test","Status":"CREATE_IN_PROGRESS"}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"test"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectDescription":{"Datasets":[{"DatasetType":"train"},{"DatasetType":"test"}]}}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"DATASET"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"test"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`},
		},
	},
	{
		name:  "lv version of a manifest",
		texts: map[string]string{"one": cookie("c/1.jpg", "normal", "2026-01-01T00:00:00Z"), "two": cookie("c/1.jpg", "anomaly", "2026-01-01T00:00:00Z")},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"lv.manifest","Body":"${one}"}`, save: "version=VersionId"},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"lv.manifest","Body":"${two}"}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"versioned","Key":"lv.manifest","VersionId":"${version}"}}}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE","ImageStats":{"Normal":1,"Anomaly":0}}}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"test","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"versioned","Key":"lv.manifest","VersionId":"no-such-version"}}}}`, err: "ValidationException", status: 400},
		},
	},
	{
		name: "lv refused datasets",
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "no/such.manifest"), err: "ValidationException", status: 400, says: "no/such.manifest"},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"no-such","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"dev"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","DatasetSource":{}}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","DatasetSource":{"GroundTruthManifest":{}}}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"no-such","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"no-such","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"no-such","DatasetType":"train"}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}-2","ClientToken":"no blanks"}`, err: "ValidationException", status: 400},
		},
	},
	{
		name: "lv failing manifests",
		texts: map[string]string{
			"broken":  cookie("c/1.jpg", "normal", "2026-01-01T00:00:00Z") + "\n" + `{"source-ref":"c/2.jpg"}` + "\n" + cookie("c/3.jpg", "normal", "2026-01-01T00:00:00Z"),
			"buckets": cookie("c/1.jpg", "", "") + strings.Replace(cookie("c/2.jpg", "", ""), "factory", "office", 1),
			"blank":   "\r\n\n",
		},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/broken.manifest","Body":"${broken}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/broken.manifest"), want: `{"DatasetMetadata":{"Status":"CREATE_IN_PROGRESS"}}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~Line 3: source-ref.*","ImageStats":{"Total":0,"Labeled":0,"Normal":0,"Anomaly":0}}}`},
			{call: "lookoutvision.ListDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetEntries":[]}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/broken.manifest"), err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409, fields: `{"ResourceType":"PROJECT"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/buckets.manifest","Body":"${buckets}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/buckets.manifest")},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~.*same S3 bucket.*"}}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/blank.manifest","Body":"${blank}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("test", "lv/blank.manifest")},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"test"}`, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_FAILED","StatusMessage":"~The manifest file is empty.*"}}`},
		},
	},
	{
		name: "lv client tokens",
		steps: []step{
			// The same call again is the same answer (LV-4.3, LV-4.9).
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}","ClientToken":"one"}`, save: "arn=ProjectMetadata.ProjectArn"},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}","ClientToken":"one"}`, want: `{"ProjectMetadata":{"ProjectArn":"${arn}","ProjectName":"${p}"}}`},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}-2","ClientToken":"one"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}","ClientToken":"two"}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`, err: "ConflictException", status: 409},

			// A token is of one operation (LV-4.8).
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","ClientToken":"one"}`, want: `{"DatasetMetadata":{"Status":"CREATE_COMPLETE"}}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","ClientToken":"one"}`, want: `{"DatasetMetadata":{"Status":"CREATE_COMPLETE"}}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"test","ClientToken":"one"}`, err: "ValidationException", status: 400},

			// A replayed deletion does not delete what was made since (LV-4.15).
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train","ClientToken":"gone"}`},
			{call: "lookoutvision.CreateDataset", in: `{"ProjectName":"${p}","DatasetType":"train","ClientToken":"three"}`},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train","ClientToken":"gone"}`},
			{call: "lookoutvision.DescribeDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},

			// A call that failed is not remembered (LV-4.11).
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}","ClientToken":"late"}`, err: "ConflictException", status: 409},
			{call: "lookoutvision.DeleteDataset", in: `{"ProjectName":"${p}","DatasetType":"train"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}","ClientToken":"late"}`, want: `{"ProjectArn":"${arn}"}`},
			{call: "lookoutvision.DeleteProject", in: `{"ProjectName":"${p}","ClientToken":"late"}`, want: `{"ProjectArn":"${arn}"}`},
		},
	},
}
