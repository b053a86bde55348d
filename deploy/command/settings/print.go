package settings

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// Print writes the settings of the command as YAML that --config reads again, each with where it comes from.
// A secret stands in a comment, masked, because no file may hold one.
func (s *Resolver) Print(w io.Writer, parsed *kong.Context) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n", parsed.Model.Name, CommandName(parsed))
	for _, flag := range parsed.Flags() {
		if !Settable(flag) {
			continue
		}
		if flag.Target.Type() == secretType {
			if flag.Target.String() != "" {
				fmt.Fprintf(&b, "# %s: %s # %s\n", flag.Name, masked, s.source(parsed, flag))
			}
			continue
		}
		text, err := yamlValue(flag.Target)
		if err != nil {
			return fmt.Errorf("print %s: %w", flag.Name, err)
		}
		line := fmt.Sprintf("%s: %s # %s\n", flag.Name, text, s.source(parsed, flag))
		if flag.Target.IsZero() && s.source(parsed, flag) == "default" || flag.Name == "config" {
			// Left alone, or not a setting of a file: shown, but not said again.
			line = "# " + strings.Replace(line, ": \"\" #", ": #", 1)
		}
		b.WriteString(line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func yamlValue(v reflect.Value) (string, error) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return `""`, nil
		}
		v = v.Elem()
	}
	value := v.Interface()
	if d, ok := value.(time.Duration); ok {
		value = d.String()
	}
	node := yaml.Node{}
	if err := node.Encode(value); err != nil {
		return "", err
	}
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&node)
	return strings.TrimSpace(string(text)), err
}
