package exchange

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// structural are the names of folders that say what is in them, and not which.
var structural = []string{"images", "jpegimages", "labels", "annotations", "xmls", "imgs", "img", "ann"}

// plain returns a path without the folders that images and annotations do not
// have in common: images/train/1 and labels/train/1 are both train/1. It is in
// NFC.
func plain(name string) string {
	dir, base := path.Split(name)
	dirs := slices.DeleteFunc(strings.Split(dir, "/"), func(d string) bool {
		return d == "" || slices.Contains(structural, strings.ToLower(d))
	})
	return composed(strings.Join(append(dirs, base), "/"))
}

// twin returns a path with the last folder of one name called by another, and
// without its extension.
func twin(name, from, to string) string {
	dirs := strings.Split(stem(name), "/")
	for i := len(dirs) - 2; i >= 0; i-- {
		if dirs[i] == from {
			dirs[i] = to
			break
		}
	}
	return strings.Join(dirs, "/")
}

// pairs are the images by the paths that their annotations may have, without
// the extension: first the path that the form prescribes, then what plain makes
// of it, in case that the folders are called otherwise.
type pairs struct {
	exact, loose map[string][]int32
}

// pairsOf returns the images by the paths of their annotations, of which exact
// returns those that the form prescribes for an image.
func (c *collection) pairsOf(exact func(name string) []string) *pairs {
	p := &pairs{map[string][]int32{}, map[string][]int32{}}
	for i, f := range c.images.files {
		if !isImage(f.name) {
			continue
		}
		for _, key := range exact(f.name) {
			p.exact[key] = append(p.exact[key], int32(i))
		}
		key := plain(stem(f.name))
		p.loose[key] = append(p.loose[key], int32(i))
	}
	return p
}

// of returns the images that an annotation may be of.
func (p *pairs) of(note string) []int32 {
	if found := p.exact[stem(note)]; len(found) > 0 {
		return found
	}
	return p.loose[plain(stem(note))]
}

// match makes a file of annotations in t that of an image, which must have
// none.
func (c *collection) match(noteOf map[int32]int32, image int32, t *tree, note int) error {
	if old, ok := noteOf[image]; ok {
		return fmt.Errorf("%s and %s are both of %s: the first one is taken", t.files[old].name, t.files[note].name, c.images.files[image].name)
	}
	noteOf[image] = int32(note)
	return nil
}

// choose makes the images of the collection those that are mentioned, or all
// if no particular annotations are asked for.
func (c *collection) choose(mentioned func(i int32) bool) {
	for i, f := range c.images.files {
		if i := int32(i); isImage(f.name) && (!c.only || mentioned(i)) {
			c.files = append(c.files, i)
		}
	}
}

// detected makes the image one whose objects are known, unless none are left
// and there is doubt because some were refused.
func (img *Image) detected(doubt bool) {
	if len(img.Boxes) > 0 || !doubt {
		img.Kind = Detection
	}
}
