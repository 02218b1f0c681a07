package exchange

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// unlabelled are the names of folders whose images have no label, and neutral
// those that say nothing of their images.
var (
	unlabelled = []string{"unlabelled", "unlabeled", "unknown", "extra", "extra_images"}
	neutral    = []string{"images", "image", "imgs"}
)

// isOneOf tells whether a folder has one of the names, in any case.
func isOneOf(dir string, names []string) bool { return slices.Contains(names, strings.ToLower(dir)) }

// verdicts are the words for what Lookout for Vision knows of an image.
var verdicts = map[string]Kind{
	"normal": Normal, "good": Normal, "ok": Normal, "0": Normal,
	"anomaly": Anomalous, "anomalies": Anomalous, "anomalous": Anomalous, "abnormal": Anomalous, "bad": Anomalous,
	"defect": Anomalous, "defects": Anomalous, "defective": Anomalous, "ng": Anomalous, "nok": Anomalous, "1": Anomalous,
}

// verdictOf returns what a folder is named for, Unlabeled if it is another.
func verdictOf(folder string) Kind {
	word := strings.ToLower(folder)
	if word == "0" || word == "1" { // only in CSV
		return Unlabeled
	}
	return verdicts[word]
}

// loadFolder takes the labels of the images from the folders they are in.
func (c *collection) loadFolder(service string) error {
	c.choose(func(int32) bool { return true })
	if len(c.files) == 0 {
		return errors.New("there are no images")
	}
	if service == Lookout {
		return c.loadVerdicts()
	}
	top := c.topOf(func(dir string) bool { return splitOf(dir) != NoSplit })
	parted := c.isParted(top)
	c.annotate = func(_ int32, img *Image) []error {
		var folder string
		img.Split, folder = placeOf(img.Name, top, parted)
		if folder == "" || isOneOf(folder, unlabelled) || isOneOf(folder, neutral) {
			return nil
		}
		label, err := checkLabel(folder)
		if err != nil {
			return []error{err}
		}
		img.Kind, img.Labels = Classification, []string{label}
		return nil
	}
	return nil
}

// topOf returns the folder below which the names of folders count, with its
// slash: "" for the collection, or a single folder in it that all images are
// in, if all folders in that are said to be parts of a collection; in an
// archive, also if all images in it are in folders.
func (c *collection) topOf(part func(dir string) bool) string {
	top := c.images.files[c.files[0]].name
	top = top[:strings.Index(top, "/")+1]
	if top == "" || part(strings.TrimSuffix(top, "/")) {
		return ""
	}
	packed := c.images.packed
	for _, i := range c.files {
		rest, ok := strings.CutPrefix(c.images.files[i].name, top)
		dir, _, deeper := strings.Cut(rest, "/")
		if !ok || !deeper || !packed && !part(dir) {
			return ""
		}
	}
	return top
}

// isParted tells whether the folders below top are splits: all of them, or
// some of each kind.
func (c *collection) isParted(top string) bool {
	found := map[Split]bool{}
	for _, i := range c.files {
		dir, _, ok := strings.Cut(strings.TrimPrefix(c.images.files[i].name, top), "/")
		if ok {
			found[splitOf(dir)] = true
		}
	}
	return found[Train] && found[Test] || (found[Train] || found[Test]) && !found[NoSplit]
}

// placeOf returns the split of an image and the folder that may be its label,
// "" if there is none: the first below top, or below the folder of the split
// (CL-14.6).
func placeOf(name, top string, parted bool) (Split, string) {
	dirs := strings.Split(strings.TrimPrefix(name, top), "/")
	dirs = dirs[:len(dirs)-1]
	split := NoSplit
	if parted && len(dirs) > 0 {
		if split = splitOf(dirs[0]); split != NoSplit {
			dirs = dirs[1:]
		}
	}
	if len(dirs) == 0 {
		return split, ""
	}
	return split, dirs[0]
}

// A verdict is what the path of an image says of it to Lookout for Vision.
type verdict struct {
	split  Split
	kind   Kind
	defect string // folder named for a defect, as in MVTec AD
	mask   bool   // it is a mask
	folder bool   // a folder says the kind, and not the file's name
}

// verdictFrom returns what a path says below top: the first folder that is
// named for a split, then one for normal, anomalous or unlabelled images, or
// masks (LV-5.63). Without one, a folder beside those may be named for a defect; and
// without any folder, a word of the file's name may say what it is.
func verdictFrom(name, top string) (v verdict) {
	dirs := strings.Split(strings.TrimPrefix(name, top), "/")
	base := stem(dirs[len(dirs)-1])
	dirs = dirs[:len(dirs)-1]
	named := isMask(base)
	if v.mask = named; named {
		base = base[:len(base)-len("_mask")]
	}
	for _, dir := range dirs {
		if isMaskFolder(dir) {
			v.mask, named = true, false
			continue
		}
		if v.kind = verdictOf(dir); v.kind != Unlabeled {
			v.folder, v.defect = true, ""
			v.mask = v.mask && (!named || v.kind == Anomalous)
			return v
		}
		if isOneOf(dir, unlabelled) {
			v.folder, v.defect, v.mask = true, "", v.mask && !named
			return v
		}
		if s := splitOf(dir); s != NoSplit && v.split == NoSplit {
			v.split, v.defect = s, ""
		} else if (v.defect == "" || v.split == NoSplit) && !isOneOf(dir, neutral) {
			v.defect = dir
		}
	}
	for _, word := range strings.FieldsFunc(base, func(r rune) bool { return strings.ContainsRune("_-. ", r) }) {
		if k := verdictOf(word); k != Unlabeled && v.kind == Unlabeled {
			v.kind = k
		}
	}
	return v
}

// loadVerdicts takes what Lookout for Vision knows of the images from the
// folders they are in, and finds their masks.
func (c *collection) loadVerdicts() error {
	top := c.topOf(func(dir string) bool {
		return splitOf(dir) != NoSplit || verdictOf(dir) != Unlabeled || isMaskFolder(dir) || isOneOf(dir, unlabelled)
	})
	m, err := c.findMasks(top)
	if err != nil {
		return err
	}
	c.files = slices.DeleteFunc(c.files, func(i int32) bool { return m.masks[i] })
	c.annotate = func(i int32, img *Image) []error {
		v := m.verdictOf(img.Name)
		img.Split, img.Kind = v.split, v.kind
		if img.Kind != Anomalous {
			return nil
		}
		mask, err := m.of(i, img, v.defect)
		if err != nil {
			return []error{err}
		}
		img.Mask = mask
		return nil
	}
	return nil
}

// verdictOf returns what a path says, and that folders named for defects are
// of anomalous images if others are of normal ones.
func (m *masks) verdictOf(name string) verdict {
	v := verdictFrom(name, m.top)
	switch {
	case v.defect == "" || v.folder:
	case m.hasNormal:
		v.kind = Anomalous
	default:
		v.defect = ""
	}
	return v
}

// isMask tells whether a file is named as a mask.
func isMask(base string) bool {
	base = strings.ToLower(base)
	return strings.HasSuffix(base, "_mask") || strings.HasSuffix(base, "-mask")
}

// isMaskFolder tells whether a folder is named for masks.
func isMaskFolder(dir string) bool {
	word := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(dir))
	return slices.Contains([]string{"mask", "masks", "maskimages", "groundtruth"}, word)
}

// maskKey returns what the path of an image and that of its mask have in
// common: all but the words that say what they are, in NFC.
func maskKey(name, top string) string {
	dirs := strings.Split(stem(strings.TrimPrefix(name, top)), "/")
	base := dirs[len(dirs)-1]
	dirs = slices.DeleteFunc(dirs[:len(dirs)-1], func(d string) bool {
		return splitOf(d) != NoSplit || verdictOf(d) != Unlabeled || isMaskFolder(d) || isOneOf(d, neutral)
	})
	if isMask(base) {
		base = base[:len(base)-len("_mask")]
	}
	return composed(path.Join(append(dirs, base)...))
}
