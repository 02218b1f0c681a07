package exchange

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The columns of CSV that mean something, by what headers call them.
var columns = map[string]column{
	"image": imageColumn, "imagefile": imageColumn, "imagename": imageColumn, "imagepath": imageColumn, "imageid": imageColumn,
	"img": imageColumn, "imgpath": imageColumn, "filename": imageColumn, "file": imageColumn, "filepath": imageColumn,
	"path": imageColumn, "imageurl": imageColumn, "url": imageColumn, "sourceref": imageColumn, "imageuri": imageColumn,
	"label": labelColumn, "labels": labelColumn, "class": labelColumn, "classname": labelColumn, "category": labelColumn,
	"labelname": labelColumn, "categoryname": labelColumn, "tag": labelColumn, "tags": labelColumn, "name": labelColumn,
	"xmin": leftColumn, "x1": leftColumn, "left": leftColumn, "minx": leftColumn, "xtl": leftColumn, "x": leftColumn,
	"ymin": topColumn, "y1": topColumn, "top": topColumn, "miny": topColumn, "ytl": topColumn, "y": topColumn,
	"xmax": rightColumn, "x2": rightColumn, "right": rightColumn, "maxx": rightColumn, "xbr": rightColumn,
	"ymax": bottomColumn, "y2": bottomColumn, "bottom": bottomColumn, "maxy": bottomColumn, "ybr": bottomColumn,
	"width": widthColumn, "w": widthColumn, "boxwidth": widthColumn, "bboxwidth": widthColumn,
	"height": heightColumn, "h": heightColumn, "boxheight": heightColumn, "bboxheight": heightColumn,
	"split": splitColumn, "set": splitColumn, "subset": splitColumn, "usage": splitColumn, "partition": splitColumn, "datasettype": splitColumn,
}

// A column is what the cells of a column mean.
type column int

const (
	otherColumn column = iota
	imageColumn
	labelColumn
	leftColumn
	topColumn
	rightColumn
	bottomColumn
	widthColumn // of the box; of the image if there is a right edge
	heightColumn
	splitColumn
	columnKinds
)

// A csvLayout says where in a row things are.
type csvLayout struct {
	at     [columnKinds]int // -1 if there is no such column
	labels []int            // columns of labels
	rest   int              // from which column on there are only labels; -1 if they are none
	header bool             // the first row names the columns
}

// boxed tells whether rows are boxes.
func (l *csvLayout) boxed() bool { return l.at[leftColumn] >= 0 }

// layoutOf returns the layout of a file that begins with that row. Without
// names of columns it is one of the two that AWS's scripts for Custom Labels
// read: image, label, label, …, or image, xmin, ymin, xmax, ymax, label.
func layoutOf(row []string) (*csvLayout, error) {
	l := headerOf(row)
	if l.at[imageColumn] >= 0 && (len(l.labels) > 0 || l.boxed()) {
		return l, l.check()
	}
	if len(row) == 0 || !isImage(row[0]) {
		return nil, fmt.Errorf("the first row %.60q neither names columns, such as image,label or image,xmin,ymin,xmax,ymax,label, nor begins with the name of an image", row)
	}
	for k := range l.at {
		l.at[k] = -1
	}
	*l = csvLayout{at: l.at, rest: 1}
	l.at[imageColumn] = 0
	if len(row) == 6 && isNumber(row[1]) && isNumber(row[2]) && isNumber(row[3]) && isNumber(row[4]) {
		l.at[leftColumn], l.at[topColumn], l.at[rightColumn], l.at[bottomColumn] = 1, 2, 3, 4
		l.labels, l.rest = []int{5}, -1
	}
	return l, nil
}

// headerOf returns the layout by the names of columns.
func headerOf(row []string) *csvLayout {
	l := &csvLayout{rest: -1, header: true}
	for k := range l.at {
		l.at[k] = -1
	}
	for i, cell := range row {
		word := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, cell)
		kind, ok := columns[word]
		if !ok && strings.TrimRight(word, "0123456789") == "label" {
			kind = labelColumn
		}
		if kind == labelColumn {
			l.labels = append(l.labels, i)
		} else if l.at[kind] < 0 {
			l.at[kind] = i
		}
	}
	if n := len(l.labels); n > 0 && l.labels[n-1] == len(row)-1 && !l.boxed() {
		l.rest = len(row)
	}
	return l
}

// check says what is missing of the columns of boxes.
func (l *csvLayout) check() error {
	corners := l.at[rightColumn] >= 0 && l.at[bottomColumn] >= 0
	sides := l.at[widthColumn] >= 0 && l.at[heightColumn] >= 0
	if l.boxed() && (l.at[topColumn] < 0 || !corners && !sides) {
		return errors.New("the columns of boxes are incomplete: xmin, ymin, xmax and ymax are needed, or x, y, width and height")
	}
	if l.boxed() && len(l.labels) == 0 {
		return errors.New("there is no column with the labels of the boxes: name it label")
	}
	return nil
}

func isNumber(cell string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(cell), 64)
	return err == nil
}
