package rekognition

import (
	"strings"
	"testing"
)

func TestCheckBoxes(t *testing.T) {
	const (
		none  = "error ERROR_NO_VALID_LABEL_ATTRIBUTES  at "
		value = "error ERROR_INVALID_LABEL_ATTRIBUTE_FORMAT "
		meta  = "error ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /BB-metadata/"
		onA   = " at /BB"
		onM   = " at /BB-metadata"
		size  = `"image_size":[{"width":640,"height":480,"depth":3}]`
		first = `{"class_id":0,"left":10,"top":20,"width":100,"height":80}`
	)
	type edits = []string
	many := func(n int) edits {
		return edits{first, strings.TrimSuffix(strings.Repeat(first+",", n-1), ","), `{"confidence":1}`, strings.TrimSuffix(strings.Repeat(`{"confidence":1},`, n-1), ",")}
	}
	runCheckTests(t, []checkTest{
		{name: "clean", line: boxLine},
		{name: "CL-5.33 OQ-7 image_size an object", line: boxLine, edits: edits{size, `"image_size":{"width":640,"height":480,"depth":3}`}},
		{name: "CL-5.31 decimal boxes", line: boxLine, edits: edits{`"left":10`, `"left":10.1`, `"width":100`, `"width":629.9`}},
		{name: "CL-5.32 all classes, ids with gaps", line: boxLine, edits: edits{`"0":"comparator"`, `"0":"comparator","7":"x","100000":"y","-3":"z"`}},
		{name: "CL-5.36 any depth", line: boxLine, edits: edits{`"depth":3`, `"depth":1`}},
		{name: "class_id 0.0", line: boxLine, edits: edits{`"class_id":0`, `"class_id":0.0`}},
		{name: "CL-6.63 no boxes", line: boxLine, edits: edits{boxesOf(boxLine), "", `{"confidence":1},{"confidence":0.5}`, ""},
			want: []string{"warning WARNING_NO_ANNOTATIONS "}},

		{name: "CL-6.33 value not an object", line: boxLine, edits: edits{`"BB":{`, `"BB":1,"CC":{`}, want: []string{none, value + "/BB at "}},
		{name: "CL-6.33 no image_size", line: boxLine, edits: edits{"image_size", "x"}, want: []string{none, value + "/BB/image_size" + onA}},
		{name: "CL-6.33 imageSize", line: boxLine, edits: edits{"image_size", "imageSize"}, want: []string{none, value + "/BB/imageSize" + onA}},
		{name: "CL-6.33 two image_sizes", line: boxLine, edits: edits{size, `"image_size":[{},{}]`}, want: []string{none, value + "/BB/image_size" + onA}},
		{name: "CL-6.33 empty image_size", line: boxLine, edits: edits{size, `"image_size":[]`}, want: []string{none, value + "/BB/image_size" + onA}},
		{name: "CL-6.33 no depth", line: boxLine, edits: edits{`,"depth":3`, ""}, want: []string{none, value + "/BB/image_size/0/depth" + onA}},
		{name: "CL-6.33 width a string", line: boxLine, edits: edits{`"width":640`, `"width":"640"`}, want: []string{none, value + "/BB/image_size/0/width" + onA}},
		{name: "CL-6.33 no annotations", line: boxLine, edits: edits{`"annotations"`, `"x"`}, want: []string{none, value + "/BB/annotations" + onA}},
		{name: "CL-6.33 annotations an object", line: boxLine, edits: edits{"[" + boxesOf(boxLine) + "]", "{}"}, want: []string{none, value + "/BB/annotations" + onA}},
		{name: "CL-6.33 annotation not an object", line: boxLine, edits: edits{first, "7"}, want: []string{none, value + "/BB/annotations/0" + onA}},
		{name: "CL-6.33 no class_id", line: boxLine, edits: edits{`"class_id":3,`, ``}, want: []string{none, value + "/BB/annotations/1/class_id" + onA}},
		{name: "CL-6.33 class_id a string", line: boxLine, edits: edits{`"class_id":3`, `"class_id":"3"`}, want: []string{none, value + "/BB/annotations/1/class_id" + onA}},
		{name: "CL-6.33 class_id a fraction", line: boxLine, edits: edits{`"class_id":3`, `"class_id":3.5`}, want: []string{none, value + "/BB/annotations/1/class_id" + onA}},
		{name: "CL-6.33 all that is wrong", line: boxLine, edits: edits{`"left":10,`, ``, `"top":100`, `"top":null`},
			want: []string{none, value + "/BB/annotations/0/left" + onA, value + "/BB/annotations/1/top" + onA}},

		{name: "CL-6.34 no objects", line: boxLine, edits: edits{`"objects"`, `"x"`}, want: []string{none, meta + "objects" + onM}},
		{name: "CL-6.34 objects no array", line: boxLine, edits: edits{`[{"confidence":1},{"confidence":0.5}]`, `{}`}, want: []string{none, meta + "objects" + onM}},
		{name: "CL-6.34 object no object", line: boxLine, edits: edits{`{"confidence":1}`, `1`}, want: []string{none, meta + "objects/0" + onM}},
		{name: "CL-6.34 confidence no number", line: boxLine, edits: edits{`{"confidence":1}`, `{"confidence":"1"}`}, want: []string{none, meta + "objects/0/confidence" + onM}},
		{name: "CL-6.34 no class-map", line: boxLine, edits: edits{`"class-map"`, `"x"`}, want: []string{none, meta + "class-map" + onM}},
		{name: "CL-6.34 class-map an array", line: boxLine, edits: edits{`{"0":"comparator","3":"ir_led"}`, `["comparator"]`}, want: []string{none, meta + "class-map" + onM}},
		{name: "CL-6.34 label a number", line: boxLine, edits: edits{`"ir_led"`, `3`},
			want: []string{none, meta + "class-map/3" + onM}},
		{name: "CL-6.34 no type", line: boxLine, edits: edits{`"type"`, `"x"`}, want: []string{none, meta + "type" + onM}},

		{name: "CL-6.36 too few objects", line: boxLine, edits: edits{`,{"confidence":0.5}`, ``}, want: []string{none, "error ERROR_MISSING_BOUNDING_BOX_CONFIDENCE /BB-metadata/objects" + onM}},
		{name: "CL-6.36 no confidence", line: boxLine, edits: edits{`{"confidence":0.5}`, `{}`}, want: []string{none, "error ERROR_MISSING_BOUNDING_BOX_CONFIDENCE /BB-metadata/objects/1/confidence" + onM}},
		{name: "more objects", line: boxLine, edits: edits{`{"confidence":0.5}`, `{"confidence":1},{"confidence":1}`}, want: []string{"warning WARNING_EXTRA_OBJECTS /BB-metadata/objects"}},
		{name: "CL-6.37 no class", line: boxLine, edits: edits{`"class_id":3`, `"class_id":7`}, want: []string{none, "error ERROR_MISSING_CLASS_MAP_ID /BB/annotations/1/class_id" + onM}},
		{name: "CL-6.37 keys are texts", line: boxLine, edits: edits{`"3":`, `"03":`},
			want: []string{none, "error ERROR_MISSING_CLASS_MAP_ID /BB/annotations/1/class_id" + onM, "warning WARNING_CLASS_MAP_KEY /BB-metadata/class-map/03"}},
		{name: "CL-6.37 map the wrong way round", line: boxLine, edits: edits{`{"0":"comparator","3":"ir_led"}`, `{"comparator":"0","ir_led":"3"}`},
			want: []string{none, "error ERROR_MISSING_CLASS_MAP_ID /BB/annotations/0/class_id" + onM, "error ERROR_MISSING_CLASS_MAP_ID /BB/annotations/1/class_id" + onM,
				"warning WARNING_CLASS_MAP_KEY /BB-metadata/class-map/comparator", "warning WARNING_CLASS_MAP_KEY /BB-metadata/class-map/ir_led"}},
		{name: "one class twice", line: boxLine, edits: edits{`"3":"ir_led"`, `"3":"ir_led","3":"other"`}, want: []string{"warning WARNING_DUPLICATE_KEY /BB-metadata/class-map/3"}},
		{name: "one name twice", line: boxLine, edits: edits{`"ir_led"`, `"comparator"`}, want: []string{"warning WARNING_SAME_CLASS_NAME /BB-metadata/class-map/3"}},
		{name: "CL-6.46 label name", line: boxLine, edits: edits{`"ir_led"`, `""`}, want: []string{none, "error ERROR_INVALID_LABEL_NAME_LENGTH /BB-metadata/class-map/3" + onM}},

		{name: "CL-6.50 precedence", line: boxLine, edits: edits{`"top":20,`, ``, `,{"confidence":0.5}`, ``, `"class_id":3`, `"class_id":7`, `"yes"`, `1`, `"width":640`, `"width":9`},
			want: []string{none, value + "/BB/annotations/0/top" + onA, "warning ERROR_MISSING_CLASS_MAP_ID /BB/annotations/1/class_id",
				"warning ERROR_MISSING_BOUNDING_BOX_CONFIDENCE /BB-metadata/objects", "warning ERROR_INVALID_LABEL_ATTRIBUTE_METADATA_FORMAT /BB-metadata/human-annotated"}},
		{name: "CL-6.50 confidence before class", line: boxLine, edits: edits{`,{"confidence":0.5}`, ``, `"class_id":3`, `"class_id":7`},
			want: []string{none, "warning ERROR_MISSING_CLASS_MAP_ID /BB/annotations/1/class_id", "error ERROR_MISSING_BOUNDING_BOX_CONFIDENCE /BB-metadata/objects" + onM}},

		{name: "CL-6.44 fifty", line: boxLine, edits: many(50)},
		{name: "CL-6.44 fifty-one", line: boxLine, edits: many(51), want: []string{none, "error ERROR_TOO_MANY_BOUNDING_BOXES /BB/annotations" + onA}},
	})
}

// boxesOf returns the annotations of a line.
func boxesOf(line string) string {
	_, boxes, _ := strings.Cut(line, `"annotations":[`)
	boxes, _, _ = strings.Cut(boxes, "]")
	return boxes
}

func TestCheckFrame(t *testing.T) {
	const (
		dimension = "error ERROR_INVALID_IMAGE_DIMENSION /BB/image_size/0/"
		none      = "error ERROR_NO_VALID_LABEL_ATTRIBUTES  at "
		small     = "error ERROR_BOUNDING_BOX_TOO_SMALL /BB/annotations/0 at /BB/annotations/0"
		box       = "error ERROR_INVALID_BOUNDING_BOX /BB/annotations/0/"
		first     = `"left":10,"top":20,"width":100,"height":80`
		both      = `{"class_id":0,"left":10,"top":20,"width":100,"height":80},{"class_id":3,"left":200,"top":100,"width":60,"height":70}`
	)
	type edits = []string
	onBox := " at /BB/annotations/0"
	runCheckTests(t, []checkTest{
		{name: "CL-6.40 smallest", line: boxLine, edits: edits{`"width":640,"height":480`, `"width":4096,"height":480`}},
		{name: "CL-6.40 too wide", line: boxLine, edits: edits{`"width":640`, `"width":4097`}, want: []string{none, dimension + "width at /BB"}},
		{name: "CL-6.40 too low", line: boxLine, edits: edits{`"height":480`, `"height":63`, both, `{"class_id":0,"left":0,"top":0,"width":9,"height":9}`, `,{"confidence":0.5}`, ``},
			want: []string{none, dimension + "height at /BB"}},
		{name: "CL-6.40 nothing", line: boxLine, edits: edits{`"width":640,"height":480`, `"width":0,"height":-5`}, want: []string{none, dimension + "width at /BB", dimension + "height at /BB"}},

		{name: "CL-6.41 one pixel", line: boxLine, edits: edits{first, `"left":0,"top":0,"width":1,"height":1`}, want: []string{small}},
		{name: "CL-6.41 one pixel wide", line: boxLine, edits: edits{first, `"left":0,"top":0,"width":1,"height":50`}, want: []string{small}},
		{name: "CL-6.41 more than a pixel", line: boxLine, edits: edits{first, `"left":0,"top":0,"width":1.01,"height":1.01`}},
		{name: "CL-6.41 scaled to 1280, enough", line: boxLine, edits: edits{`"width":640,"height":480`, `"width":1000,"height":2560`, first, `"left":0,"top":0,"width":2.1,"height":2.1`}},
		{name: "CL-6.41 scaled to 1280, too small", line: boxLine, edits: edits{`"width":640,"height":480`, `"width":1000,"height":2560`, first, `"left":0,"top":0,"width":2,"height":5`}, want: []string{small}},
		{name: "CL-6.41 width of nothing", line: boxLine, edits: edits{first, `"left":0,"top":0,"width":0,"height":9`}, want: []string{small}},

		{name: "CL-6.56 whole image", line: boxLine, edits: edits{first, `"left":0,"top":0,"width":640,"height":480`}},
		{name: "CL-6.42 left", line: boxLine, edits: edits{`"left":10`, `"left":-1`}, want: []string{box + "left" + onBox}},
		{name: "CL-6.42 top", line: boxLine, edits: edits{`"top":20`, `"top":-0.5`}, want: []string{box + "top" + onBox}},
		{name: "CL-6.42 negative size", line: boxLine, edits: edits{first, `"left":10,"top":20,"width":-100,"height":-80`}, want: []string{box + "width" + onBox, box + "height" + onBox}},
		{name: "CL-6.42 right", line: boxLine, edits: edits{`"left":10`, `"left":541`}, want: []string{box + "width" + onBox}},
		{name: "CL-6.42 bottom", line: boxLine, edits: edits{`"top":20`, `"top":400.5`}, want: []string{box + "height" + onBox}},
		{name: "CL-6.42 and CL-6.41", line: boxLine, edits: edits{first, `"left":640,"top":20,"width":1,"height":1`}, want: []string{small, box + "width" + onBox}},
		{name: "CL-6.43 no box is right", line: boxLine, edits: edits{both, `{"class_id":0,"left":-1,"top":0,"width":9,"height":9}`, `,{"confidence":0.5}`, ``},
			want: []string{none, "error ERROR_NO_VALID_ANNOTATIONS /BB/annotations at /BB", box + "left" + onBox}},
	})
}
