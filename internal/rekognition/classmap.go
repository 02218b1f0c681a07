package rekognition

import (
	"bytes"
	"strconv"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// smallIDs is the number of class ids, from 0, that are found without hashing.
const smallIDs = 1024

// A class is an entry of a class map.
type class struct {
	id   int64
	node int        // of the label name
	name *lint.Name // nil if it is not right
	used bool       // by a valid annotation
}

// A classMap finds classes by their id. It is made for maps of hundreds of
// classes in every line: reading one costs a few steps per class, and nothing
// is cleared between lines. Most lines have the map of the line before: one
// that was right is compared as text, and not read again.
type classMap struct {
	classes []class
	small   [smallIDs]struct {
		round uint64
		index int32
	}
	large map[int64]int
	round uint64 // counts the maps that were read

	text []byte // of the map, if nothing was said about it; else empty
	node int    // of the map in its line
	age  int    // of the names
}

// again makes the map, whose text may be that of a map at node in a new line,
// that map, and reports whether it is.
func (m *classMap) again(text []byte, node, age int) bool {
	if !bytes.Equal(m.text, text) || m.age != age {
		return false
	}
	for i := range m.classes {
		c := &m.classes[i]
		c.node += node - m.node
		c.used = false
	}
	m.node = node
	return true
}

// keep keeps the text of the map at node, for again.
func (m *classMap) keep(text []byte, node, age int) {
	m.text, m.node, m.age = append(m.text[:0], text...), node, age
}

// reset empties the map.
func (m *classMap) reset() {
	m.classes, m.text = m.classes[:0], m.text[:0]
	clear(m.large)
	m.round++
}

// find returns the class of that id, nil if there is none.
func (m *classMap) find(id int64) *class {
	if id >= 0 && id < smallIDs {
		if s := &m.small[id]; s.round == m.round {
			return &m.classes[s.index]
		}
		return nil
	}
	if i, ok := m.large[id]; ok {
		return &m.classes[i]
	}
	return nil
}

// add adds a class of an id that the map does not have.
func (m *classMap) add(id int64, c class) {
	i := len(m.classes)
	m.classes = append(m.classes, c)
	if id >= 0 && id < smallIDs {
		m.small[id].round, m.small[id].index = m.round, int32(i)
		return
	}
	if m.large == nil {
		m.large = map[int64]int{}
	}
	m.large[id] = i
}

// listed returns the first ids, for people to read.
func (m *classMap) listed() string {
	const most = 8
	s := ""
	for i := range m.classes {
		switch {
		case i == 0:
			s = ": " + strconv.FormatInt(m.classes[i].id, 10)
		case i < most:
			s += ", " + strconv.FormatInt(m.classes[i].id, 10)
		case i == most:
			s += ", …"
		}
	}
	return s
}

// readClasses reads the class map at node. Names of a wrong length are left to
// checkNames, because their error stops nothing (CL-6.50): they have no Name.
func (c *checker) readClasses(a *attribute, m *metadata) {
	text := c.doc.Raw(m.classMap)
	if m.classMap != 0 && c.classes.again(text, m.classMap, c.names.Age()) {
		return
	}
	c.classes.reset()
	said := c.found.Count()
	switch {
	case m.classMap == 0:
		c.lack(a, codeMetadata, m.node, m.node, "class-map", "an object of class ids and label names", `Add "class-map" to the metadata, as in {"0":"cat","1":"dog"}.`)
		return
	case c.doc.Type(m.classMap) != manifest.Object:
		c.fault(a, codeMetadata, m.node, m.classMap, "an object of class ids and label names", `Write an object, as in {"0":"cat","1":"dog"}.`)
		return
	}
	for k, end := m.classMap+1, c.doc.Next(m.classMap); k < end; k = c.doc.Next(k + 1) {
		if c.doc.Type(k+1) != manifest.String {
			c.fault(a, codeMetadata, m.node, k+1, "a label name", "Write the name of the label as a string.")
		}
		if id, ok := parseID(c.doc.Key(k)); ok {
			c.addClass(m, k, id)
			continue
		}
		c.found.Add(m.node, k+1, manifest.Problem{
			Code: warnClassMapKey, Message: messages[warnClassMapKey], Found: "the key " + lint.Quote(c.doc.Key(k)),
			Expected: `a class id, such as "0"`, Mend: c.mendClassKey(k),
		})
	}
	if c.found.Count() == said {
		c.classes.keep(text, m.classMap, c.names.Age())
	}
}

// addClass adds the class at k to the class map.
func (c *checker) addClass(m *metadata, k int, id int64) {
	cl := class{node: k + 1, id: id}
	if text := c.doc.Str(k+1, nil); rightLength(text) {
		cl.name = c.names.Get(text)
		c.checkOdd(m, k+1, cl.name)
		if cl.name.Mark == c.classes.round {
			c.warn(warnSameClass, m.node, k+1, "another name", "Give one of the classes another name, if they are two labels.")
		}
		cl.name.Mark = c.classes.round
	}
	if old := c.classes.find(id); old != nil {
		c.warn(warnDuplicateKey, m.node, k+1, "each key once", "Remove all but one of them.")
		*old = cl
		return
	}
	c.classes.add(id, cl)
}

// mendClassKey says what to do about the key of a class map at k that is no id.
func (c *checker) mendClassKey(k int) string {
	if _, ok := parseID(c.doc.Str(k+1, nil)); ok {
		return "Swap the key and the value: the class id is the key, the name the value."
	}
	return "Write the class id as a decimal number, without leading zeros."
}

// checkNames checks the lengths of the label names in the class map (CL-6.46).
func (c *checker) checkNames(a *attribute, m *metadata) {
	for i := range c.classes.classes {
		if cl := &c.classes.classes[i]; cl.name == nil && c.doc.Type(cl.node) == manifest.String {
			c.checkLabel(a, m, cl.node, c.doc.Str(cl.node, nil))
		}
	}
}

// addBoxLabels adds the labels of a valid attribute to the entry: those of its
// boxes as used, those that are only in the class map as declared (OQ-25).
func (c *checker) addBoxLabels() {
	for i := range c.classes.classes {
		cl := &c.classes.classes[i]
		label := c.names.Label(c.entry, cl.name)
		if cl.used {
			label.Used, label.Boxed = true, true
		}
	}
}

// parseID returns the class id that a key of a class map is: a whole number as
// JSON writes it, because it is compared as text.
func parseID(key []byte) (int64, bool) {
	digits := key
	if len(key) > 0 && key[0] == '-' {
		digits = key[1:]
	}
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(key) > 1 {
		return 0, false
	}
	id := int64(0)
	for _, d := range digits {
		if d-'0' >= 10 {
			return 0, false
		}
		id = id*10 + int64(d-'0')
	}
	if key[0] == '-' {
		id = -id
	}
	return id, true
}
