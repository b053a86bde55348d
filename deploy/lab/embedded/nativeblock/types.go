package nativeblock

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// widths of the types whose values have all the same length, in bytes.
var widths = map[string]int{
	"Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1, "Nothing": 1,
	"Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
	"Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "DateTime32": 4, "IPv4": 4, "Decimal32": 4, "Time": 4,
	"Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8, "Time64": 8,
	"Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16, "Point": 16,
	"Int256": 32, "UInt256": 32, "Decimal256": 32,
}

// geo names types that are nothing but another type. Source: ClickHouse, DataTypeCustomGeo.cpp.
var geo = map[string]string{
	"Ring": "Array(Point)", "LineString": "Array(Point)", "Polygon": "Array(Array(Point))",
	"MultiLineString": "Array(Array(Point))", "MultiPolygon": "Array(Array(Array(Point)))",
}

// parseShape reads a type name. stateful says that the shape remembers what its prefix said, so that it serves one
// column only.
func parseShape(typ string) (s shape, stateful bool, err error) {
	name, args := splitType(typ)
	if w, ok := widths[name]; ok {
		return fixed(w), false, nil
	}
	if strings.HasPrefix(name, "Interval") {
		return fixed(8), false, nil
	}
	if alias, ok := geo[name]; ok {
		return parseShape(alias)
	}
	switch name {
	case "String":
		return text{}, false, nil
	case "FixedString":
		return parseFixedString(typ, args)
	case "Decimal":
		return parseDecimal(typ, args)
	case "Dynamic":
		return &dynamic{}, true, nil
	case "JSON", "Object":
		return parseJSON(args)
	}
	return parseComposite(typ, name, args)
}

func parseComposite(typ, name string, args []string) (shape, bool, error) {
	switch name {
	case "Tuple", "Nested", "Variant":
		parts, stateful, err := parseAll(args, name != "Variant")
		switch {
		case err != nil:
			return nil, false, err
		case name == "Tuple":
			return tuple(parts), stateful, nil
		case name == "Nested":
			return array{tuple(parts)}, stateful, nil
		default:
			return variant(parts), stateful, nil
		}
	case "Map":
		parts, stateful, err := parseAll(args, false)
		return array{tuple(parts)}, stateful, err
	case "SimpleAggregateFunction":
		if len(args) == 2 {
			return parseShape(args[1])
		}
	case "Nullable", "Array", "LowCardinality":
		if len(args) != 1 {
			break
		}
		inner := args[0]
		if name == "LowCardinality" {
			if n, a := splitType(inner); n == "Nullable" && len(a) == 1 {
				inner = a[0]
			}
		}
		of, stateful, err := parseShape(inner)
		switch {
		case err != nil:
			return nil, false, err
		case name == "Nullable":
			return nullable{of}, stateful, nil
		case name == "Array":
			return array{of}, stateful, nil
		default:
			return lowCardinality{of}, stateful, nil
		}
	}
	return nil, false, fmt.Errorf("%s: %w", typ, ErrUnsupported)
}

func parseFixedString(typ string, args []string) (shape, bool, error) {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n > 0 {
			return fixed(n), false, nil
		}
	}
	return nil, false, fmt.Errorf("%s: %w", typ, ErrUnsupported)
}

func parseDecimal(typ string, args []string) (shape, bool, error) {
	if len(args) >= 1 {
		if p, err := strconv.Atoi(args[0]); err == nil {
			switch {
			case p <= 9:
				return fixed(4), false, nil
			case p <= 18:
				return fixed(8), false, nil
			case p <= 38:
				return fixed(16), false, nil
			case p <= 76:
				return fixed(32), false, nil
			}
		}
	}
	return nil, false, fmt.Errorf("%s: %w", typ, ErrUnsupported)
}

// parseJSON finds the paths with a type of their own among a JSON type's arguments (the others are settings:
// max_dynamic_paths=8, SKIP a.b). The engine writes them in the order of their names.
func parseJSON(args []string) (shape, bool, error) {
	typed := map[string]shape{}
	var paths []string
	for _, a := range args {
		path, typ, named := splitNamed(a)
		if !named || path == "SKIP" || strings.Contains(a, "=") && !strings.Contains(a, "(") {
			continue
		}
		s, _, err := parseShape(typ)
		if err != nil {
			return nil, false, err
		}
		typed[path] = s
		paths = append(paths, path)
	}
	sort.Strings(paths)
	j := &jsonObject{}
	for _, p := range paths {
		j.typed = append(j.typed, typed[p])
	}
	return j, true, nil
}

func parseAll(args []string, named bool) (parts []shape, stateful bool, err error) {
	for _, a := range args {
		if named {
			if _, typ, ok := splitNamed(a); ok {
				a = typ
			}
		}
		s, st, err := parseShape(a)
		if err != nil {
			return nil, false, err
		}
		parts, stateful = append(parts, s), stateful || st
	}
	return parts, stateful, nil
}

// splitType takes "Name(a, b)" apart.
func splitType(typ string) (name string, args []string) {
	typ = strings.TrimSpace(typ)
	open := strings.IndexByte(typ, '(')
	if open < 0 || !strings.HasSuffix(typ, ")") {
		return typ, nil
	}
	name = strings.TrimSpace(typ[:open])
	inside := typ[open+1 : len(typ)-1]
	start := 0
	scan(inside, func(i, depth int) bool {
		if inside[i] == ',' && depth == 0 {
			args = append(args, strings.TrimSpace(inside[start:i]))
			start = i + 1
		}
		return true
	})
	if last := strings.TrimSpace(inside[start:]); last != "" || len(args) > 0 {
		args = append(args, last)
	}
	return name, args
}

// splitNamed takes "name Type" apart; a Type alone has no space outside brackets and quotes.
func splitNamed(element string) (name, typ string, ok bool) {
	at := -1
	scan(element, func(i, depth int) bool {
		if element[i] == ' ' && depth == 0 {
			at = i
		}
		return at < 0
	})
	if at < 0 {
		return "", element, false
	}
	return element[:at], strings.TrimSpace(element[at+1:]), true
}

// scan shows every byte outside quotes with its depth in brackets, until see says no.
func scan(s string, see func(i, depth int) bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch q := s[i]; q {
		case '\'', '`', '"':
			for i++; i < len(s) && s[i] != q; i++ {
				if s[i] == '\\' {
					i++
				}
			}
			continue
		case '(':
			depth++
		case ')':
			depth--
		}
		if !see(i, depth) {
			return
		}
	}
}
