package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/producers/producer"
	"retorno/schemas/events"
)

// protoText is the schema of the events as text, from its compiled form: ClickHouse reads only text.
func protoText() string {
	file := events.File_schemas_events_events_proto
	var b strings.Builder
	fmt.Fprintf(&b, "syntax = \"proto3\";\npackage %s;\n", file.Package())
	for i := range file.Messages().Len() {
		message := file.Messages().Get(i)
		fmt.Fprintf(&b, "message %s {\n", message.Name())
		for j := range message.Fields().Len() {
			field := message.Fields().Get(j)
			b.WriteString(label(field))
			fmt.Fprintf(&b, "%s %s = %d;\n", typeName(field), field.Name(), field.Number())
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// label of a field. Members of a oneof stand alone: on the wire they are ordinary fields.
func label(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsList():
		return "repeated "
	case field.HasOptionalKeyword():
		return "optional "
	}
	return ""
}

func typeName(field protoreflect.FieldDescriptor) string {
	if field.Kind() == protoreflect.MessageKind {
		return string(field.Message().Name())
	}
	return field.Kind().String()
}

// inJSON is the load in flat JSON, one object for each event, for topics of its own: the names are paths into the
// message, joined by underscores; what is not stated is left out.
func (l *load) inJSON() (*load, error) {
	j := &load{copies: 1, truth: l.truth, messages: make([]producer.Message, len(l.messages))}
	for i := range l.messages {
		var e events.Envelope
		if err := proto.Unmarshal(l.messages[i].Value, &e); err != nil {
			return nil, err
		}
		flat := map[string]any{}
		flatten(flat, "", e.ProtoReflect())
		value, err := json.Marshal(flat)
		if err != nil {
			return nil, err
		}
		j.messages[i] = producer.Message{Topic: jsonPrefix + l.messages[i].Topic, Key: l.messages[i].Key, Value: bytes.Clone(value)}
		j.bytes += int64(len(l.messages[i].Key) + len(value))
	}
	return j, nil
}

func flatten(flat map[string]any, prefix string, message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := prefix + string(field.Name())
		switch {
		case field.IsList():
			var all []string
			for i := range v.List().Len() {
				all = append(all, v.List().Get(i).String())
			}
			flat[name] = all
		case field.Kind() == protoreflect.MessageKind:
			flatten(flat, name+"_", v.Message())
		default:
			flat[name] = v.Interface()
		}
		return true
	})
}
