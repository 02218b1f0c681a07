package onnx

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A file says itself how images are to be given to its network, in the
// properties that ONNX has for what programs want to note (metadata_props).
// So the hash of the file stands for all that a model depends on, and wherever
// the file is, nothing else has to be set.

// propertyField is the number of a property among the fields of a file.
const propertyField = 14

// settingPrefix is what the names of our properties begin with.
const settingPrefix = "fovea."

// The settings, without prefix.
const (
	nameSetting     = "name"     // of the backbone, for people
	meanSetting     = "mean"     // one number or three from 0 to 1, taken off red, green and blue
	stdSetting      = "std"      // likewise, divided by
	sizeSetting     = "size"     // pixels of the longer side, or WIDTHxHEIGHT for a network that takes no other
	multipleSetting = "multiple" // what both sides must be multiples of where any size is taken
	outputsSetting  = "outputs"  // names of values, with commas between
)

// Settings lists the names of the settings that a file may have.
var Settings = []string{nameSetting, meanSetting, stdSetting, sizeSetting, multipleSetting, outputsSetting}

// maxSetting is how long the value of a setting may be, in bytes.
const maxSetting = 64 << 10

// A settingError is what is wrong with a setting.
type settingError struct{ name, value, want string }

func (e *settingError) Error() string {
	return fmt.Sprintf("the setting %s%s of the file is %.100q, and not %s", settingPrefix, e.name, e.value, e.want)
}

// property notes a property of a file, if it is one of ours.
func (m *Model) property(b []byte) error {
	key, value, err := readProperty(b)
	if err != nil {
		return err
	}
	name, ours := strings.CutPrefix(key, settingPrefix)
	if !ours {
		return nil
	}
	if !slices.Contains(Settings, name) {
		return fmt.Errorf("the file has the setting %.100q; there are %s with %s before each", key, strings.Join(Settings, ", "), settingPrefix)
	}
	if _, twice := m.meta[name]; twice || len(value) > maxSetting {
		return fmt.Errorf("the setting %s is there twice, or has more than %d bytes", key, maxSetting)
	}
	m.meta[name] = value
	return nil
}

func readProperty(b []byte) (key, value string, err error) {
	err = fields(b, func(f field) error {
		switch f.id {
		case 1:
			key = string(f.bytes)
		case 2:
			value = string(f.bytes)
		}
		return nil
	})
	return key, value, err
}

// options fills what o leaves open with what the file says. It sets the size of
// the input where the file does and the network leaves it open.
func (m *Model) options(o Options) (Options, error) {
	var err error
	if o.Name == "" {
		o.Name = m.meta[nameSetting]
	}
	if v, ok := m.meta[meanSetting]; ok && o.Std == [3]float32{} {
		if o.Mean, err = threeNumbers(meanSetting, v); err != nil {
			return o, err
		}
	} else if o.Std == [3]float32{} {
		o.Mean = usualMean
	}
	if v, ok := m.meta[stdSetting]; ok && o.Std == [3]float32{} {
		if o.Std, err = threeNumbers(stdSetting, v); err != nil {
			return o, err
		}
	} else if o.Std == [3]float32{} {
		o.Std = usualStd
	}
	if v, ok := m.meta[multipleSetting]; ok && o.Multiple == 0 {
		if o.Multiple, err = strconv.Atoi(v); err != nil || o.Multiple < 1 || o.Multiple > maxMultiple {
			return o, &settingError{multipleSetting, v, fmt.Sprintf("a number from 1 to %d", maxMultiple)}
		}
	}
	if v, ok := m.meta[sizeSetting]; ok {
		return o, m.setSize(&o, v)
	}
	return o, nil
}

// What networks that were trained on ImageNet have learned with. Models depend
// on it where a file says nothing else: it does not change.
var usualMean, usualStd = [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}

// threeNumbers returns the numbers of a setting for red, green and blue.
func threeNumbers(name, value string) (v [3]float32, err error) {
	parts := strings.Split(value, ",")
	if len(parts) == 1 {
		parts = []string{value, value, value}
	}
	bad := &settingError{name, value, "one number or three with commas between, such as 0.5 or 0.485,0.456,0.406"}
	if len(parts) != 3 {
		return v, bad
	}
	for i, p := range parts {
		x, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || name == stdSetting && !(x > 1e-6) {
			return v, bad
		}
		v[i] = float32(x)
	}
	return v, nil
}

// setSize takes the setting of the size.
func (m *Model) setSize(o *Options, value string) error {
	bad := &settingError{sizeSetting, value, fmt.Sprintf("a number of pixels from %d to %d, such as 224, or two, such as 224x224", minSide, maxSide)}
	number := func(s string) (int, bool) {
		n, err := strconv.Atoi(s)
		return n, err == nil && n >= minSide && n <= maxSide
	}
	width, height, fixed := strings.Cut(value, "x")
	w, ok := number(width)
	if !ok {
		return bad
	}
	if !fixed {
		o.Side = w
		return nil
	}
	h, ok := number(height)
	if !ok {
		return bad
	}
	if s := m.shape; s[3] > 0 && s[3] != w || s[2] > 0 && s[2] != h {
		return fmt.Errorf("the setting %s%s of the file is %s, and its network takes %dx%d", settingPrefix, sizeSetting, value, s[3], s[2])
	}
	m.shape = []int{m.shape[0], m.shape[1], h, w}
	return nil
}

// Set returns the file with settings, by their names without prefix, in place of
// those that it has of these names; an empty value takes one away. Nothing else
// in the file changes. It fails where the file can't be used with them.
func Set(file []byte, settings map[string]string) ([]byte, error) {
	var out []byte
	for rest := file; len(rest) > 0; {
		f, behind, err := next(rest)
		if err != nil {
			return nil, fmt.Errorf("onnx: %w", err)
		}
		replaced := false
		if f.id == propertyField && f.wire == wireBytes {
			key, _, err := readProperty(f.bytes)
			if err != nil {
				return nil, fmt.Errorf("onnx: %w", err)
			}
			name, ours := strings.CutPrefix(key, settingPrefix)
			_, replaced = settings[name]
			replaced = replaced && ours
		}
		if !replaced {
			out = append(out, rest[:len(rest)-len(behind)]...)
		}
		rest = behind
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if settings[name] != "" {
			p := appendBytes(appendBytes(nil, 1, settingPrefix+name), 2, settings[name])
			out = appendBytes(out, propertyField, string(p))
		}
	}
	_, err := Read(out)
	return out, err
}

// appendBytes appends a field of bytes to a message.
func appendBytes(to []byte, id int, value string) []byte {
	to = binary.AppendUvarint(to, uint64(id)<<3|wireBytes)
	return append(binary.AppendUvarint(to, uint64(len(value))), value...)
}
