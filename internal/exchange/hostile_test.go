package exchange

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	gocmp "github.com/google/go-cmp/cmp"
)

// Annotations that are wrong, each in its way.
var (
	hostileCOCO = []string{
		`{"images":[{"id":"a","file_name":"1.jpg"}],"annotations":[{"image_id":"a","category_id":null,"bbox":[1,2,30,40]}],"categories":[{"name":"cat"}]}`,
		`{"images":[{"id":1,"file_name":"../../etc/passwd"},{"id":2,"file_name":"C:\\data\\1.jpg"}],"annotations":[],"categories":[]}`,
		`{"images":[{"id":1,"file_name":"1.jpg"}],"annotations":[{"image_id":1,"category_id":1,"bbox":[1e300,0,-5,1]},{"image_id":1,"category_id":1,"bbox":["x",0,5,5]}],"categories":[{"id":1,"name":"\ud800"}]}`,
		`{"images":[{"id":1,"file_name":"1.jpg"}],"annotations":[`,
		`{"images":{},"annotations":7}`,
	}
	hostileVOC = []string{
		`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><annotation><object><name>&b;</name></object></annotation>`,
		`<annotation>` + strings.Repeat("<a>", 1000),
		`<?xml version="1.0" encoding="ISO-8859-1"?><annotation><object><name>caf` + "\xe9" + `</name><bndbox><xmin>0</xmin><ymin>1.5</ymin><xmax>50</xmax><ymax>81</ymax></bndbox></object></annotation>`,
		`<?xml version="1.0" encoding="GB2312"?><annotation/>`,
		`<annotation><object><name>cat</name></object><object><bndbox/></object></annotation>`,
		"<annotation><filename>\xff</filename></annotation>", "", "<html/>",
	}
	hostileCSV = []string{
		"1.jpg,cat,dog,,\n1.jpg,cat\n", "1.jpg;cat\r\n", "1.jpg\tcat", "1.jpg,1,2,30,40,cat\n1.jpg,x,2,30,40,cat\n1.jpg,1,2,30,40,\n",
		"image,label\n\"1.jpg,cat\n1.jpg,\"say \"\"x\"\"\"\n1.jpg,\"a\"b\n\xff,x\n", "filename,width,height,class,xmin,ymin,xmax,ymax\n1.jpg,100,80,cat,1,2,30,40\n",
		"x,y,w,h,label,image,split\n1,2,30,40,cat,1.jpg,Train\n1,2,30,40,cat,1.jpg,test\n", "1.jpg,normal\n", "image\n", "",
	}
)

// TestHostileCOCO: what is wrong with one image or annotation is told, and the
// rest is read.
func TestHostileCOCO(t *testing.T) {
	const (
		images     = `"images":[{"id":1,"file_name":"a.jpg","width":100,"height":80},{"id":2,"file_name":"b.jpg"}]`
		categories = `"categories":[{"id":5,"name":"cat"}]`
		good       = `{"id":9,"image_id":1,"category_id":5,"bbox":[1,2,30,40]}`
	)
	cat := []Box{{"cat", 1, 2, 30, 40}}
	both := func(a, b []Box) []flat {
		kind := func(boxes []Box) Kind {
			if len(boxes) > 0 {
				return Detection
			}
			return Unlabeled
		}
		return []flat{{Name: "a.jpg", Kind: kind(a), Boxes: a}, {Name: "b.jpg", Kind: kind(b), Boxes: b}}
	}
	none := func(name string) flat { return flat{Name: name, Kind: Detection} }
	for _, tt := range []struct {
		name, text string
		want       []flat
		problems   []string
	}{
		{"fine", `{` + images + `,"annotations":[` + good + `],` + categories + `}`, []flat{both(cat, nil)[0], none("b.jpg")}, nil},
		{"identifiers as text", `{"images":[{"id":"x","file_name":"a.jpg"}],"annotations":[{"image_id":"x","category_id":"y","bbox":[1,2,30,40]}],"categories":[{"id":"y","name":"cat"}]}`, both(cat, nil), nil},
		{"identifiers of several types", `{"images":[{"id":7,"file_name":"a.jpg"}],"annotations":[{"image_id":"7","category_id":5.0,"bbox":[1,2,30,40]}],"categories":[{"id":5,"name":"cat"}]}`, both(cat, nil), nil},
		{"fractions", `{` + images + `,"annotations":[{"image_id":1,"category_id":5,"bbox":[0.5,1.6,30.4,39.9]}],` + categories + `}`, []flat{both(cat, nil)[0], none("b.jpg")}, nil},
		{"over the border by less than a pixel", `{` + images + `,"annotations":[{"image_id":1,"category_id":5,"bbox":[-0.4,-1,100.9,81.5]}],` + categories + `}`,
			[]flat{{Name: "a.jpg", Kind: Detection, Boxes: []Box{{"cat", 0, 0, 100, 80}}}, none("b.jpg")}, nil},
		{"over the border", `{` + images + `,"annotations":[{"image_id":2,"category_id":5,"bbox":[0,0,103,80]},` + good + `],` + categories + `}`, both(cat, nil),
			[]string{`b.jpg: "cat": the box from (0, 0) to (103, 80) leaves the image of 100 x 80`}},
		{"no size", `{` + images + `,"annotations":[{"image_id":2,"category_id":5,"bbox":[5,5,0,0]},` + good + `],` + categories + `}`, both(cat, nil),
			[]string{`b.jpg: "cat": the box at (5, 5) has 0 x 0 pixels`}},
		{"no number", `{` + images + `,"annotations":[{"image_id":2,"category_id":5,"bbox":[1e300,0,1,1]},{"image_id":2,"category_id":5},` + good + `],` + categories + `}`, both(cat, nil),
			[]string{"the box has an edge at 1e+300", "a bbox of 0 numbers"}},
		{"another type", `{` + images + `,"annotations":[{"image_id":1,"category_id":5,"bbox":["1",2,3,4]},` + good + `],` + categories + `}`, []flat{both(cat, nil)[0], none("b.jpg")},
			[]string{"coco.json: element 1 of the list: found string in place of float64 at bbox"}},
		{"no such category", `{` + images + `,"annotations":[{"image_id":2,"category_id":6,"bbox":[1,2,30,40]},` + good + `],` + categories + `}`, both(cat, nil),
			[]string{"1 annotations are of categories that it does not list"}},
		{"no such image", `{` + images + `,"annotations":[{"image_id":3,"category_id":5,"bbox":[1,2,30,40]},` + good + `],` + categories + `}`, []flat{both(cat, nil)[0], none("b.jpg")},
			[]string{"1 annotations are of images that it does not list"}},
		{"not there", `{"images":[{"id":1,"file_name":"a.jpg"},{"id":2,"file_name":"gone.jpg"},{"id":3,"file_name":"../../etc/b.jpg"}],"annotations":[` + good + `],` + categories + `}`, both(cat, nil),
			[]string{`the image "gone.jpg" is not in the collection`, `the image "../../etc/b.jpg" leads out of the collection`}},
		{"a path of another machine", `{"images":[{"id":1,"file_name":"C:\\data\\x\\a.jpg"},{"id":2,"file_name":"https://host/x/b.jpg"}],"annotations":[` + good + `],` + categories + `}`, []flat{both(cat, nil)[0], none("b.jpg")}, nil},
		{"a label that is no text", `{` + images + `,"annotations":[{"image_id":2,"category_id":6,"bbox":[1,2,30,40]},` + good + `],"categories":[{"id":5,"name":"cat"},{"id":6,"name":" "}]}`, both(cat, nil),
			[]string{"category 6: the label is empty"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkRead(t, map[string]string{"a.jpg": "image", "b.jpg": "image", "coco.json": tt.text}, COCO, Options{}, tt.want, tt.problems)
		})
	}
}

// TestBrokenCOCO: images of a file that breaks off are not taken for images
// without objects; another file is read.
func TestBrokenCOCO(t *testing.T) {
	good := `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[{"image_id":1,"category_id":5,"bbox":[1,2,30,40]}],"categories":[{"id":5,"name":"cat"}]}`
	checkRead(t, map[string]string{"a.jpg": "image", "b.jpg": "image", "coco1.json": good, "coco2.json": `{"images":[{"id":1,"file_name":"b.jpg"}],"annotations":[{"image_`}, COCO, Options{},
		[]flat{{Name: "a.jpg", Kind: Detection, Boxes: []Box{{"cat", 1, 2, 30, 40}}}, {Name: "b.jpg"}}, []string{"coco2.json cannot be read as COCO: annotations: it is cut off"})
	dir := folder(t, map[string]string{"a.jpg": "image", "coco.json": `{"images":[{"id":1,"file_name":"gone.jpg"}]}`})
	if _, err := Open(dir, COCO, Options{}); err == nil || !strings.Contains(err.Error(), "gone.jpg") {
		t.Errorf("err = %v", err)
	}
}

// TestCOCOLeak: an image in two splits is told.
func TestCOCOLeak(t *testing.T) {
	text := `{"images":[{"id":1,"file_name":"a.jpg"}],"annotations":[],"categories":[]}`
	checkRead(t, map[string]string{"a.jpg": "image", "train.json": text, "val.json": text}, COCO, Options{},
		[]flat{{Name: "a.jpg", Split: Train, Kind: Detection}}, []string{"val.json: a.jpg is in train already, and cannot be in test too"})
}

// TestCOCOPiece: an element that is longer than memory should hold ends the
// reading of its file.
func TestCOCOPiece(t *testing.T) {
	long := `{"images":[{"id":1,"file_name":"` + strings.Repeat("x", 2*maxPiece) + `"}]}`
	c := inMemory(t, "coco.json", []byte(long))
	if err := c.load(COCO, Options{}); err == nil || !strings.Contains(err.Error(), "a piece of it is longer than") {
		t.Errorf("err = %.200v", err)
	}
}

// utf16Text returns a text as UTF-16 with a byte order mark.
func utf16Text(text string, order binary.AppendByteOrder) string {
	b := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func TestHostileVOC(t *testing.T) {
	object := func(name string) string {
		return `<object><name>` + name + `</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>31</xmax><ymax>42</ymax></bndbox></object>`
	}
	const head = `<annotation><size><width>100</width><height>80</height></size>`
	detected := func(label string) flat {
		return flat{Name: "a.jpg", Kind: Detection, Boxes: []Box{{label, 1, 2, 30, 40}}}
	}
	utf16 := `<?xml version="1.0" encoding="UTF-16"?>` + head + object("日本 🍪") + `</annotation>`
	for _, tt := range []struct {
		name, text string
		want       flat
		problem    string
	}{
		{"fine", head + object("cat") + `</annotation>`, detected("cat"), ""},
		{"characters of XML", head + object("&lt;a&gt; &amp; &quot;b&quot; &#233;") + `</annotation>`, detected(`<a> & "b" é`), ""},
		{"size of 0", `<annotation><size><width>0</width><height>0</height></size>` + object("cat") + `</annotation>`, detected("cat"), ""},
		{"a comment with a document type", head + "<!-- <!DOCTYPE x> -->" + object("cat") + `</annotation>`, detected("cat"), ""},
		{"UTF-8 with a mark", "\ufeff" + head + object("é") + `</annotation>`, detected("é"), ""},
		{"UTF-16, little end first", utf16Text(utf16, binary.LittleEndian), detected("日本 🍪"), ""},
		{"UTF-16, big end first", utf16Text(utf16, binary.BigEndian), detected("日本 🍪"), ""},
		{"UTF-16 without a mark", utf16Text(utf16, binary.LittleEndian)[2:], detected("日本 🍪"), ""},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + head + object("caf\xe9 \x80") + `</annotation>`, detected("café €"), ""},
		{"another encoding", `<?xml version="1.0" encoding="GB2312"?>` + head + object("cat") + `</annotation>`, flat{Name: "a.jpg"}, `declares the encoding "GB2312"`},
		{"not what it declares", head + object("caf\xe9") + `</annotation>`, flat{Name: "a.jpg"}, "invalid UTF-8"},
		{"entities", `<!DOCTYPE a [<!ENTITY a "aaaa">]>` + head + object("&a;") + `</annotation>`, flat{Name: "a.jpg"}, "document type"},
		{"an external entity", `<!DOCTYPE a SYSTEM "file:///etc/passwd">` + head + object("cat") + `</annotation>`, flat{Name: "a.jpg"}, "document type"},
		{"an unknown entity", head + object("&lol;") + `</annotation>`, flat{Name: "a.jpg"}, "lol"},
		{"deep", head + strings.Repeat("<a>", 1000), flat{Name: "a.jpg"}, "nested deeper than 32"},
		{"cut off", head + object("cat"), flat{Name: "a.jpg"}, "Annotations/a.xml is no annotation"},
		{"empty", "", flat{Name: "a.jpg"}, "it is empty, or cut off"},
		{"no box", head + object("cat") + `<object><name>dog</name></object></annotation>`, detected("cat"), `object 2: "dog" has no bndbox`},
		{"no number", head + object("cat") + strings.Replace(object("dog"), ">2<", ">two<", 1) + `</annotation>`, detected("cat"), `object 2: "dog" has the edge "two"`},
		{"no label", head + object("cat") + object(" ") + `</annotation>`, detected("cat"), "object 2: the label is empty"},
		{"no size", head + strings.Replace(object("dog"), "31", "2", 1) + `</annotation>`, flat{Name: "a.jpg"}, "has 1 x 40 pixels"},
		{"no objects", head + `</annotation>`, flat{Name: "a.jpg", Kind: Detection}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var problems []string
			if tt.problem != "" {
				problems = []string{tt.problem}
			}
			files := map[string]string{"a.jpg": "image", "Annotations/a.xml": tt.text, "b.jpg": "image", "Annotations/b.xml": head + `</annotation>`}
			dir := folder(t, files)
			images, got := load(t, dir, VOC, Options{})
			checkProblems(t, got, problems)
			if len(images) != 2 || images[1].Kind != Detection {
				t.Fatalf("the other image is lost")
			}
			f := flat{Name: images[0].Name, Kind: images[0].Kind, Boxes: images[0].Boxes}
			if diff := gocmp.Diff(tt.want, f); diff != "" {
				t.Errorf("image (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVOCSets: lists say the split, and an image that is in two is told.
func TestVOCSets(t *testing.T) {
	files := map[string]string{"ImageSets/Main/train.txt": "a\nb\n", "ImageSets/Main/val.txt": "b\r\n", "ImageSets/Main/trainval.txt": "a\nb\nc\n", "ImageSets/Main/cat_test.txt": "d  1\n"}
	for _, id := range []string{"a", "b", "c", "d"} {
		files["JPEGImages/"+id+".jpg"], files["Annotations/"+id+".xml"] = "image", "<annotation/>"
	}
	want := []flat{
		{Name: "JPEGImages/a.jpg", Split: Train, Kind: Detection}, {Name: "JPEGImages/b.jpg", Split: Train, Kind: Detection},
		{Name: "JPEGImages/c.jpg", Split: Train, Kind: Detection}, {Name: "JPEGImages/d.jpg", Kind: Detection},
	}
	checkRead(t, files, VOC, Options{}, want, []string{`ImageSets/Main/val.txt lists "b", which is also in a list for train`})
}

func TestHostileYOLO(t *testing.T) {
	for _, tt := range []struct {
		name, yaml, labels string
		want               []Box
		problems           []string
	}{
		{"a list", "names: [cat, 'a, b', \"c\\\"d\"]\nnc: 3", "0 .5 .5 1 1\n1 .5 .5 1 1\n2 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}, {"a, b", 0, 0, 100, 80}, {`c"d`, 0, 0, 100, 80}}, nil},
		{"a list over lines", "names: [cat, # the first\n  dog,\n]\n", "1 .5 .5 1 1", []Box{{"dog", 0, 0, 100, 80}}, nil},
		{"a list with dashes", "names:\n- cat\n- 'it''s'\nval: ''\n", "1 .5 .5 1 1", []Box{{"it's", 0, 0, 100, 80}}, nil},
		{"a map", "names:\n  3: cat # three\n  80: dog\n", "3 .5 .5 1 1\n80.0 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}, {"dog", 0, 0, 100, 80}}, nil},
		{"a map in braces", "names: {0: cat, 1: 'x: y'}", "1 .5 .5 1 1", []Box{{"x: y", 0, 0, 100, 80}}, nil},
		{"a polygon", "names: [cat]", "0 0.1 0.1 0.3 0.1 0.3 0.35", []Box{{"cat", 10, 8, 20, 20}}, nil},
		{"a confidence", "names: [cat]", "0 .5 .5 1 1 0.93", []Box{{"cat", 0, 0, 100, 80}}, nil},
		{"key points", "names: [cat]\nkpt_shape: [2, 2]", "0 .5 .5 .2 .5 .1 .1 .2 .2", []Box{{"cat", 40, 20, 20, 40}}, nil},
		{"no such class", "names: [cat]", "0 .5 .5 1 1\n7 .5 .5 1 1\n-1 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}}, []string{"labels/a.txt:2: class 7: the label is empty", "labels/a.txt:3: class -1"}},
		{"not normalised", "names: [cat]", "0 50 40 100 80\n0 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}}, []string{"labels/a.txt:1: the box from"}},
		{"no numbers", "names: [cat]", "cat .5 .5 1 1\n0 .5 .5 1\n0 NaN .5 1 1\n0 .5 x 1 1\n0 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}},
			[]string{`:1: "cat" is no number of a class`, ":2: 3 numbers after the class", ":3: the box has an edge at NaN", `:4: "x" is no number`}},
		{"no UTF-8", "names: [cat]", "0 .5 .5 1 1 \xff", nil, []string{"labels/a.txt is not UTF-8"}},
		{"nothing there", "names: [cat]\ntrain: ../nowhere/images", "0 .5 .5 1 1", []Box{{"cat", 0, 0, 100, 80}}, []string{`data.yaml: train is "../nowhere/images", which is neither`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kind := Detection
			if tt.want == nil {
				kind = Unlabeled
			}
			checkRead(t, map[string]string{"images/a.jpg": "image", "labels/a.txt": tt.labels, "data.yaml": tt.yaml}, YOLO, Options{},
				[]flat{{Name: "images/a.jpg", Kind: kind, Boxes: tt.want}}, tt.problems)
		})
	}
}

// TestYOLOSplits: data.yaml says the splits, by folders and by lists.
func TestYOLOSplits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  map[string]Split
	}{
		{"folders", map[string]string{"data.yaml": "path: ../datasets/x\ntrain: images/t\nval: images/v\ntest: # none\nnames: [a]"}, map[string]Split{"images/t/1.jpg": Train, "images/v/1.jpg": Test, "images/u.jpg": NoSplit}},
		{"beside", map[string]string{"data.yaml": "train: ../train/images\nval: ../valid/images\nnames: [a]"}, map[string]Split{"train/images/1.jpg": Train, "valid/images/1.jpg": Test}},
		{"lists", map[string]string{"data.yaml": "train: x.txt\nval: [y.txt]\nnames: [a]", "x.txt": "./images/1.jpg\n/other/machine/images/2.jpg\n", "y.txt": "images/3.jpg\r\n"},
			map[string]Split{"images/1.jpg": Train, "images/2.jpg": Train, "images/3.jpg": Test}},
		{"names of folders", map[string]string{"classes.txt": "a\nb\n"}, map[string]Split{"images/train/1.jpg": Train, "images/val/1.jpg": Test}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name := range tt.want {
				tt.files[name] = "image"
			}
			images, problems := load(t, folder(t, tt.files), YOLO, Options{})
			checkProblems(t, problems, nil)
			got := map[string]Split{}
			for _, img := range images {
				got[img.Name] = img.Split
			}
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("splits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHostileCSV(t *testing.T) {
	detected := func(boxes ...Box) flat { return flat{Name: "a.jpg", Kind: Detection, Boxes: boxes} }
	labeled := func(labels ...string) flat { return flat{Name: "a.jpg", Kind: Classification, Labels: labels} }
	cat := Box{"cat", 1, 2, 30, 40}
	for _, tt := range []struct {
		name, text string
		want       flat
		problems   []string
	}{
		{"labels as AWS's script reads them (CL-5.20)", "a.jpg,dog,cat,,\n", labeled("cat", "dog"), nil},
		{"boxes as AWS's script reads them", "image,xmin,ymin,xmax,ymax,label\na.jpg,1,2,31,42,cat\n", detected(cat), nil},
		{"boxes without names of columns", "a.jpg,1,2,31,42,cat\n", detected(cat), nil},
		{"no label", "a.jpg\n", flat{Name: "a.jpg"}, nil},
		{"labels in rows", "image,label\na.jpg,dog\na.jpg,cat\na.jpg,cat\n", labeled("cat", "dog"), nil},
		{"semicolons", "Image File;Label\r\na.jpg;\"a;b\"\r\n", labeled("a;b"), nil},
		{"tabs and UTF-16, as Excel has it", utf16Text("image\tlabel\na.jpg\tMüller, \"x\"\n", binary.LittleEndian), labeled(`Müller, "x"`), nil},
		{"old line ends and a mark", "\ufeffimage,label\r\n\r\n\"a.jpg\",\"say \"\"x\"\"\"\r\n", labeled(`say "x"`), nil},
		{"other names of columns", "File_Name,Width,Height,Class Name,x1,y1,x2,y2\na.jpg,100,80,cat,1,2,31,42\n", detected(cat), nil},
		{"sides", "image_id,x,y,w,h,category\na.jpg,1,2,30,40,cat\n", detected(cat), nil},
		{"an image without objects", "image,xmin,ymin,xmax,ymax,label\na.jpg,,,,,\n", detected(), nil},
		{"a split", "image,label,split\na.jpg,cat,Validation\n", flat{Name: "a.jpg", Split: Test, Kind: Classification, Labels: []string{"cat"}}, nil},
		{"no split", "image,label,split\na.jpg,cat,perhaps\na.jpg,cat,\n", labeled("cat"), []string{`labels.csv:2: "perhaps" is no split`}},
		{"two splits", "image,label,split\na.jpg,cat,train\na.jpg,dog,test\n", flat{Name: "a.jpg", Split: Train, Kind: Classification, Labels: []string{"cat"}}, []string{"labels.csv:3: a.jpg is in train already"}},
		{"bad rows", "a.jpg,cat\n\"a.jpg,cat\n\xff,x\ngone.jpg,x\n../b.jpg,x\na.jpg,\"a\"b\n", labeled("cat"),
			[]string{"labels.csv:2: a quote is not closed", "labels.csv:3: it is not UTF-8", `labels.csv:4: the image "gone.jpg" is not`, `labels.csv:5: the image "../b.jpg" leads out`, `labels.csv:6: "b" follows a quoted cell`}},
		{"bad boxes", "image,xmin,ymin,xmax,ymax,label\na.jpg,1,2,31,42,cat\na.jpg,x,2,31,42,cat\na.jpg,1,2,31,42,\na.jpg,1,2,500,42,dog\n", detected(cat),
			[]string{`labels.csv:3: "x" is no number of pixels`, "labels.csv:4: a box has one label, not 0", `a.jpg: "dog": the box from (1, 2) to (500, 42) leaves`}},
		{"bad boxes alone", "image,xmin,ymin,xmax,ymax,label\na.jpg,x,2,31,42,cat\n", flat{Name: "a.jpg"}, []string{"labels.csv:2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkRead(t, map[string]string{"a.jpg": "image", "labels.csv": tt.text}, CSV, Options{}, []flat{tt.want}, tt.problems)
		})
	}
}

// TestCSVHeaders: a first row that is not understood is an error that says
// what is.
func TestCSVHeaders(t *testing.T) {
	for _, text := range []string{"foo,bar\na.jpg,cat\n", "image,xmin,ymin,label\na.jpg,1,2,cat\n", "image,xmin,ymin,xmax,ymax\na.jpg,1,2,3,4\n", ""} {
		_, err := Open(folder(t, map[string]string{"a.jpg": "image", "labels.csv": text}), CSV, Options{})
		if err == nil || text != "" && !strings.Contains(err.Error(), "labels.csv:1") {
			t.Errorf("%q: err = %v", text, err)
		}
	}
}

// TestLookoutCSV: labels in CSV say what Lookout for Vision knows (LV-13.19c).
func TestLookoutCSV(t *testing.T) {
	files := map[string]string{"labels.csv": "1.jpg,normal\n2.jpg,Anomaly\n3.jpg,cat\n4.jpg\n"}
	for i := range 4 {
		files[fmt.Sprintf("%d.jpg", i+1)] = "image"
	}
	checkRead(t, files, CSV, Options{Service: Lookout}, []flat{{Name: "1.jpg", Kind: Normal}, {Name: "2.jpg", Kind: Anomalous}, {Name: "3.jpg"}, {Name: "4.jpg"}},
		[]string{`3.jpg has the labels ["cat"]: Lookout for Vision knows "normal" and "anomaly"`})
}
