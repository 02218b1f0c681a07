package manifest

// ParseDate returns the time that a creation-date names, in milliseconds since
// the Unix epoch, and whether it is one of the forms that manifests have
// (CL-5.41): YYYY-MM-DD, T or a blank, HH:MM:SS, then perhaps a fraction of
// any length and a zone, which is Z, z, ±hh:mm or ±hhmm. Without a zone it is
// UTC. Digits beyond milliseconds are cut off.
func ParseDate(b []byte) (ms int64, ok bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != ' ' {
		return 0, false
	}
	ms, ok = dateTime(digits(b[0:4]), digits(b[5:7]), digits(b[8:10]), b[11:19])
	if !ok {
		return 0, false
	}
	rest, fraction, ok := cutFraction(b[19:])
	if !ok {
		return 0, false
	}
	shift, ok := zone(rest)
	return ms + fraction - shift, ok
}

// months are the names that JavaScript gives them.
const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// days are the names of the days of the week likewise.
const days = "SunMonTueWedThuFriSat"

// ParseJSDate is ParseDate for what JavaScript's Date makes of a time when it
// is turned into a string, such as "Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific
// Daylight Time)" (LV-14.18). The name in brackets may be missing.
func ParseJSDate(b []byte) (ms int64, ok bool) {
	const form = "Mon Aug 22 2022 13:52:52 GMT-0700"
	if len(b) < len(form) || b[3] != ' ' || b[7] != ' ' || b[10] != ' ' || b[15] != ' ' || string(b[24:28]) != " GMT" {
		return 0, false
	}
	if name := b[len(form):]; len(name) > 0 && (len(name) < 3 || string(name[:2]) != " (" || name[len(name)-1] != ')') {
		return 0, false
	}
	month, day := ordinal(months, b[4:7]), ordinal(days, b[0:3])
	if month == 0 || day == 0 {
		return 0, false
	}
	ms, ok = dateTime(digits(b[11:15]), month, digits(b[8:10]), b[16:24])
	if !ok {
		return 0, false
	}
	shift, ok := zone(b[28:len(form)])
	return ms - shift, ok
}

// ordinal returns the place, from 1, of a name of three letters in a list, or 0.
func ordinal(list string, name []byte) int {
	for i := 0; i < len(list); i += 3 {
		if list[i:i+3] == string(name) {
			return i/3 + 1
		}
	}
	return 0
}

// dateTime returns the milliseconds since the epoch of a UTC date and a clock
// HH:MM:SS, and whether there is such a time. A number below 0 is none.
func dateTime(year, month, day int, clock []byte) (ms int64, ok bool) {
	hour, minute, second := digits(clock[0:2]), digits(clock[3:5]), digits(clock[6:8])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		clock[2] != ':' || clock[5] != ':' ||
		uint(hour) > 23 || uint(minute) > 59 || uint(second) > 59 {
		return 0, false
	}
	s := int64(daysSinceEpoch(year, month, day))*24*60*60 + int64(hour*60*60+minute*60+second)
	return s * 1000, true
}

// daysIn returns the number of days of a month.
func daysIn(year, month int) int {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month/8)%2
}

// daysSinceEpoch returns the number of days from 1970-01-01 to the date. It
// counts years from March, so that the leap day is the last of a year and the
// days before a month need no table.
func daysSinceEpoch(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	const epoch = 719468 // days from 0000-03-01, the start of this count
	year += 400          // division is of positive numbers
	days := year*365 + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1
	return days - 400*365 - 97 - epoch
}

// cutFraction cuts a point and digits from the start of b and returns the rest
// and the fraction in milliseconds. A point without digits is wrong.
func cutFraction(b []byte) (rest []byte, ms int64, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return b, 0, true
	}
	i := 1
	for scale := int64(100); i < len(b) && b[i]-'0' < 10; i++ {
		ms += int64(b[i]-'0') * scale
		scale /= 10
	}
	return b[i:], ms, i > 1
}

// zone returns how many milliseconds a zone is ahead of UTC.
func zone(b []byte) (ms int64, ok bool) {
	switch {
	case len(b) == 0, len(b) == 1 && b[0]|0x20 == 'z':
		return 0, true
	case len(b) == 6 && b[3] == ':':
	case len(b) == 5:
	default:
		return 0, false
	}
	hour, minute := digits(b[1:3]), digits(b[len(b)-2:])
	if uint(hour) > 23 || uint(minute) > 59 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	ms = int64(hour*60+minute) * 60_000
	if b[0] == '-' {
		ms = -ms
	}
	return ms, true
}

// digits returns the number that b writes, or -1 if it is not all digits.
func digits(b []byte) int {
	v := 0
	for _, c := range b {
		if c-'0' >= 10 {
			return -1
		}
		v = v*10 + int(c-'0')
	}
	return v
}
