package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// writeDescription writes the description of the API as a value for awsjson.
func writeDescription(m *model) *source {
	s := new(source)
	meta, o := m.Metadata, m.overlay
	s.printf("%spackage api\n\nimport (\n\"reflect\"\n\n\"fovea/internal/awsjson\"\n)\n\n", header)
	s.printf("// Description describes the API to awsjson.\nvar Description = &awsjson.Description{\n")
	s.printf("Service: %q,\nVersion: %q,\nSigningName: %q,\n", meta.ServiceID, meta.APIVersion, meta.EndpointPrefix)
	if meta.TargetPrefix != "" {
		s.printf("Target: %q,\n", meta.TargetPrefix)
	}
	if o.tokenScope != "" {
		s.printf("TokenScope: %q,\n", o.tokenScope)
	}
	s.printf("Invalid: %q,\nInvalidPage: %q,\nMalformed: %q,\nUnknownStatus: %d,\n", o.invalid, o.invalidPage, o.malformed, o.unknownStatus)
	s.printf("Operations: []*awsjson.Operation{\n")
	for _, op := range m.Operations {
		m.describeOperation(s, op)
	}
	s.printf("},\nErrors: []*awsjson.ErrorShape{\n")
	for _, shape := range m.Shapes {
		if shape.Exception {
			describeError(s, shape)
		}
	}
	s.printf("},\n}\n\n")
	for _, shape := range m.Shapes {
		if !shape.Exception {
			s.printf("var %s = &awsjson.Shape{", shapeVar(shape.Name))
			m.describeShape(s, shape)
			s.printf("}\n\n")
		}
	}
	return s
}

func (m *model) describeOperation(s *source, op operation) {
	status := op.HTTP.ResponseCode
	if status == 0 {
		status = 200
	}
	path := op.HTTP.RequestURI
	for _, label := range m.overlay.greedy {
		path = strings.Replace(path, "{"+label+"}", "{"+label+"+}", 1)
	}
	s.printf("{\nName: %q,\nMethod: %q,\nPath: %q,\nStatus: %d,\nInput: %s,\nOutput: %s,\n",
		op.Name, op.HTTP.Method, path, status, shapeVar(op.Input.Shape), shapeVar(op.Output.Shape))
	s.printf("In: reflect.TypeFor[%s](),\nOut: reflect.TypeFor[%s](),\nErrors: []string{", op.Input.Shape, op.Output.Shape)
	names := make([]string, 0, len(op.Errors))
	for _, e := range op.Errors {
		names = append(names, strconv.Quote(e.Shape))
	}
	slices.Sort(names)
	s.printf("%s},\n},\n", strings.Join(names, ", "))
}

// describeError writes an error with the status that it is sent with: what the
// description says or, where it says none, what its side is at fault for.
func describeError(s *source, shape *shape) {
	status := 400
	switch {
	case shape.Error != nil:
		status = shape.Error.HTTPStatusCode
	case shape.Fault:
		status = 500
	}
	s.printf("{Name: %q, Status: %d", shape.Name, status)
	var members []string
	for _, member := range shape.Members {
		members = append(members, strconv.Quote(member.Name))
	}
	if members != nil {
		s.printf(", Members: []string{%s}", strings.Join(members, ", "))
	}
	s.printf("},\n")
}

// kinds has awsjson's names of the types of shapes.
var kinds = map[string]string{
	"structure": "Structure", "list": "List", "map": "Map", "string": "String", "integer": "Integer", "long": "Long",
	"float": "Float", "boolean": "Boolean", "timestamp": "Timestamp", "blob": "Blob",
}

func (m *model) describeShape(s *source, shape *shape) {
	kind, ok := kinds[shape.Type]
	if !ok {
		panic(fmt.Sprintf("shape %s: unknown type %q", shape.Name, shape.Type))
	}
	if shape.Streaming {
		kind = "Stream"
	}
	s.printf("Name: %q, Kind: awsjson.%s", shape.Name, kind)
	if shape.Min != nil {
		s.printf(", Min: new(int64(%d))", *shape.Min)
	}
	if shape.Max != nil {
		s.printf(", Max: new(int64(%d))", *shape.Max)
	}
	if len(shape.Enum) > 0 {
		s.printf(", Enum: %#v", shape.Enum)
	}
	if slices.Contains(m.overlay.fold, shape.Name) {
		s.printf(", Fold: true")
	}
	if shape.Pattern != "" {
		m.describePattern(s, shape)
	}
	if shape.Key != nil {
		s.printf(", Key: %s", shapeVar(shape.Key.Shape))
	}
	if elem := shape.Member; elem != nil {
		s.printf(", Elem: %s", shapeVar(elem.Shape))
	}
	if elem := shape.Value; elem != nil {
		s.printf(", Elem: %s", shapeVar(elem.Shape))
	}
	if len(shape.Members) == 0 {
		return
	}
	s.printf(", Members: []awsjson.Member{\n")
	for _, member := range shape.Members {
		m.describeMember(s, shape, member.Name, member.Value)
	}
	s.printf("}")
}

func (m *model) describePattern(s *source, shape *shape) {
	expr := shape.Pattern
	override, ok := m.overlay.patterns[shape.Name]
	if ok {
		expr = override.expr
	}
	s.printf(", Pattern: &awsjson.Pattern{Text: %q, Expr: %q", shape.Pattern, expr)
	if override.notPrefix != "" {
		s.printf(", NotPrefix: %q", override.notPrefix)
	}
	s.printf("}")
}

// locations has awsjson's names of where a member travels.
var locations = map[string]string{"uri": "InPath", "querystring": "InQuery", "header": "InHeader"}

func (m *model) describeMember(s *source, in *shape, name string, r ref) {
	s.printf("{Name: %q, Shape: %s", name, shapeVar(r.Shape))
	switch {
	case r.Location != "":
		location, ok := locations[r.Location]
		if !ok {
			panic(fmt.Sprintf("%s.%s: unknown location %q", in.Name, name, r.Location))
		}
		s.printf(", In: awsjson.%s, Wire: %q", location, r.LocationName)
	case in.Payload == name:
		s.printf(", In: awsjson.InPayload")
	case r.LocationName != "":
		panic(fmt.Sprintf("%s.%s: another name in the body is not supported", in.Name, name))
	}
	if slices.Contains(in.Required, name) {
		s.printf(", Required: true")
	}
	if m.always(in.Name, name) {
		s.printf(", Always: true")
	}
	if r.IdempotencyToken {
		s.printf(", Token: true")
	}
	s.printf("},\n")
}

// shapeVar returns the name of the variable that describes a shape.
func shapeVar(name string) string { return "shape" + name }
