package manifest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDate(t *testing.T) {
	for _, tt := range []struct {
		text string
		want string // RFC 3339; "" if it is no date
	}{
		// Every form of CL-5.40.
		{"2018-10-18T22:18:13.527256", "2018-10-18T22:18:13.527Z"},
		{"2020-03-06T17:46:39.176", "2020-03-06T17:46:39.176Z"},
		{"2013-11-18T02:53:27", "2013-11-18T02:53:27Z"},
		{"2021-06-22T09:58:34.811Z", "2021-06-22T09:58:34.811Z"},
		{"2021-01-01T00:00:00.0000", "2021-01-01T00:00:00Z"},
		{"2020-02-25T22:50:05.0000z", "2020-02-25T22:50:05Z"},
		{"2013-11-18 02:53:27", "2013-11-18T02:53:27Z"},

		{"2021-06-22T09:58:34+02:00", "2021-06-22T07:58:34Z"},
		{"2021-06-22T09:58:34.5-0730", "2021-06-22T17:28:34.5Z"},
		{"2020-02-29T23:59:59.9999", "2020-02-29T23:59:59.999Z"},
		{"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
		{"2021-06-22T09:58:34.00000000000000000000000000001Z", "2021-06-22T09:58:34Z"},

		{text: ""}, {text: "2021"}, {text: "2021-06-22"}, {text: "2021-06-22T09:58"}, {text: "2021-06-22t09:58:34"},
		{text: "2021-13-22T09:58:34"}, {text: "2021-00-22T09:58:34"}, {text: "2021-02-29T09:58:34"}, {text: "1900-02-29T00:00:00"},
		{text: "2021-04-31T00:00:00"}, {text: "2021-06-00T00:00:00"}, {text: "2021-06-22T24:00:00"}, {text: "2021-06-22T09:60:34"},
		{text: "2021-06-22T09:58:60"}, {text: "2021-06-22T09:58:34."}, {text: "2021-06-22T09:58:34.Z"}, {text: "2021-06-22T09:58:34.5 "},
		{text: "2021-06-22T09:58:34ZZ"}, {text: "2021-06-22T09:58:34+2"}, {text: "2021-06-22T09:58:34+24:00"}, {text: "2021-06-22T09:58:34+02:60"},
		{text: "2021-06-22T09:58:34*0200"}, {text: "2021-06-22T09:58:34+02-00"}, {text: "2021/06/22T09:58:34"}, {text: "+021-06-22T09:58:34"},
		{text: "2021-06-22T09-58-34"}, {text: "Mon Aug 22 2022 13:52:52 GMT-0700"},
	} {
		ms, ok := ParseDate([]byte(tt.text))
		got := ""
		if ok {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("ParseDate(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestParseJSDate(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)", "2022-08-22T20:52:52Z"},
		{"Thu Jan 01 1970 01:00:00 GMT+0100", "1970-01-01T00:00:00Z"},
		{"Sat Feb 29 2020 00:00:00 GMT+0000 (Coordinated Universal Time)", "2020-02-29T00:00:00Z"},
		{text: ""}, {text: "Mon Aug 22 2022"}, {text: "Mon Aug 32 2022 13:52:52 GMT-0700"}, {text: "Mon Agu 22 2022 13:52:52 GMT-0700"},
		{text: "Foo Aug 22 2022 13:52:52 GMT-0700"}, {text: "Mon Aug 22 2022 13:52:52 UTC-0700"}, {text: "Mon Aug 22 2022 13:52:52 GMT-07000"},
		{text: "Mon Aug 22 2022 13:52:52 GMT-0700 (open"}, {text: "Mon Aug 22 2022 25:52:52 GMT-0700"}, {text: "2013-11-18T02:53:27"},
	} {
		ms, ok := ParseJSDate([]byte(tt.text))
		got := ""
		if ok {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
		}
		if got != tt.want {
			t.Errorf("ParseJSDate(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestParseDateTime compares with package time over all years.
func TestParseDateTime(t *testing.T) {
	first, last := time.Date(0, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(first.UnixMilli(), last.UnixMilli()).Draw(t, "ms")
		shift := rapid.IntRange(-1439, 1439).Draw(t, "minutes")
		in := time.UnixMilli(want).In(time.FixedZone("", shift*60))
		layout := rapid.SampledFrom([]string{"2006-01-02T15:04:05.000-07:00", "2006-01-02 15:04:05.000000-0700"}).Draw(t, "layout")
		if got, ok := ParseDate([]byte(in.Format(layout))); !ok || got != want {
			t.Errorf("ParseDate(%s) = %d %t, want %d", in.Format(layout), got, ok, want)
		}
		const js = "Mon Jan 02 2006 15:04:05 GMT-0700"
		if got, ok := ParseJSDate([]byte(in.Format(js))); !ok || got != in.Truncate(time.Second).UnixMilli() {
			t.Errorf("ParseJSDate(%s) = %d %t, want %d", in.Format(js), got, ok, in.Truncate(time.Second).UnixMilli())
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add([]byte("2021-06-22T09:58:34.811+02:00"))
	f.Add([]byte("Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)"))
	f.Fuzz(func(t *testing.T, b []byte) {
		ParseJSDate(b)
		ms, ok := ParseDate(b)
		if !ok {
			return
		}
		local := string(b[:10]) + "T" + string(b[11:19])
		want, err := time.Parse("2006-01-02T15:04:05", local)
		if shift := time.UnixMilli(ms).Sub(want).Abs(); err != nil || shift >= 24*time.Hour+time.Second {
			t.Errorf("ParseDate(%q) = %d, package time has %v %v", b, ms, want, err)
		}
	})
}

func BenchmarkParseDate(b *testing.B) {
	text := []byte("2021-06-22T09:58:34.811Z")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ParseDate(text); !ok {
			b.Fatal("no date")
		}
	}
}
