package integration

import (
	"fmt"
	"strings"
)

// tagMap returns n tags of Custom Labels, whose keys begin with a prefix.
func tagMap(prefix string, n int) string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf(`"%s%d":"v"`, prefix, i))
	}
	return "{" + strings.Join(tags, ",") + "}"
}

// tagList returns n tags of Lookout.
func tagList(n int) string {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf(`{"Key":"k%d","Value":"v"}`, i))
	}
	return "[" + strings.Join(tags, ",") + "]"
}

// tag returns the input of TagResource of Custom Labels for the resource in a
// variable.
func tag(resource, tags string) string {
	return `{"ResourceArn":"${` + resource + `}","Tags":` + tags + `}`
}

// tagScenarios cover section 11.3 of the specification of Custom Labels, and
// sections 2.20 to 2.22 of that of Lookout.
var tagScenarios = []scenario{
	{
		name: "cl tags",
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN"}`, save: "train=DatasetArn"},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{}}`},

			// Adds and overwrites; keys that differ in case differ (CL-11.41,
			// CL-11.42).
			{call: "rekognition.TagResource", in: tag("project", `{"team":"line 3","Team":"","a b_c.d:e/f=g+h-i@j":"ü ß"}`)},
			{call: "rekognition.TagResource", in: tag("project", `{"team":"line 4"}`)},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${project}"}`, want: `{"Tags":{"team":"line 4","Team":"","a b_c.d:e/f=g+h-i@j":"ü ß"}}`},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${project}","TagKeys":["Team","never there"]}`},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${project}"}`, want: `{"Tags":{"team":"line 4","Team":"!"}}`},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{"team":"!"}}`},

			{call: "rekognition.TagResource", in: tag("project", `{"aws:mine":"x"}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.TagResource", in: tag("train", tagMap("k", 150))},
			{call: "rekognition.TagResource", in: tag("train", tagMap("l", 51)), err: "ServiceQuotaExceededException", status: 400, says: "201"},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{"k0":"v","k149":"v","l0":"!","l50":"!"}}`},
			{call: "rekognition.TagResource", in: tag("train", tagMap("l", 50))},

			// They go with the resource (CL-11.46).
			{call: "rekognition.DeleteDataset", in: `{"DatasetArn":"${train}"}`},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, err: "ResourceNotFoundException", status: 400},
		},
	},
	{
		name: "cl tags at creation",
		steps: []step{ // older clients do not know the member
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}","Tags":{"team":"line 3"}}`, save: "project=ProjectArn", unless: "boto3 cli"},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${project}"}`, want: `{"Tags":{"team":"line 3"}}`, unless: "boto3 cli"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TRAIN","Tags":{"shift":"1","team":"line 4"}}`, save: "train=DatasetArn", unless: "boto3 cli"},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{"shift":"1","team":"line 4"}}`, unless: "boto3 cli"},
			{call: "rekognition.TagResource", in: tag("train", `{"shift":"2"}`), unless: "boto3 cli"},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${train}"}`, want: `{"Tags":{"shift":"2","team":"line 4"}}`, unless: "boto3 cli"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","Tags":{"aws:mine":"x"}}`, err: "InvalidParameterException", status: 400, unless: "boto3 cli"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","Tags":` + tagMap("k", 201) + `}`, err: "InvalidParameterException", status: 400, unless: "boto3 cli"},
			{call: "rekognition.CreateDataset", in: `{"ProjectArn":"${project}","DatasetType":"TEST","Tags":` + tagMap("k", 200) + `}`, unless: "boto3 cli"},
		},
	},
	{
		name: "cl refused tags",
		texts: map[string]string{
			"gone":    "arn:aws:rekognition:us-east-1:123456789012:project/gone/1690556751958",
			"lost":    "arn:aws:rekognition:us-east-1:123456789012:project/gone/dataset/train/1690556751958",
			"version": "arn:aws:rekognition:us-east-1:123456789012:project/gone/version/v1/1690556751958",
			"other":   "arn:aws:lookoutvision:us-east-1:123456789012:model/gone/1", // of another service
			"text":    "this is not an ARN at all",
		},
		steps: []step{
			{call: "rekognition.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectArn"},
			{call: "rekognition.TagResource", in: tag("gone", `{"a":"b"}`), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.TagResource", in: tag("lost", `{"a":"b"}`), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.TagResource", in: tag("version", `{"a":"b"}`), err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.TagResource", in: tag("other", `{"a":"b"}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.TagResource", in: tag("text", `{"a":"b"}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${lost}","TagKeys":["a"]}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${other}","TagKeys":["a"]}`, err: "InvalidParameterException", status: 400},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${gone}"}`, err: "ResourceNotFoundException", status: 400},
			{call: "rekognition.ListTagsForResource", in: `{"ResourceArn":"${other}"}`, err: "InvalidParameterException", status: 400},

			// Keys of 1 to 128 characters, values of at most 256 (CL-11.42).
			{call: "rekognition.TagResource", in: tag("project", `{"`+strings.Repeat("ü", 128)+`":"`+strings.Repeat("ß", 256)+`"}`)},
			{call: "rekognition.TagResource", in: tag("project", `{"`+strings.Repeat("k", 129)+`":""}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.TagResource", in: tag("project", `{"k":"`+strings.Repeat("v", 257)+`"}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.TagResource", in: tag("project", `{"k#":"v"}`), err: "InvalidParameterException", status: 400},
			{call: "rekognition.TagResource", in: tag("project", tagMap("k", 201)), err: "InvalidParameterException", status: 400},
			{call: "rekognition.UntagResource", in: `{"ResourceArn":"${project}","TagKeys":["aws:mine"]}`, err: "InvalidParameterException", status: 400},
		},
	},
	{
		// Only models have tags (LV-2.95); those of one are in "lv training".
		name: "lv tags",
		texts: map[string]string{
			"gone":  "arn:aws:lookoutvision:us-east-1:123456789012:model/gone/1",
			"other": "arn:aws:rekognition:us-east-1:123456789012:project/gone/1690556751958", // of another service
		},
		steps: []step{
			{call: "lookoutvision.CreateProject", in: `{"ProjectName":"${p}"}`, save: "project=ProjectMetadata.ProjectArn"},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${gone}","Tags":[{"Key":"stage","Value":"a b"}]}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"gone/1"}`},
			{call: "lookoutvision.UntagResource", in: `{"ResourceArn":"${gone}","TagKeys":["stage","a b"]}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"gone/1"}`},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${gone}"}`, err: "ResourceNotFoundException", status: 404, fields: `{"ResourceType":"MODEL","ResourceId":"gone/1"}`},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${project}","Tags":[]}`, err: "ValidationException", status: 400, says: "Only models"},
			{call: "lookoutvision.UntagResource", in: `{"ResourceArn":"${project}","TagKeys":["stage"]}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${project}"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.ListTagsForResource", in: `{"ResourceArn":"${other}"}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${gone}","Tags":[{"Key":"aws:mine","Value":""}]}`, err: "ValidationException", status: 400},
			{call: "lookoutvision.TagResource", in: `{"ResourceArn":"${gone}","Tags":` + tagList(201) + `}`, err: "ValidationException", status: 400},
		},
	},
}
