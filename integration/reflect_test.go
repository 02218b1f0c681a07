package integration

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// The SDKs for Go have a struct for every input and output. What follows fills
// and reads such structs by the names of their members.

var (
	timeType   = reflect.TypeFor[time.Time]()
	bytesType  = reflect.TypeFor[[]byte]()
	readerType = reflect.TypeFor[io.Reader]()
)

// blob returns the bytes of a blob that a text stands for: its own, or what
// follows "base64:".
func blob(text string) []byte {
	if encoded, ok := strings.CutPrefix(text, "base64:"); ok {
		if data, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return data
		}
	}
	return []byte(text)
}

// fill sets dst, a settable value of an SDK's input, to what v says.
func fill(dst reflect.Value, v any) error {
	text, isText := v.(string)
	switch t := dst.Type(); {
	case t == bytesType && isText:
		dst.SetBytes(blob(text))
		return nil
	case t.Kind() == reflect.Interface && isText && reflect.TypeFor[*bytes.Reader]().Implements(t):
		dst.Set(reflect.ValueOf(bytes.NewReader(blob(text))))
		return nil
	case t == timeType && isText:
		at, err := time.Parse(time.RFC3339, text)
		dst.Set(reflect.ValueOf(at))
		return err
	}
	switch dst.Kind() {
	case reflect.Pointer:
		dst.Set(reflect.New(dst.Type().Elem()))
		return fill(dst.Elem(), v)
	case reflect.Struct:
		members, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%v wants an object, not %v", dst.Type(), v)
		}
		for name, member := range members {
			field := dst.FieldByName(name)
			if !field.IsValid() {
				return fmt.Errorf("%v has no member %s", dst.Type(), name)
			}
			if err := fill(field, member); err != nil {
				return err
			}
		}
		return nil
	case reflect.Slice:
		items, ok := v.([]any)
		if !ok {
			return fmt.Errorf("%v wants an array, not %v", dst.Type(), v)
		}
		dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
		for i, item := range items {
			if err := fill(dst.Index(i), item); err != nil {
				return err
			}
		}
		return nil
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(encoded, dst.Addr().Interface())
}

// read returns what an SDK's output says, and whether it is there at all.
func read(src reflect.Value) (any, bool) {
	switch {
	case src.Type() == timeType:
		return float64(src.Interface().(time.Time).UnixMilli()) / 1000, true
	case src.Type() == bytesType:
		return string(src.Bytes()), !src.IsNil()
	case src.Type().Implements(readerType):
		if src.IsNil() {
			return nil, false
		}
		body, err := io.ReadAll(src.Interface().(io.Reader))
		if err != nil {
			return err.Error(), true
		}
		return string(body), true
	}
	switch src.Kind() {
	case reflect.Pointer, reflect.Interface:
		if src.IsNil() {
			return nil, false
		}
		return read(src.Elem())
	case reflect.Struct:
		return readStruct(src), true
	case reflect.Slice:
		items := []any{}
		for i := range src.Len() {
			item, _ := read(src.Index(i))
			items = append(items, item)
		}
		return items, !src.IsNil()
	case reflect.Map:
		members := map[string]any{}
		for _, key := range src.MapKeys() {
			members[key.String()], _ = read(src.MapIndex(key))
		}
		return members, !src.IsNil()
	case reflect.String: // of an enumeration; pointers to strings come here too
		return src.String(), true
	}
	encoded, err := json.Marshal(src.Interface())
	if err != nil {
		return err.Error(), true
	}
	var v any
	err = json.Unmarshal(encoded, &v)
	return v, err == nil
}

// readStruct reads the exported members of a struct that are there. In the SDK
// for Go v2 an absent member of an enumeration is "".
func readStruct(src reflect.Value) map[string]any {
	members := map[string]any{}
	for i := range src.NumField() {
		field, v := src.Type().Field(i), src.Field(i)
		if !field.IsExported() || field.Anonymous || field.Name == "ResultMetadata" || field.Name == "RespMetadata" {
			continue
		}
		if v.Kind() == reflect.String && v.Len() == 0 {
			continue
		}
		if member, ok := read(v); ok {
			members[field.Name] = member
		}
	}
	return members
}
