package integration

import (
	"fmt"
	"strings"
)

// updating matches a DescribeDataset answer of either service that a poller
// waits on.
const updating = `{"DatasetDescription":{"Status":"UPDATE_IN_PROGRESS"}}`

// changeTo returns the input of UpdateDatasetEntries of Custom Labels: the
// dataset and the lines are variables.
func changeTo(dataset, lines string) string {
	return `{"DatasetArn":"${` + dataset + `}","Changes":{"GroundTruth":"${` + lines + `}"}}`
}

// distributeTo returns the input of DistributeDatasetEntries with variables.
func distributeTo(datasets ...string) string {
	var list []string
	for _, d := range datasets {
		list = append(list, `{"Arn":"${`+d+`}"}`)
	}
	return `{"Datasets":[` + strings.Join(list, ",") + `]}`
}

// manyLeaves returns lines of images with a label, of which the first has
// another one.
func manyLeaves(n int, first, label string) string {
	text := leaf("d/0.jpg", first)
	for i := 1; i < n; i++ {
		text += leaf(fmt.Sprintf("d/%d.jpg", i), label)
	}
	return text
}

// changeScenarios cover sections 2.10, 2.11, 7.1 and 7.5 of the specification of
// Custom Labels.
var changeScenarios = []scenario{
	{
		name:  "cl changes in brief",
		brief: true,
		texts: map[string]string{
			"lines":   leaf("b/1.jpg", "leaf") + leaf("b/2.jpg", "leaf"),
			"buckets": strings.Replace(leaf("b/1.jpg", "leaf"), "factory", "office", 1),
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":2,"TotalLabels":1}}}`},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "buckets")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED","StatusMessageCode":"CLIENT_ERROR"}}`},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":1}}}`},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test"), err: "InvalidParameterException", status: 400, says: "empty"},
			{call: "rekognition.TagResource", in: tag("train", `{"team":"line 3","shift":""}`)},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${train}","TagKeys":["shift"]}`},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{"team":"line 3","shift":"!"}}`},
			{call: "rekognition.TagResource", in: tag("train", tagMap("k", 200)), err: "ServiceQuotaExceededException", status: 400},
		},
	},
	{
		name: "cl update",
		texts: map[string]string{
			"manifest": leaf("u/1.jpg", "leaf") + leaf("u/2.jpg", "leaf", "thorn") + leaf("u/3.jpg", "leaf"),
			// One entry is replaced and loses a label, one becomes unlabelled,
			// two are new, the later name first.
			"lines":   leaf("u/5.jpg", "bud") + leaf("u/2.jpg", "bud") + leaf("u/3.jpg") + leaf("u/4.jpg", "leaf"),
			"buckets": leaf("u/6.jpg", "root") + strings.Replace(leaf("u/1.jpg", "root"), "factory", "office", 1),
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/update.manifest","Body":"${manifest}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/update.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},

			// A poller never sees the status before (CL-2.101).
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_COMPLETE","StatusMessage":"~.+","StatusMessageCode":"SUCCESS"}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","StatusMessage":"The dataset was successfully updated.","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":5,"LabeledEntries":4,"TotalLabels":2,"ErrorEntries":0}}}`},

			// Order is kept, labels come and go (CL-7.2 to CL-7.5, CL-7.9).
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}"}`, want: `{"NextToken":"!","DatasetEntries":[{"source-ref":"s3://factory/u/1.jpg","leaf":1},{"source-ref":"s3://factory/u/2.jpg","bud":1,"leaf":"!","thorn":"!","thorn-metadata":"!"},"{\"source-ref\":\"s3://factory/u/3.jpg\",\"cl-metadata\":{\"is_labeled\":false}}",{"source-ref":"s3://factory/u/5.jpg"},{"source-ref":"s3://factory/u/4.jpg"}]}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetLabelDescriptions":[{"LabelName":"leaf","LabelStats":{"EntryCount":2}},{"LabelName":"bud","LabelStats":{"EntryCount":2}}],"NextToken":"!"}`},

			// All or nothing (CL-7.6, CL-2.72).
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "buckets")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_FAILED"}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED","StatusMessage":"The manifest file contains images from multiple S3 buckets.","StatusMessageCode":"CLIENT_ERROR","DatasetStats":{"TotalEntries":5,"LabeledEntries":4,"TotalLabels":2,"ErrorEntries":0}}}`},
			{call: "rekognition.DescribeProjects", in: `{"ProjectNames":["${p}"]}`, want: `{"ProjectDescriptions":[{"Datasets":[{"Status":"UPDATE_FAILED","StatusMessage":"The manifest file contains images from multiple S3 buckets.","StatusMessageCode":"CLIENT_ERROR"}]}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","MaxResults":1}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/u/1.jpg","leaf":1,"root":"!"}]}`},

			// What failed to be updated can be.
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":5}}}`},
		},
	},
	{
		name: "cl update of lines with errors",
		texts: map[string]string{
			// A fifth of the lines may be dropped (CL-7.7); of two lines for one
			// image the first counts (CL-6.22).
			"lines":   leaf("e/1.jpg", "leaf") + leaf("e/2.jpg", "leaf") + "{not JSON\n" + board("e/3.jpg", [4]int{600, 10, 100, 20}) + leaf("e/4.jpg", "leaf"),
			"again":   leaf("e/4.jpg", "bud") + leaf("e/5.jpg") + leaf("e/6.jpg") + leaf("e/7.jpg") + leaf("e/4.jpg", "thorn"),
			"dropped": "{not JSON\n", // CL-6.24
			"mended":  strings.TrimSuffix(board("e/3.jpg", [4]int{10, 10, 100, 20}), "\n"),
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":4,"LabeledEntries":4,"TotalLabels":1,"ErrorEntries":1}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","HasErrors":true}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/e/3.jpg","BB":{"annotations":[{"cl-errors":[{"code":"ERROR_INVALID_BOUNDING_BOX"}]}]}}]}`, save: "listed=DatasetEntries.0"},

			// What was listed can be sent back, and is listed alike (CL-7.10,
			// CL 15.4).
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "listed")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":4,"ErrorEntries":1}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","HasErrors":true}`, save: "same=DatasetEntries.0"},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","SourceRefContains":"e/3.jpg"}`, want: `{"DatasetEntries":["${same}"]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","SourceRefContains":"e/3.jpg"}`, want: `{"DatasetEntries":["${listed}"]}`},

			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "mended")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":4,"TotalLabels":2,"ErrorEntries":0}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","SourceRefContains":"e/3.jpg"}`, want: `{"DatasetEntries":[{"cl-errors":"!","errors":"!","BB":{"annotations":[{"cl-errors":"!","left":10}]}}]}`},

			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "again")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","DatasetStats":{"TotalEntries":7}}}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${test}","ContainsLabels":["bud","thorn"]}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/e/4.jpg","bud":1}]}`},

			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "dropped")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED","StatusMessage":"The manifest file has too many terminal errors.","StatusMessageCode":"CLIENT_ERROR","DatasetStats":{"TotalEntries":7}}}`},
		},
	},
	{
		name: "cl refused updates",
		texts: map[string]string{
			"broken": "x\n",
			"line":   leaf("r/1.jpg", "leaf"),
			"empty":  "",
			"large":  strings.Repeat(" ", 5<<20) + "\n", // CL-12.17 and one byte
			"lost":   "arn:aws:rekognition:us-east-1:123456789012:project/gone/dataset/train/1690556751958",
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("lost", "line"), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("project", "line"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "empty"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("test", "large"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.UpdateDatasetEntries", in: `{"DatasetArn":"${test}","Changes":{}}`, err: "InvalidParameterException", status: 400, unless: "go2"}, // which refuses to send it
			{call: "rekognition.UpdateDatasetEntries", in: `{"DatasetArn":"${test}"}`, err: "InvalidParameterException", status: 400, unless: "go2"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},

			// Nor can what failed to be created be changed (CL-2.104).
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"cl/refused.manifest","Body":"${broken}"}`},
			{call: "rekognition.CreateDataset", in: fromManifest("TRAIN", "cl/refused.manifest"), save: "train=DatasetArn"},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: creating, want: `{"DatasetDescription":{"Status":"CREATE_FAILED"}}`},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "line"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test"), err: "ResourceNotReadyException", status: 400},

			// A dataset of the same name is another one (CL-3.8).
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, want: `{"DatasetArn":"?"}`},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "line"), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test"), err: "ResourceNotFoundException", status: 400},
		},
	},
	{
		name:  "cl distribute",
		texts: map[string]string{"lines": manyLeaves(10, "leaf", "leaf") + leaf("d/a.jpg", "thorn") + leaf("d/b.jpg", "thorn") + leaf("d/c.jpg")},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE"}}`},

			// In either order (CL-2.110); pollers look at the train dataset
			// first (CL-2.112).
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("test", "train")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_COMPLETE"}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_COMPLETE"}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":10,"LabeledEntries":9,"TotalLabels":2}}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","StatusMessageCode":"SUCCESS","DatasetStats":{"TotalEntries":3,"LabeledEntries":3,"TotalLabels":2}}}`},
			{call: "rekognition.ListDatasetLabels", in: `{"DatasetArn":"${test}"}`, want: `{"DatasetLabelDescriptions":["...",{"LabelName":"thorn","LabelStats":{"EntryCount":1}}]}`},
			{call: "rekognition.ListDatasetEntries", in: `{"DatasetArn":"${train}","Labeled":false}`, want: `{"DatasetEntries":[{"source-ref":"s3://factory/d/c.jpg"}]}`},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test"), err: "InvalidParameterException", status: 400, says: "empty"},
		},
	},
	{
		name: "cl refused distributions",
		texts: map[string]string{
			"lines": manyLeaves(10, "thorn", "leaf"),
			"lost":  "arn:aws:rekognition:us-east-1:123456789012:project/gone/dataset/test/1690556751958",
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}-2"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "other=DatasetArn"},
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "lost"), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "other"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "train"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST"}`, save: "test=DatasetArn"},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test", "test"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("test", "test"), err: "InvalidParameterException", status: 400},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},

			// A label of one image is too few; both fail (CL-7.63).
			{call: "rekognition.UpdateDatasetEntries", in: changeTo("train", "lines")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE"}}`},
			{call: "rekognition.DistributeDatasetEntries", in: distributeTo("train", "test")},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${train}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED","StatusMessage":"~The manifest file doesn't have enough labeled images to distribute the dataset\\. .*\"thorn\".*","StatusMessageCode":"CLIENT_ERROR","DatasetStats":{"TotalEntries":10}}}`},
			{call: "rekognition.DescribeDataset", in: `{"DatasetArn":"${test}"}`, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED","StatusMessage":"~The manifest file doesn't have enough labeled images to distribute the dataset\\. .*\"thorn\".*","StatusMessageCode":"CLIENT_ERROR","DatasetStats":{"TotalEntries":0}}}`},
		},
	},
}
