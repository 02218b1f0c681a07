package transfer

import (
	"bufio"
	"encoding/json"
	"os"
	"path"
)

// A writtenLog remembers where an export in another form has written the image
// of each name, so that one that was interrupted need not fetch them again. It
// is a hint only: what is there is compared with the object.
type writtenLog struct {
	before map[string]string // paths by name, of runs before
	f      *os.File
	err    error
}

// A writtenLine is a line of the log.
type writtenLine struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

const writtenFile = workFolder + "/written.jsonl"

func (x *exporter) openLog() (*writtenLog, error) {
	f, err := x.root.OpenFile(writtenFile, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	l := &writtenLog{before: map[string]string{}, f: f}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var line writtenLine
		if json.Unmarshal(sc.Bytes(), &line) == nil { // the last one may have been cut off
			l.before[line.Name] = line.Path
		}
	}
	return l, nil
}

// path returns the path in the folder where the image of a name was written,
// "" if that is not known.
func (l *writtenLog) path(name string) string { return l.before[name] }

// add notes where an image was written.
func (l *writtenLog) add(name, file string) {
	line, err := json.Marshal(writtenLine{name, path.Clean(file)})
	if err == nil {
		_, err = l.f.Write(append([]byte{'\n'}, line...)) // after what may have been cut off
	}
	if err != nil && l.err == nil {
		l.err = err
	}
}

func (l *writtenLog) close() { l.f.Close() }
