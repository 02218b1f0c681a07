package lint

import (
	"strings"

	"fovea/internal/manifest"
)

// maxGuess bounds the words that are compared, in bytes, and maxKeys the keys
// of an object that are looked at.
const (
	maxGuess = 64
	maxKeys  = 64
)

// Quote returns a key or value in quotation marks, shortened, for messages.
func Quote(text []byte) string { return `"` + manifest.Excerpt(text, Found) + `"` }

// Meant returns the word that somebody who wrote word may have meant: one that
// is equal but for case, blanks and signs, or a few letters apart; the nearest,
// and of several the first. It is "" if none is near.
func Meant(word string, words ...string) string {
	if len(word) > maxGuess {
		return ""
	}
	plain := plainWord(word)
	for _, w := range words {
		if plainWord(w) == plain {
			return w
		}
	}
	meant, least := "", maxGuess
	for _, w := range words {
		p := plainWord(w)
		if d := distance(plain, p); d < least && d <= slips(len(p)) {
			meant, least = w, d
		}
	}
	return meant
}

// MeantKey returns the index of the key in the object at that was probably
// meant to be name, or -1.
func MeantKey(doc *manifest.Doc, object int, name string) int {
	if doc.Type(object) != manifest.Object {
		return -1
	}
	seen := 0
	for k, end := object+1, doc.Next(object); k < end && seen < maxKeys; k = doc.Next(k + 1) {
		if Meant(string(doc.Key(k)), name) != "" {
			return k
		}
		seen++
	}
	return -1
}

// plainWord returns the letters and digits of a word in lower case.
func plainWord(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', ' ', '.', '/', ':', '\t':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// slips returns how many letters of a word of n may be wrong.
func slips(n int) int {
	switch {
	case n < 5:
		return 0
	case n < 9:
		return 1
	}
	return 2
}

// distance returns how many letters must be added, dropped, changed or swapped
// with their neighbour to make b of a (Damerau-Levenshtein, restricted).
func distance(a, b string) int {
	if len(a) > maxGuess || len(b) > maxGuess {
		return maxGuess
	}
	var rows [3][maxGuess + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
