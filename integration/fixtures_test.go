package integration

import (
	"fmt"
	"strings"
)

// leaf returns a line of image-level labels as the console of Custom Labels
// writes them, one attribute a label (CL-5.20); none is an unlabelled image.
func leaf(key string, labels ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"source-ref":"s3://factory/%s"`, key)
	for _, label := range labels {
		fmt.Fprintf(&b, `,"%s":1,"%s-metadata":{"confidence":1,"job-name":"labeling-job/%s","class-name":"%s",`+
			`"human-annotated":"yes","creation-date":"2026-02-03T04:05:06.789Z","type":"groundtruth/image-classification"}`, label, label, label, label)
	}
	return b.String() + "}\n"
}

// board returns a line with boxes in the attribute BB, all of class_id 0.
// Replace what should be otherwise.
func board(key string, boxes ...[4]int) string {
	var annotations, objects []string
	for _, box := range boxes {
		annotations = append(annotations, fmt.Sprintf(`{"class_id":0,"left":%d,"top":%d,"width":%d,"height":%d}`, box[0], box[1], box[2], box[3]))
		objects = append(objects, `{"confidence":1}`)
	}
	return fmt.Sprintf(`{"source-ref":"s3://factory/%s","BB":{"image_size":[{"width":640,"height":480,"depth":3}],"annotations":[%s]},`+
		`"BB-metadata":{"objects":[%s],"class-map":{"0":"relay"},"type":"groundtruth/object-detection","human-annotated":"yes",`+
		`"creation-date":"2026-02-03T04:05:06.789Z","job-name":"labeling-job/BB"}}`+"\n",
		key, strings.Join(annotations, ","), strings.Join(objects, ","))
}

// cookie returns a line of a class as the console of Lookout writes it, "" for
// an unlabelled image.
func cookie(key, class, date string) string {
	if class == "" {
		return fmt.Sprintf(`{"source-ref":"s3://factory/%s"}`+"\n", key)
	}
	value := 0
	if class == "anomaly" {
		value = 1
	}
	return fmt.Sprintf(`{"source-ref":"s3://factory/%s","anomaly-label":%d,"anomaly-label-metadata":{"confidence":1,"job-name":"labeling-job/anomaly-label",`+
		`"class-name":"%s","human-annotated":"yes","creation-date":"%s","type":"groundtruth/image-classification"}}`+"\n", key, value, class, date)
}
