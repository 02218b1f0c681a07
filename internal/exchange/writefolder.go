package exchange

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// A folderEncoder writes images into folders named for their splits and
// labels, masks beside them, and masks.csv, which says what the colours of the
// masks mean.
type folderEncoder struct {
	w      *writer
	parted *bool // whether images have splits, as the first one said
	colors *part
}

func newFolderEncoder(w *writer) *folderEncoder { return &folderEncoder{w: w} }

// place implements encoder.
func (e *folderEncoder) place(img *Image) (string, error) {
	label, err := folderOf(img)
	if err != nil {
		return "", err
	}
	parted := img.Split != NoSplit
	if e.parted == nil {
		e.parted = &parted
	}
	if parted != *e.parted {
		return "", errors.New("some images have a split and others have none, which folders cannot say: distribute them first")
	}
	if to := e.kept(img, label); to != "" {
		return to, nil
	}
	dirs := []string{label, img.Name}
	if parted {
		dirs = slices.Insert(dirs, 0, string(img.Split))
	} else if first, _, ok := strings.Cut(img.Name, "/"); ok && splitOf(first) != NoSplit {
		dirs = slices.Insert(dirs, 1, "images") // or else it would read as a split
	}
	to := path.Join(dirs...)
	if img.Kind == Anomalous && verdictFrom(to, "").mask {
		return "", errors.New("its name reads as that of a mask: rename it")
	}
	return to, checkPath(to)
}

// folderOf returns the folder that is named for the label of an image.
func folderOf(img *Image) (string, error) {
	switch img.Kind {
	case Unlabeled:
		return unlabelled[0], nil
	case Normal:
		return "normal", nil
	case Anomalous:
		return "anomaly", nil
	case Detection:
		return "", fmt.Errorf("folders cannot hold boxes: write it as %s, %s or %s", COCO, VOC, YOLO)
	}
	if len(img.Labels) != 1 {
		return "", fmt.Errorf("it has %d labels, and can be in one folder", len(img.Labels))
	}
	label := img.Labels[0]
	clean, err := checkLabel(label)
	switch {
	case err != nil:
		return "", err
	case clean != label || strings.Contains(label, "/") || checkPath(label) != nil:
		return "", fmt.Errorf("the label %q can be no folder", label)
	case splitOf(label) != NoSplit && img.Split == NoSplit:
		return "", fmt.Errorf("the label %q reads as a split where images have none: distribute them first", label)
	case isOneOf(label, unlabelled), isOneOf(label, neutral):
		return "", fmt.Errorf("a folder %q reads as one without a label", label)
	}
	return label, nil
}

// kept returns the name of an image if it says already what it would, as that
// of one that was read from folders does; or "".
func (e *folderEncoder) kept(img *Image, label string) string {
	var split Split
	switch img.Kind {
	case Normal, Anomalous:
		v := verdictFrom(img.Name, "")
		if v.mask || !v.folder || v.kind != img.Kind {
			return ""
		}
		split = v.split
	default:
		var folder string
		if split, folder = placeOf(img.Name, "", *e.parted); folder != label {
			return ""
		}
	}
	if split != img.Split {
		return ""
	}
	return img.Name
}

// add implements encoder.
func (e *folderEncoder) add(img *Image, to string) error {
	if img.Kind != Anomalous || img.Mask == nil {
		return nil
	}
	mask := maskPath(img.Split, to)
	if err := e.w.claim(img.Mask.Name, mask); err != nil {
		return err
	}
	if err := e.w.out.copy(mask, img.Mask.Size, img.Mask.Open); err != nil {
		return fmt.Errorf("its mask %s: %w", img.Mask.Name, err)
	}
	return e.state(to, mask, img.Mask.Labels)
}

// maskPath returns the path of the mask of an image.
func maskPath(split Split, to string) string {
	return path.Join(string(split), "masks", strings.TrimPrefix(stem(to), string(split)+"/")+".png")
}

// state adds the rows of a mask to masks.csv.
func (e *folderEncoder) state(img, mask string, labels map[string]string) error {
	if e.colors == nil {
		var err error
		if e.colors, err = e.w.out.part(maskLabels); err != nil {
			return &fatal{err}
		}
		e.colors.w.WriteString("image,mask,color,label\n")
	}
	colors := slices.Sorted(maps.Keys(labels))
	if len(colors) == 0 {
		colors = []string{""}
	}
	for _, c := range colors {
		row := []string{img, mask, c, labels[c]}
		for i := range row {
			row[i] = `"` + strings.ReplaceAll(row[i], `"`, `""`) + `"`
		}
		if _, err := e.colors.w.WriteString(strings.Join(row, ",") + "\n"); err != nil {
			return &fatal{err}
		}
	}
	return nil
}

// finish implements encoder.
func (e *folderEncoder) finish() error {
	if e.colors == nil {
		return nil
	}
	return e.colors.publish()
}

// close implements encoder.
func (e *folderEncoder) close() { e.colors.discard() }
