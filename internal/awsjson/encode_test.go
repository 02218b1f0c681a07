package awsjson_test

import (
	"context"
	"encoding/json"
	"math"
	"testing"
	"time"

	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

func describeProjects(out *rekognition.DescribeProjectsResponse) string {
	return call(rekognitionAPI(map[string]awsjson.Op{
		"DescribeProjects": awsjson.Call(func(context.Context, *rekognition.DescribeProjectsRequest) (*rekognition.DescribeProjectsResponse, error) {
			return out, nil
		}),
	}), "DescribeProjects", "").Body.String()
}

// TestAlwaysThere checks what must be sent although it is empty, and that the
// rest is left out (CL-1.7, CL-2.3, CL-2.4, CL-2.30, CL-2.31).
func TestAlwaysThere(t *testing.T) {
	for _, tt := range []struct {
		out  rekognition.DescribeProjectsResponse
		want string
	}{
		{rekognition.DescribeProjectsResponse{}, `{"ProjectDescriptions":[]}`},
		{rekognition.DescribeProjectsResponse{ProjectDescriptions: []rekognition.ProjectDescription{{ProjectArn: "a"}}, NextToken: "t"},
			`{"ProjectDescriptions":[{"ProjectArn":"a","Datasets":[]}],"NextToken":"t"}`},
		{rekognition.DescribeProjectsResponse{ProjectDescriptions: []rekognition.ProjectDescription{{Datasets: []rekognition.DatasetMetadata{{
			CreationTimestamp: time.UnixMilli(1690556751958), DatasetType: rekognition.DatasetTypeTest}}}}},
			`{"ProjectDescriptions":[{"Datasets":[{"CreationTimestamp":1690556751.958,"DatasetType":"TEST","StatusMessage":"","StatusMessageCode":""}]}]}`},
	} {
		if got := describeProjects(&tt.out); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// TestDescribeDataset checks that all statistics are there (CL-2.71, LV-2.33).
func TestDescribeDataset(t *testing.T) {
	a := rekognitionAPI(map[string]awsjson.Op{
		"DescribeDataset": awsjson.Call(func(context.Context, *rekognition.DescribeDatasetRequest) (*rekognition.DescribeDatasetResponse, error) {
			return &rekognition.DescribeDatasetResponse{DatasetDescription: &rekognition.DatasetDescription{}}, nil
		}),
	})
	const want = `{"DatasetDescription":{"StatusMessage":"","StatusMessageCode":"","DatasetStats":{"LabeledEntries":0,"TotalEntries":0,"TotalLabels":0,"ErrorEntries":0}}}`
	if got := call(a, "DescribeDataset", `{"DatasetArn":"`+datasetARN+`"}`).Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	b := lookoutAPI(map[string]awsjson.Op{
		"DescribeDataset": awsjson.Call(func(context.Context, *lookout.DescribeDatasetRequest) (*lookout.DescribeDatasetResponse, error) {
			return &lookout.DescribeDatasetResponse{DatasetDescription: &lookout.DatasetDescription{ImageStats: lookout.DatasetImageStats{Total: 44}}}, nil
		}),
	})
	const wantLookout = `{"DatasetDescription":{"StatusMessage":"","ImageStats":{"Total":44,"Labeled":0,"Normal":0,"Anomaly":0}}}`
	if got := rest(b, "GET", "/projects/p/datasets/train", "").Body.String(); got != wantLookout {
		t.Errorf("got  %s\nwant %s", got, wantLookout)
	}
}

// TestNumbers checks the text of numbers and times against values that were
// seen in answers of the services (CL-1.8, CL-1.10, LV-1.27, LV-1.28).
func TestNumbers(t *testing.T) {
	var out lookout.DescribeModelResponse
	a := lookoutAPI(map[string]awsjson.Op{
		"DescribeModel": awsjson.Call(func(context.Context, *lookout.DescribeModelRequest) (*lookout.DescribeModelResponse, error) {
			return &out, nil
		}),
	})
	for _, tt := range []struct {
		score float32
		want  string
	}{
		{0, "0.0"}, {1, "1.0"}, {-2, "-2.0"}, {0.983975887298584, "0.983975887298584"}, {8008.0 / (576 * 768), "0.018102575093507767"},
		{77.7729721069336, "77.7729721069336"}, {67.56399536132812, "67.56399536132812"}, {1e-10, "1.000000013351432e-10"},
		{float32(math.NaN()), `"NaN"`}, {float32(math.Inf(1)), `"Infinity"`}, {float32(math.Inf(-1)), `"-Infinity"`}, {1e30, "1.0000000150474662e+30"},
	} {
		out.ModelDescription = &lookout.ModelDescription{Performance: &lookout.ModelPerformance{F1Score: tt.score}}
		want := `{"ModelDescription":{"Performance":{"F1Score":` + tt.want + `,"Recall":0.0,"Precision":0.0}}}`
		if got := rest(a, "GET", "/projects/p/models/1", "").Body.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{time.UnixMilli(1606581265586), "1606581265.586"}, {time.UnixMilli(1606579453600), "1606579453.6"}, {time.UnixMilli(1606579453000), "1606579453.0"},
		{time.Unix(1606579453, 999_999_999), "1606579453.999"}, {time.Unix(0, 0), "0.0"},
	} {
		out.ModelDescription = &lookout.ModelDescription{CreationTimestamp: tt.at}
		if got, want := rest(a, "GET", "/projects/p/models/1", "").Body.String(), `{"ModelDescription":{"CreationTimestamp":`+tt.want+`}}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestStrings checks that every text comes back as it was, and that what is
// not text cannot break the JSON.
func TestStrings(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {`{"source-ref":"s3://b/k","x":"\\"}`, ""}, {"\x00\x1f\n\r\t\x7f", ""}, {"<a&b>\u2028é😀", ""}, {"a\xffb\xc3", "a\ufffdb\ufffd"},
	} {
		text := describeProjects(&rekognition.DescribeProjectsResponse{NextToken: "x" + tt.in})
		var got struct{ NextToken string }
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%q: %s: %v", tt.in, text, err)
		}
		want := tt.want
		if want == "" {
			want = tt.in
		}
		if got.NextToken != "x"+want {
			t.Errorf("%q came back as %q", tt.in, got.NextToken)
		}
	}
}

// TestOptional checks that an absent value and a zero are not the same on the
// wire, and that a required member of a structure is there when it is empty.
func TestOptional(t *testing.T) {
	a := rekognitionAPI(map[string]awsjson.Op{
		"DescribeProjectVersions": awsjson.Call(func(context.Context, *rekognition.DescribeProjectVersionsRequest) (*rekognition.DescribeProjectVersionsResponse, error) {
			return &rekognition.DescribeProjectVersionsResponse{ProjectVersionDescriptions: []rekognition.ProjectVersionDescription{
				{BillableTrainingTimeInSeconds: new(int64(0)), TestingDataResult: &rekognition.TestingDataResult{Input: &rekognition.TestingData{AutoCreate: new(false)}}},
			}}, nil
		}),
	})
	const want = `{"ProjectVersionDescriptions":[{"StatusMessage":"","BillableTrainingTimeInSeconds":0,"TestingDataResult":{"Input":{"AutoCreate":false}}}]}`
	if got := call(a, "DescribeProjectVersions", `{"ProjectArn":"`+projectARN+`"}`).Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	b := lookoutAPI(map[string]awsjson.Op{
		"ListTagsForResource": awsjson.Call(func(context.Context, *lookout.ListTagsForResourceRequest) (*lookout.ListTagsForResourceResponse, error) {
			return &lookout.ListTagsForResourceResponse{Tags: []lookout.Tag{{Key: "k"}}}, nil
		}),
	})
	if got, want := rest(b, "GET", "/tags/a", "").Body.String(), `{"Tags":[{"Key":"k","Value":""}]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMap checks that equal maps are equal texts.
func TestMap(t *testing.T) {
	a := rekognitionAPI(map[string]awsjson.Op{
		"ListTagsForResource": awsjson.Call(func(context.Context, *rekognition.ListTagsForResourceRequest) (*rekognition.ListTagsForResourceResponse, error) {
			return &rekognition.ListTagsForResourceResponse{Tags: map[string]string{"c": "", "a": "1", "b": `"`}}, nil
		}),
	})
	for range 10 {
		got := call(a, "ListTagsForResource", `{"ResourceArn":"`+projectARN+`"}`).Body.String()
		if want := `{"Tags":{"a":"1","b":"\"","c":""}}`; got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

func BenchmarkEntries(b *testing.B) {
	line := `{"source-ref":"s3://bucket/folder/image-000001.jpg","label":{"annotations":[{"class_id":0,"top":1,"left":2,"width":3,"height":4}],"image_size":[{"width":640,"height":480,"depth":3}]},"label-metadata":{"objects":[{"confidence":1}],"class-map":{"0":"cat"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2020-01-01T00:00:00.000000","job-name":"j"}}`
	out := &rekognition.ListDatasetEntriesResponse{}
	for range 100 {
		out.DatasetEntries = append(out.DatasetEntries, line)
	}
	a := rekognitionAPI(map[string]awsjson.Op{
		"ListDatasetEntries": awsjson.Call(func(context.Context, *rekognition.ListDatasetEntriesRequest) (*rekognition.ListDatasetEntriesResponse, error) {
			return out, nil
		}),
	})
	for b.Loop() {
		call(a, "ListDatasetEntries", `{"DatasetArn":"`+datasetARN+`"}`)
	}
}
