package integration

import "strings"

// lookoutChange returns the input of UpdateDatasetEntries of Lookout of the
// train dataset; the lines are a variable, and more is further members.
func lookoutChange(lines, more string) string {
	return `{"ProjectName":"${p}","DatasetType":"train","Changes":"${` + lines + `}"` + more + `}`
}

// trainOf is the input of calls about the train dataset.
const trainOf = `{"ProjectName":"${p}","DatasetType":"train"}`

// lookoutChanges cover section 2.9 of the specification of Lookout.
var lookoutChanges = []scenario{
	{
		name:  "lv changes in brief",
		brief: true,
		texts: map[string]string{
			"lines": cookie("b/1.jpg", "normal", "2026-01-01T00:00:00Z") + cookie("b/2.jpg", "anomaly", "2026-01-01T00:00:00Z"),
			"gone":  "arn:aws:lookoutvision:us-east-1:123456789012:model/gone/1",
		},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateDataset", in: trainOf},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", ""), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","ImageStats":{"Normal":1,"Anomaly":1}}}`},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${gone}","Tags":[{"Key":"stage","Value":"a b"}]}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.UntagResource", in: `{"ResourceArn":"${gone}","TagKeys":["stage","a b"]}`, err: "ResourceNotFoundException", status: 404},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${gone}"}`, err: "ResourceNotFoundException", status: 404},
		},
	},
	{
		name: "lv update",
		texts: map[string]string{
			"manifest": cookie("u/1.jpg", "normal", "2026-01-01T00:00:00Z") + cookie("u/2.jpg", "anomaly", "2026-01-01T00:00:00Z"),
			"lines":    cookie("u/4.jpg", "anomaly", "2026-01-02T00:00:00Z") + cookie("u/1.jpg", "", "") + cookie("u/3.jpg", "normal", "2026-01-02T00:00:00Z"),
			"broken":   cookie("u/5.jpg", "normal", "2026-01-02T00:00:00Z") + `{"source-ref":"u/6.jpg"}`,
		},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/update.manifest","Body":"${manifest}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/update.manifest")},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},

			// A poller never sees the status before (LV-2.52).
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", ""), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_COMPLETE","StatusMessage":"~.+"}}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","StatusMessage":"The dataset was updated successfully.","ImageStats":{"Total":4,"Labeled":3,"Normal":1,"Anomaly":2}}}`},
			{call: "lookoutvision.ListDatasetEntries", in: trainOf, want: `{"NextToken":"!","DatasetEntries":["{\"source-ref\":\"s3://factory/u/1.jpg\"}",{"source-ref":"s3://factory/u/2.jpg"},{"source-ref":"s3://factory/u/4.jpg"},{"source-ref":"s3://factory/u/3.jpg"}]}`},

			// All or nothing (LV-2.56).
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("broken", ""), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, want: `{"DatasetDescription":{"Status":"~UPDATE_IN_PROGRESS|UPDATE_FAILED_ROLLBACK_(IN_PROGRESS|COMPLETE)"}}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED_ROLLBACK_COMPLETE","StatusMessage":"The dataset update failed and was rolled back. Line 2: source-ref is missing or isn't an S3 URI.","ImageStats":{"Total":4,"Labeled":3,"Normal":1,"Anomaly":2}}}`},
			{call: "lookoutvision.DescribeProject", in: `{"ProjectName":"${p}"}`, want: `{"ProjectDescription":{"Datasets":[{"Status":"UPDATE_FAILED_ROLLBACK_COMPLETE"}]}}`},
			{call: "lookoutvision.ListDatasetEntries", in: trainOf, want: `{"DatasetEntries":["?","?","?","?"]}`},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", ""), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","ImageStats":{"Total":4}}}`},
		},
	},
	{
		name: "lv update of an empty dataset",
		texts: map[string]string{
			"lines":   cookie("a/1.jpg", "normal", "2026-01-01T00:00:00Z") + cookie("a/1.jpg", "anomaly", "2026-01-01T00:00:00Z"), // the later one counts (LV-2.59)
			"other":   cookie("a/2.jpg", "normal", "2026-01-01T00:00:00Z"),
			"buckets": strings.Replace(cookie("a/3.jpg", "", ""), "factory", "office", 1),
		},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.CreateDataset", in: trainOf},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", `,"ClientToken":"one"`), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","ImageStats":{"Total":1,"Labeled":1,"Normal":0,"Anomaly":1}}}`},

			// Its images are in the bucket of the first (LV-2.55).
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("buckets", "")},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED_ROLLBACK_COMPLETE","StatusMessage":"~.*All images must be in the same S3 bucket\\."}}`},

			// The same call again is the same answer and changes nothing
			// (LV-4.9); with other lines it is a mistake (LV-4.13).
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("lines", `,"ClientToken":"one"`), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, want: `{"DatasetDescription":{"Status":"UPDATE_FAILED_ROLLBACK_COMPLETE"}}`},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("other", `,"ClientToken":"one"`), err: "ValidationException", status: 400},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("other", `,"ClientToken":"two"`), want: `{"Status":"UPDATE_IN_PROGRESS"}`},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: updating, want: `{"DatasetDescription":{"Status":"UPDATE_COMPLETE","ImageStats":{"Total":2}}}`},
		},
	},
	{
		name: "lv refused updates",
		texts: map[string]string{
			"broken": "x\n",
			"line":   cookie("r/1.jpg", "normal", "2026-01-01T00:00:00Z"),
			"empty":  "",
			"large":  strings.Repeat(" ", 10<<20) + "\n", // LV-9.8 and one byte
		},
		steps: []step{
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("line", ""), err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"PROJECT","ResourceId":"${p}"}`},
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("line", ""), err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"DATASET","ResourceId":"${p}/train"}`},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"lv/refused.manifest","Body":"${broken}"}`},
			{call: "lookoutvision.CreateDataset", in: lookoutManifest("train", "lv/refused.manifest")},
			{call: "lookoutvision.DescribeDataset", in: trainOf, while: importing, want: `{"DatasetDescription":{"Status":"CREATE_FAILED"}}`},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("line", ""), err: "ConflictException", status: 409, fields: `{"ResourceType":"DATASET","ResourceId":"${p}/train"}`},
			{call: "lookoutvision.DeleteDataset", in: trainOf},
			{call: "lookoutvision.CreateDataset", in: trainOf},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("empty", ""), err: "ValidationException", status: 400},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("large", ""), err: "ValidationException", status: 400},
			{call: "lookoutvision.UpdateDatasetEntries", in: trainOf, err: "ValidationException", status: 400},
			{call: "lookoutvision.UpdateDatasetEntries", in: `{"ProjectName":"${p}","DatasetType":"dev","Changes":"${line}"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.UpdateDatasetEntries", in: lookoutChange("line", `,"ClientToken":"no blanks"`), err: "ValidationException", status: 400},
			{call: "lookoutvision.DescribeDataset", in: trainOf, want: `{"DatasetDescription":{"Status":"CREATE_COMPLETE"}}`},
		},
	},
}
