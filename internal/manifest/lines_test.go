package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A kept is a line with a text of its own.
type kept struct {
	Text        string
	Offset      int64
	Size, Chars int64
	Long        bool
}

// splitNaively returns the lines of a whole file.
func splitNaively(file []byte, maxBytes int) (lines []kept) {
	offset := int64(0)
	if bytes.HasPrefix(file, bom) {
		file, offset = file[len(bom):], int64(len(bom))
	}
	for len(file) > 0 {
		text, rest, found := strings.Cut(string(file), "\n")
		next := offset + int64(len(file)-len(rest))
		if found {
			text = strings.TrimSuffix(text, "\r")
		}
		line := kept{Text: text, Offset: offset, Size: int64(len(text))}
		if len(text) > maxBytes {
			line.Text, line.Long, line.Chars = "", true, int64(utf8.RuneCountInString(text))
		}
		lines = append(lines, line)
		file, offset = []byte(rest), next
	}
	return lines
}

// collect reads all lines of a range.
func collect(t interface{ Fatalf(string, ...any) }, l *Lines) (lines []kept) {
	for {
		line, ok := l.Next()
		if !ok {
			break
		}
		got := kept{Text: string(line.Text), Offset: line.Offset, Size: line.Size}
		if line.Bad != nil {
			got.Long, got.Chars = true, line.Bad.Chars
			if line.Bad.Reason != TooLong || line.Text != nil {
				t.Fatalf("bad line = %+v, text %q", *line.Bad, line.Text)
			}
		}
		lines = append(lines, got)
		if line.Number != int64(len(lines)) || l.Count() != line.Number {
			t.Fatalf("line %d has number %d, count %d", len(lines), line.Number, l.Count())
		}
	}
	if _, ok := l.Next(); ok {
		t.Fatalf("a line after the last")
	}
	if l.Err() != nil {
		t.Fatalf("Err = %v", l.Err())
	}
	return lines
}

// collectCut reads all lines of a file in ranges that meet at the cuts.
func collectCut(t interface{ Fatalf(string, ...any) }, file []byte, cuts []int, maxBytes int) (lines []kept) {
	slices.Sort(cuts)
	l := NewLines(nil, 0, 0, 0, maxBytes)
	start := 0
	for _, cut := range append(cuts, len(file)) {
		l.Reset(bytes.NewReader(file), int64(len(file)), int64(start), int64(cut))
		lines = append(lines, collect(t, l)...)
		start = cut
	}
	return lines
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"empty", "", nil},
		{"one", "a", []string{"0 a"}},
		{"no last newline", "a\nbc", []string{"0 a", "2 bc"}},
		{"last newline (CL-5.6)", "a\nbc\n", []string{"0 a", "2 bc"}},
		{"blank lines", "\n\na\n\r\n \n", []string{"0 ", "1 ", "2 a", "4 ", "6  "}},
		{"CRLF (CL-5.7)", "a\r\nb\r\n", []string{"0 a", "3 b"}},
		{"CR alone", "a\rb\r", []string{"0 a\rb\r"}},
		{"CR CR LF", "a\r\r\n", []string{"0 a\r"}},
		{"byte order mark (CL-5.7)", "\ufeffa\nb", []string{"3 a", "5 b"}},
		{"byte order mark, blank line", "\ufeff\nb", []string{"3 ", "4 b"}},
		{"byte order mark alone", "\ufeff", nil},
		{"byte order mark on another line", "a\n\ufeffb", []string{"0 a", "2 \ufeffb"}},
		{"half a byte order mark", "\xef\xbb", []string{"0 \xef\xbb"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			size := int64(len(tt.file))
			var got []string
			for _, l := range collect(t, NewLines(strings.NewReader(tt.file), size, 0, size, 100)) {
				got = append(got, fmt.Sprint(l.Offset, " ", l.Text))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			want := splitNaively([]byte(tt.file), 100)
			for a := range len(tt.file) + 1 {
				for b := a; b <= len(tt.file); b++ {
					if diff := cmp.Diff(want, collectCut(t, []byte(tt.file), []int{a, b}, 100)); diff != "" {
						t.Errorf("cut at %d and %d (-want +got):\n%s", a, b, diff)
					}
				}
			}
		})
	}
}

// TestLinesCut cuts random files at random places.
func TestLinesCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{
			"\n", "\r\n", "\r", "a", "{}", " ", "日本", "\ufeff", strings.Repeat("x", 30), strings.Repeat("é", 40_000),
		})).Draw(t, "parts")
		file := []byte(strings.Join(parts, ""))
		cuts := rapid.SliceOf(rapid.IntRange(0, len(file))).Draw(t, "cuts")
		maxBytes := rapid.SampledFrom([]int{1, 31, 1000, 100_000}).Draw(t, "maxBytes")
		if diff := cmp.Diff(splitNaively(file, maxBytes), collectCut(t, file, cuts, maxBytes)); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

// endless is a file of the letter a, with a line end at some places.
type endless struct {
	size  int64
	ends  []int64
	reads int
	most  int
}

func (e *endless) ReadAt(p []byte, off int64) (int, error) {
	e.reads++
	e.most = max(e.most, len(p))
	n := int(min(int64(len(p)), e.size-off))
	p[0] = 'a'
	for done := 1; done < n; done *= 2 {
		copy(p[done:n], p[:done])
	}
	for _, end := range e.ends {
		if i := end - off; i >= 0 && i < int64(n) {
			p[i] = '\n'
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestLinesGigabyte has a line of 1 GB between two short ones (T13).
func TestLinesGigabyte(t *testing.T) {
	const size = 1 << 30
	src := &endless{size: size, ends: []int64{9, size - 3}}
	l := NewLines(src, size, 0, 8<<20, 400_000)
	want := []kept{
		{Text: "aaaaaaaaa", Size: 9},
		{Offset: 10, Size: size - 13, Chars: size - 13, Long: true},
	}
	if diff := cmp.Diff(want, collect(t, l)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if cap(l.buf) > 9<<20 {
		t.Errorf("the buffer grew to %d bytes for a range of 8 MiB", cap(l.buf))
	}
	l.Reset(src, size, 512<<20, 520<<20)
	if got := collect(t, l); got != nil {
		t.Errorf("lines of a range in the middle = %v", got)
	}
	l.Reset(src, size, size-1000, size)
	if diff := cmp.Diff([]kept{{Text: "aa", Offset: size - 2, Size: 2}}, collect(t, l)); diff != "" {
		t.Errorf("last line (-want +got):\n%s", diff)
	}
}

// TestLinesReads counts the calls that a range costs.
func TestLinesReads(t *testing.T) {
	src := &endless{size: 64 << 20}
	for at := int64(500); at < src.size; at += 1 << 20 {
		src.ends = append(src.ends, at)
	}
	l := NewLines(src, src.size, 4<<20+1000, 12<<20+1000, 2<<20)
	if got := collect(t, l); len(got) != 8 {
		t.Errorf("%d lines, want 8", len(got))
	}
	if src.reads != 16 { // one for the range and 64 KiB, then 64 KiB each for a line that ends 1 MiB later
		t.Errorf("%d reads, want 16", src.reads)
	}
	l.Reset(src, src.size, 0, src.size)
	src.reads, src.most = 0, 0
	if got := collect(t, l); len(got) != len(src.ends)+1 {
		t.Errorf("%d lines, want %d", len(got), len(src.ends)+1)
	}
	if src.most > maxRead || src.reads > 6 {
		t.Errorf("%d reads of up to %d bytes", src.reads, src.most)
	}
}

type failing struct{ io.ReaderAt }

var errDisk = errors.New("disk on fire")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off > 100_000 {
		return 0, errDisk
	}
	return f.ReaderAt.ReadAt(p, off)
}

func TestLinesError(t *testing.T) {
	file := []byte("a\nb\n" + strings.Repeat("x", 200_000))
	l := NewLines(failing{bytes.NewReader(file)}, int64(len(file)), 2, 4, 1<<20)
	if line, ok := l.Next(); !ok || string(line.Text) != "b" {
		t.Errorf("Next = %v %t", line, ok)
	}
	l.Reset(failing{bytes.NewReader(file)}, int64(len(file)), 2, 5)
	for range 3 {
		l.Next()
	}
	if l.Count() != 1 || !errors.Is(l.Err(), errDisk) {
		t.Errorf("%d lines, error %v", l.Count(), l.Err())
	}
	l.Reset(bytes.NewReader(file), int64(len(file))+1, 4, 5) // the file has shrunk
	if _, ok := l.Next(); ok || !errors.Is(l.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("shrunk file: %t, error %v", ok, l.Err())
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("\ufeff{}\r\n\n{}"), uint16(3), uint16(6), uint16(2))
	f.Add([]byte("a\nb\r\nc"), uint16(4), uint16(1), uint16(9))
	f.Fuzz(func(t *testing.T, file []byte, a, b, maxBytes uint16) {
		cuts := []int{min(int(a), len(file)), min(int(b), len(file))}
		want := splitNaively(file, int(maxBytes))
		got := collectCut(t, file, cuts, int(maxBytes))
		if !utf8.Valid(file) { // what a character is, then, differs
			for _, lines := range [][]kept{want, got} {
				for i := range lines {
					lines[i].Chars = 0
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

// BenchmarkLines splits 10 MB into lines, and also parses each.
func BenchmarkLines(b *testing.B) {
	file := append(bytes.Join(boxLines(20_000), []byte("\n")), '\n')
	size := int64(len(file))
	for _, name := range []string{"split", "split_and_parse"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			var doc Doc
			l := NewLines(nil, 0, 0, 0, 400_000)
			for b.Loop() {
				l.Reset(bytes.NewReader(file), size, 0, size)
				for line, ok := l.Next(); ok; line, ok = l.Next() {
					if name == "split" {
						continue
					}
					if e := doc.Parse(line.Text, 100_000); e != nil {
						b.Fatal(e)
					}
				}
				if l.Count() != 20_000 || l.Err() != nil {
					b.Fatal(l.Count(), l.Err())
				}
			}
		})
	}
}
