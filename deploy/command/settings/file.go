package settings

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// configFile is what --config names: settings of any command, by the name of their flag. A key that is a command's
// name holds settings for that command alone, which outweigh the others of the file.
type configFile struct {
	path    string
	entries map[settingKey]configEntry
}

// settingKey is a setting, of one command or of all when the command is empty.
type settingKey struct{ command, name string }

type configEntry struct {
	line  int
	value string // as it would stand behind the flag
}

// readConfigFile reads and checks a whole file: an unknown key or a value that does not fit is an error even when the
// command at hand does not use it, because the next command would.
func readConfigFile(path string, model *kong.Application) (*configFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("configuration file %s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	file := &configFile{path: path, entries: map[settingKey]configEntry{}}
	if len(document.Content) == 0 {
		return file, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("configuration file %s line %d: expected keys with values, such as `kafka-brokers: [127.0.0.1:9092]`", path, root.Line)
	}
	return file, file.section("", root, model)
}

// find returns the entry of a setting for a command, its own section first.
func (f *configFile) find(command, name string) (configEntry, bool) {
	if e, ok := f.entries[settingKey{command, name}]; ok {
		return e, true
	}
	e, ok := f.entries[settingKey{"", name}]
	return e, ok
}

// section reads the settings of one mapping: the whole file's, or a command's.
func (f *configFile) section(command string, mapping *yaml.Node, model *kong.Application) error {
	node := commandNode(model, command)
	known := allFlags(node)
	var faults []error
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if command == "" && commandNode(model, key.Value) != nil && value.Kind == yaml.MappingNode {
			faults = append(faults, f.section(key.Value, value, model))
			continue
		}
		if err := f.add(command, key, value, known); err != nil {
			faults = append(faults, fmt.Errorf("configuration file %s line %d: %w", f.path, key.Line, err))
		}
	}
	return errors.Join(faults...)
}

// commandNode is the command of that name, the whole program for "", or nil.
func commandNode(model *kong.Application, name string) *kong.Node {
	if name == "" {
		return model.Node
	}
	for _, child := range model.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func (f *configFile) add(command string, key, value *yaml.Node, known map[string][]*kong.Flag) error {
	name := key.Value
	if before, ok := f.entries[settingKey{command, name}]; ok {
		return fmt.Errorf("%s stands on line %d already", name, before.line)
	}
	flags := known[name]
	if len(flags) == 0 || !Settable(flags[0]) || name == "config" {
		if near := nearest(name, settingNames(known)); near != "" {
			return fmt.Errorf("no setting is called %s; did you mean %s?", name, near)
		}
		return fmt.Errorf("no setting is called %s", name)
	}
	if flags[0].Target.Type() == secretType {
		return fmt.Errorf("%s is a secret: put it into %s, or into a file named by %s-file", name, EnvironmentName(name), name)
	}
	text, err := scalar(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, flag := range flags {
		if err := tryValue(flag, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	f.entries[settingKey{command, name}] = configEntry{line: key.Line, value: text}
	return nil
}

// scalar is a YAML value as it would be written behind a flag: a list becomes its members with commas between.
func scalar(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", errors.New("has no value")
		}
		return n.Value, nil
	case yaml.AliasNode:
		return scalar(n.Alias)
	case yaml.SequenceNode:
		var members []string
		for _, m := range n.Content {
			if m.Kind != yaml.ScalarNode {
				return "", errors.New("must be a value or a list of values")
			}
			members = append(members, m.Value)
		}
		return kong.JoinEscaped(members, ','), nil
	default:
		return "", errors.New("must be a value or a list of values")
	}
}

func settingNames(known map[string][]*kong.Flag) []string {
	var names []string
	for name, flags := range known {
		if Settable(flags[0]) && name != "config" && flags[0].Target.Type() != secretType {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// nearest is the known name that a misspelt one most likely meant, or nothing when none is near.
func nearest(name string, known []string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
	}
	best, distance := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := editDistance(plain(name), plain(k)); d < distance || d == distance && best != "" && k < best {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete or change (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
