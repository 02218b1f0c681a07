package exchange

import (
	"path"
	"slices"
	"strings"
)

const maxList = 256 << 20 // bytes of a list of images

// vocSets are the splits of images by ImageSets/Main/train.txt and so on. The
// key is the path of the image without JPEGImages, and without its extension,
// unless the list has it; in loose, what plain makes of it.
type vocSets struct {
	exact, loose map[string]Split
}

// vocSets reads the lists. trainval.txt decides of those that are in no other.
func (c *collection) vocSets() *vocSets {
	s := &vocSets{map[string]Split{}, map[string]Split{}}
	for _, weak := range []bool{false, true} {
		for _, i := range c.images.having(".txt") {
			f := &c.images.files[i]
			word := strings.ToLower(stem(path.Base(f.name)))
			dirs := strings.Split(path.Dir(f.name), "/")
			at := len(dirs) - 1
			for at >= 0 && !strings.EqualFold(dirs[at], "ImageSets") {
				at--
			}
			if at < 0 || splits[word] == NoSplit && word != allImages || (word == "trainval") != weak {
				continue
			}
			c.problems.add(c.readSet(f, path.Join(dirs[:at]...), splits[word], weak, s))
		}
	}
	return s
}

// readSet adds the images of a list.
func (c *collection) readSet(f *file, root string, split Split, weak bool, s *vocSets) error {
	text, err := c.images.text(f, maxList)
	if err != nil {
		return err
	}
	for line := range strings.Lines(text) {
		id := strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(id) == "" {
			continue
		}
		if old := s.add(root, id, split); old != split && !weak {
			c.problems.addf("%s lists %.200q, which is also in a list for %s: it is taken for %s", f.name, id, old, old)
		}
	}
	return nil
}

// add gives an image a split if it has none, and returns the one it has.
func (s *vocSets) add(root, id string, split Split) Split {
	for _, name := range []string{id, strings.TrimSpace(id)} {
		key := path.Join(root, name)
		if old, ok := s.exact[key]; ok {
			return old
		}
		s.exact[key], s.loose[plain(key)] = split, split
	}
	return split
}

// of returns the split of an image; if there are no lists, that of its
// folders.
func (s *vocSets) of(name string) Split {
	if len(s.exact) == 0 {
		return splitIn(path.Dir(name))
	}
	dirs := strings.Split(name, "/")
	for i := len(dirs) - 2; i >= 0; i-- {
		if dirs[i] == "JPEGImages" {
			dirs = slices.Delete(dirs, i, i+1)
			break
		}
	}
	key := strings.Join(dirs, "/")
	for _, key := range []string{key, stem(key)} {
		if split, ok := s.exact[key]; ok {
			return split
		}
	}
	return s.loose[plain(stem(name))]
}
