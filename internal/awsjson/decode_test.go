package awsjson_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"fovea/internal/awsjson"
	rekognition "fovea/internal/rekognition/api"

	"github.com/google/go-cmp/cmp"
)

const (
	projectARN = "arn:aws:rekognition:us-east-1:123456789012:project/p/1"
	datasetARN = "arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1"
)

// TestJSONErrors sends requests that are refused before a handler sees them,
// and some that are not, which a table where nothing is built answers 501.
func TestJSONErrors(t *testing.T) {
	const arnPattern = `(^arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project\/[a-zA-Z0-9_.\-]{1,255}\/[0-9]+$)`
	const ok = "NotImplementedException"
	for _, tt := range []struct {
		name      string
		operation string
		body      string
		code      string
		message   string // what it contains
	}{
		{"required", "CreateProject", `{}`, "InvalidParameterException",
			"1 validation error detected: Value null at 'projectName' failed to satisfy constraint: Member must not be null"},
		{"an empty body is an object", "CreateProject", ``, "InvalidParameterException", "Value null at 'projectName'"},
		{"white space is an empty body", "CreateProject", "\r\n ", "InvalidParameterException", "Value null at 'projectName'"},
		{"null is absent", "CreateProject", `{"ProjectName":null}`, "InvalidParameterException", "Value null at 'projectName'"},
		{"null is absent where it may be", "CreateProject", `{"ProjectName":"p","Feature":null,"Tags":null}`, ok, ""},
		{"pattern", "CreateProject", `{"ProjectName":"a b!"}`, "InvalidParameterException",
			`1 validation error detected: Value 'a b!' at 'projectName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+`},
		{"a pattern is matched whole", "CreateProject", `{"ProjectName":"good\nbad one"}`, "InvalidParameterException", "regular expression"},
		{"two at once", "CreateProject", `{"ProjectName":"!","Feature":"X"}`, "InvalidParameterException",
			`2 validation errors detected: Value '!' at 'projectName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+; ` +
				`Value 'X' at 'feature' failed to satisfy constraint: Member must satisfy enum value set: [CONTENT_MODERATION, CUSTOM_LABELS]`},
		{"too long", "CreateProject", `{"ProjectName":"` + strings.Repeat("a", 256) + `"}`, "InvalidParameterException",
			"Member must have length less than or equal to 255"},
		{"length counts characters", "CreateProjectVersion", `{"ProjectArn":"` + projectARN + `","VersionName":"v","OutputConfig":{"S3KeyPrefix":"` + strings.Repeat("é", 1024) + `"}}`, ok, ""},
		{"both length and pattern", "CreateDataset", `{"ProjectArn":"short","DatasetType":"TEST"}`, "InvalidParameterException",
			"2 validation errors detected: Value 'short' at 'projectArn' failed to satisfy constraint: Member must have length greater than or equal to 20; " +
				"Value 'short' at 'projectArn' failed to satisfy constraint: Member must satisfy regular expression pattern: " + arnPattern},
		{"CL-1.41 page size too large", "DescribeProjects", `{"MaxResults":101}`, "ValidationException",
			"1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"CL-1.41 page size too small", "DescribeProjects", `{"MaxResults":0}`, "ValidationException", "greater than or equal to 1"},
		{"page size and another", "DescribeProjects", `{"MaxResults":0,"ProjectNames":[]}`, "InvalidParameterException", "2 validation errors"},
		{"CL-2.2 an empty page token", "DescribeProjects", `{"NextToken":""}`, ok, ""},
		{"CL-2.35 no names", "DescribeProjects", `{"ProjectNames":[]}`, "InvalidParameterException",
			"Value '[]' at 'projectNames' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"CL-2.35 eleven names", "DescribeProjects", `{"ProjectNames":["a","a","a","a","a","a","a","a","a","a","a"]}`, "InvalidParameterException", "less than or equal to 10"},
		{"a name in a list", "DescribeProjects", `{"ProjectNames":["a","b c"]}`, "InvalidParameterException", "Value 'b c' at 'projectNames.2.member'"},
		{"CL-2.51 any letter case", "CreateDataset", `{"ProjectArn":"` + projectARN + `","DatasetType":"tEsT"}`, ok, ""},
		{"CL-2.51 any other value", "CreateDataset", `{"ProjectArn":"` + projectARN + `","DatasetType":"both"}`, "InvalidParameterException", "[TRAIN, TEST]"},
		{"a nested member", "CreateDataset", `{"ProjectArn":"` + projectARN + `","DatasetType":"TEST","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"b"}}}}`,
			"InvalidParameterException", "Value 'b' at 'datasetSource.groundTruthManifest.s3Object.bucket'"},
		{"a required member of an element", "DistributeDatasetEntries", `{"Datasets":[{"Arn":"` + datasetARN + `"},{}]}`, "InvalidParameterException",
			"Value null at 'datasets.2.member.arn' failed to satisfy constraint: Member must not be null"},
		{"CL-11.42 a key of AWS", "TagResource", `{"ResourceArn":"` + projectARN + `","Tags":{"aws:a":"b"}}`, "InvalidParameterException",
			"Value 'aws:a' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: ^(?!aws:)"},
		{"a key almost of AWS", "TagResource", `{"ResourceArn":"` + projectARN + `","Tags":{"aws":"b","Aws:x":"Grün 1"}}`, ok, ""},
		{"an empty key", "TagResource", `{"ResourceArn":"` + projectARN + `","Tags":{"":"b"}}`, "InvalidParameterException", "Map keys must satisfy constraint"},
		{"a value of a map", "TagResource", `{"ResourceArn":"` + projectARN + `","Tags":{"k":"a;b"}}`, "InvalidParameterException", "Value 'a;b' at 'tags.k.member'"},
		{"CL-2.127 no tags", "CreateProject", `{"ProjectName":"p","Tags":{}}`, ok, ""},
		{"a float out of range", "DetectCustomLabels", `{"ProjectVersionArn":"` + strings.Replace(datasetARN, "dataset/train", "version/v", 1) + `","Image":{},"MinConfidence":100.5}`,
			"InvalidParameterException", "Value '100.5' at 'minConfidence' failed to satisfy constraint: Member must have value less than or equal to 100"},
		{"an empty blob", "UpdateDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":""}}`, "InvalidParameterException", "Value '0 bytes' at 'changes.groundTruth'"},
		{"a pattern that RE2 refuses", "CreateProjectVersion", `{"ProjectArn":"` + projectARN + `","VersionName":"v","OutputConfig":{},"KmsKeyId":"-"}`, "InvalidParameterException", `{0,2048}$`},
		{"unknown members", "CreateProject", `{"ProjectName":"p","projectName":5,"PROJECTNAME":"x y","X":[{"Y":"}"}]}`, ok, ""},
		{"only the other case", "CreateProject", `{"projectname":"p"}`, "InvalidParameterException", "Value null at 'projectName'"},
		{"a name with an escape", "CreateProject", `{"Project\u004eame":"p"}`, ok, ""},
		{"the last of two counts", "CreateProject", `{"ProjectName":"a b","ProjectName":5,"ProjectName":"p"}`, ok, ""},
		{"the last of two is null", "CreateProject", `{"ProjectName":"p","ProjectName":null}`, "InvalidParameterException", "Value null"},
		{"the last of two keys counts", "TagResource", `{"ResourceArn":"` + projectARN + `","Tags":{"k":";","k":"good"}}`, ok, ""},
		{"a whole number with a fraction", "DescribeProjects", `{"MaxResults":1e1}`, ok, ""},

		{"no JSON", "CreateProject", `ProjectName=p`, "SerializationException", "not JSON"},
		{"half an object", "CreateProject", `{"ProjectName":"p"`, "SerializationException", "not JSON"},
		{"more than an object", "CreateProject", `{"ProjectName":"p"} x`, "SerializationException", "not JSON"},
		{"a second object", "CreateProject", `{"ProjectName":"p"}{}`, "SerializationException", "not JSON"},
		{"an array", "CreateProject", `[]`, "SerializationException", "must be a JSON object"},
		{"null", "CreateProject", `null`, "SerializationException", "must be a JSON object"},
		{"a byte order mark", "CreateProject", "\ufeff{}", "SerializationException", "not JSON"},
		{"UTF-16", "CreateProject", "\xff\xfe{\x00}\x00", "SerializationException", "not UTF-8"},
		{"a number for a text", "CreateProject", `{"ProjectName":5}`, "SerializationException", "'projectName' must be a string, and is a number"},
		{"a text for a number", "DescribeProjects", `{"MaxResults":"5"}`, "SerializationException", "'maxResults' must be a number, and is a string"},
		{"a fraction for a whole number", "DescribeProjects", `{"MaxResults":1.5}`, "SerializationException", "whole number"},
		{"a number above 32 bits", "DescribeProjects", `{"MaxResults":4294967297}`, "SerializationException", "whole number"},
		{"a number above every size", "DescribeProjects", `{"MaxResults":1e999}`, "SerializationException", "whole number"},
		{"a float above 32 bits", "DetectCustomLabels", `{"ProjectVersionArn":"x","Image":{},"MinConfidence":1e39}`, "SerializationException", "32 bits"},
		{"a text for a boolean", "ListDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Labeled":"true"}`, "SerializationException", "true or false"},
		{"an object for a list", "DescribeProjects", `{"ProjectNames":{}}`, "SerializationException", "must be an array"},
		{"a null in a list", "DescribeProjects", `{"ProjectNames":[null]}`, "SerializationException", "'projectNames.1.member' must be a string, and is null"},
		{"an array for an object", "CreateDataset", `{"ProjectArn":"` + projectARN + `","DatasetType":"TEST","DatasetSource":[]}`, "SerializationException", "must be an object"},
		{"an array for a map", "CreateProject", `{"ProjectName":"p","Tags":[]}`, "SerializationException", "must be an object"},
		{"CL-1.9 no base64", "UpdateDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":"a*b="}}`, "SerializationException", "base64"},
		{"no padding", "UpdateDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":"YQ"}}`, "SerializationException", "base64"},
		{"URL base64", "UpdateDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":"__8="}}`, "SerializationException", "base64"},
		{"escaped base64", "UpdateDatasetEntries", `{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":"\/\/8="}}`, ok, ""},
		{"too deep", "CreateProject", `{"ProjectName":"p","X":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, "SerializationException", "not JSON"},
		{"deep", "CreateProject", `{"ProjectName":"p","X":` + strings.Repeat(`[{"a":`, 4000) + "1" + strings.Repeat("}]", 4000) + `}`, ok, ""},

		{"no operation", "DescribeCollection", `{}`, "UnknownOperationException", "RekognitionService.DescribeCollection"},
		{"CL-1.43 the operation before the body", "Describe", `x`, "UnknownOperationException", ""},
		{"CL-1.43 the JSON before the constraints", "CreateProject", `{"Feature":"X","ProjectName":5}`, "SerializationException", ""},
		{"not built", "CreateProject", `{"ProjectName":"p"}`, ok, "CreateProject yet. docs/operations.md says"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := call(rekognitionAPI(nil), tt.operation, tt.body)
			status := map[bool]int{false: 400, true: 501}[tt.code == ok]
			body := members(t, w)
			if body["__type"] != tt.code || w.Code != status {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, tt.code)
			}
			if message := body["Message"].(string); !strings.Contains(message, tt.message) || len(message) > 2000 {
				t.Errorf("message is\n%s\nwant\n%s", message, tt.message)
			}
		})
	}
}

// TestManyViolations checks that a bad request cannot ask for a large answer.
func TestManyViolations(t *testing.T) {
	asset := `{"GroundTruthManifest":{"S3Object":{"Bucket":"` + strings.Repeat("!", 300) + `"}}},`
	body := `{"ProjectArn":"` + projectARN + `","VersionName":"v","OutputConfig":{},"TrainingData":{"Assets":[` + strings.Repeat(asset, 2000) + `{}]}}`
	w := call(rekognitionAPI(nil), "CreateProjectVersion", body)
	if w.Code != 400 || w.Body.Len() > 50_000 || !strings.Contains(w.Body.String(), "2000 validation errors detected") {
		t.Errorf("%d, %d bytes: %.200s", w.Code, w.Body.Len(), w.Body)
	}
}

// TestDecode checks what a handler sees.
func TestDecode(t *testing.T) {
	var got any
	ops := map[string]awsjson.Op{
		"DetectCustomLabels": awsjson.Call(func(_ context.Context, in *rekognition.DetectCustomLabelsRequest) (*rekognition.DetectCustomLabelsResponse, error) {
			got = *in
			return &rekognition.DetectCustomLabelsResponse{}, nil
		}),
		"ListDatasetEntries": awsjson.Call(func(_ context.Context, in *rekognition.ListDatasetEntriesRequest) (*rekognition.ListDatasetEntriesResponse, error) {
			got = *in
			return &rekognition.ListDatasetEntriesResponse{}, nil
		}),
		"TagResource": awsjson.Call(func(_ context.Context, in *rekognition.TagResourceRequest) (*rekognition.TagResourceResponse, error) {
			got = *in
			return &rekognition.TagResourceResponse{}, nil
		}),
	}
	version := strings.Replace(datasetARN, "dataset/train", "version/v", 1)
	for _, tt := range []struct {
		operation, body string
		want            any
	}{
		{"DetectCustomLabels", `{"ProjectVersionArn":"` + version + `","Image":{"Bytes":"AP8="},"MaxResults":0,"MinConfidence":0}`,
			rekognition.DetectCustomLabelsRequest{ProjectVersionArn: version, Image: &rekognition.Image{Bytes: []byte{0, 255}}, MaxResults: new(0), MinConfidence: new(float32(0))}},
		{"DetectCustomLabels", `{"ProjectVersionArn":"` + version + `","Image":{}}`,
			rekognition.DetectCustomLabelsRequest{ProjectVersionArn: version, Image: &rekognition.Image{}}},
		{"ListDatasetEntries", ` { "DatasetArn" : "` + datasetARN + `" , "Labeled" : false , "ContainsLabels" : [ "a\"]" , "ü\ud83d\ude00" ] } `,
			rekognition.ListDatasetEntriesRequest{DatasetArn: datasetARN, Labeled: new(false), ContainsLabels: []string{`a"]`, "ü😀"}}},
		{"TagResource", `{"ResourceArn":"` + datasetARN + `","Tags":{"a\u0062":"","\\":{}, "c" : "d" }}`, nil},
		{"TagResource", `{"ResourceArn":"` + datasetARN + `","Tags":{"a\u0062":"", "c" : "d" }}`,
			rekognition.TagResourceRequest{ResourceArn: datasetARN, Tags: map[string]string{"ab": "", "c": "d"}}},
	} {
		got = nil
		w := call(rekognitionAPI(ops), tt.operation, tt.body)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s: %s (-want +got):\n%s", tt.operation, tt.body, w.Body, diff)
		}
	}
}

// TestBlobLimits checks the bodies of CL-1.12: 5,242,880 bytes before base64
// are taken, one more is a violated constraint and not a body too large.
func TestBlobLimits(t *testing.T) {
	for _, tt := range []struct {
		size int
		code string
	}{
		{5_242_880, "NotImplementedException"},
		{5_242_881, "InvalidParameterException"},
		{20_000_000, "RequestEntityTooLargeException"},
	} {
		blob := base64.StdEncoding.EncodeToString(make([]byte, tt.size))
		w := call(rekognitionAPI(nil), "UpdateDatasetEntries", `{"DatasetArn":"`+datasetARN+`","Changes":{"GroundTruth":"`+blob+`"}}`)
		if got := w.Header().Get("X-Amzn-ErrorType"); got != tt.code {
			t.Errorf("%d bytes: %d %s, want %s", tt.size, w.Code, got, tt.code)
		}
	}
}

func TestSmallBodyLimit(t *testing.T) {
	w := call(rekognitionAPI(nil), "CreateProject", `{"ProjectName":"p","X":"`+strings.Repeat("x", 2<<20)+`"}`)
	if w.Code != 413 || members(t, w)["Code"] != "RequestEntityTooLargeException" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func BenchmarkBlob(b *testing.B) {
	blob := base64.StdEncoding.EncodeToString(make([]byte, 5<<20))
	body := fmt.Sprintf(`{"DatasetArn":%q,"Changes":{"GroundTruth":%q}}`, datasetARN, blob)
	a := rekognitionAPI(nil)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		call(a, "UpdateDatasetEntries", body)
	}
}

func BenchmarkSmall(b *testing.B) {
	a := rekognitionAPI(nil)
	for b.Loop() {
		call(a, "DescribeDataset", `{"DatasetArn":"`+datasetARN+`"}`)
	}
}
