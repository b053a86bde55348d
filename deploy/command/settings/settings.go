// Package settings finds the values of flags that were not given on the command line.
//
// It promises that a value comes from the flag, else the environment, else the configuration file, else the default, and
// that it is known from which; that a file with an unknown key or a value that does not fit is refused as a whole, with
// the line; and that a Secret is never printed, nor taken from the command line or the configuration file.
package settings

import (
	"fmt"
	"log/slog"
	"reflect"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
)

const (
	environmentPrefix = "RETORNO_"
	// DebugVariable names the environment variable under which a panic prints its stack.
	DebugVariable = environmentPrefix + "DEBUG"
)

// Secret is a setting that is never printed. It comes from the environment or from the file its -file flag names.
type Secret string

const masked = "********"

// String is what logs and --print-config see of a secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString and LogValue keep a secret out of %#v and of structured logs.
func (s Secret) GoString() string { return s.String() }

// LogValue is what slog writes of a secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

var secretType = reflect.TypeFor[Secret]()

// Resolver finds the value of what was not given on the command line: in the environment, then in the file.
// (kong itself would let a file outweigh the environment.)
type Resolver struct {
	lookup  func(string) (string, bool)
	file    *configFile
	sources map[*kong.Value]string
}

// New returns a resolver that looks variables of the environment up by lookup.
func New(lookup func(string) (string, bool)) *Resolver {
	return &Resolver{lookup: lookup, sources: map[*kong.Value]string{}}
}

// ReadFile reads the file of --config or of its variable. The error also says when a secret stands on the command line.
func (s *Resolver) ReadFile(ctx *kong.Context) error {
	path, _ := s.environment("config")
	for _, p := range ctx.Path {
		if p.Flag == nil {
			continue
		}
		if p.Flag.Name == "config" {
			path = fmt.Sprint(ctx.FlagValue(p.Flag))
		}
		if p.Flag.Target.Type() == secretType {
			return fmt.Errorf("--%s would show the secret to everybody on this machine: put it into %s, or into a file named by --%s-file",
				p.Flag.Name, EnvironmentName(p.Flag.Name), p.Flag.Name)
		}
	}
	if path == "" {
		return nil
	}
	file, err := readConfigFile(path, ctx.Model)
	s.file = file
	return err
}

// Resolve is called by the parser for each flag of the command that was not given.
func (s *Resolver) Resolve(parsed *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !Settable(flag) {
		return nil, nil
	}
	if value, ok := s.environment(flag.Name); ok {
		if err := tryValue(flag, value); err != nil {
			if flag.Target.Type() == secretType {
				value = masked
			}
			return nil, fmt.Errorf("%s=%s: %w", EnvironmentName(flag.Name), value, err)
		}
		s.sources[flag.Value] = EnvironmentName(flag.Name)
		return value, nil
	}
	if s.file == nil {
		return nil, nil
	}
	command, _, _ := strings.Cut(CommandName(parsed), " ")
	if e, ok := s.file.find(command, flag.Name); ok {
		s.sources[flag.Value] = fmt.Sprintf("%s line %d", s.file.path, e.line)
		return e.value, nil
	}
	return nil, nil
}

// Validate has nothing to add: the file was checked when it was read.
func (*Resolver) Validate(*kong.Application) error { return nil }

// environment looks a flag's variable up; an empty one is as good as none, as compose files write them.
func (s *Resolver) environment(flag string) (string, bool) {
	v, ok := s.lookup(EnvironmentName(flag))
	return v, ok && v != ""
}

// Stated reports whether a setting of the command was given by anybody.
func (s *Resolver) Stated(parsed *kong.Context, name string) bool {
	for _, f := range parsed.Flags() {
		if f.Name == name {
			return s.source(parsed, f) != "default"
		}
	}
	return false
}

// source names where the value of a flag came from.
func (s *Resolver) source(parsed *kong.Context, flag *kong.Flag) string {
	for _, p := range parsed.Path {
		if p.Flag == flag && !p.Resolved {
			return "flag"
		}
	}
	if from, ok := s.sources[flag.Value]; ok {
		return from
	}
	return "default"
}

// CommandName is the words of the command that was understood, such as "deadletter list".
func CommandName(parsed *kong.Context) string {
	if parsed == nil {
		return ""
	}
	var words []string
	for _, p := range parsed.Path {
		if p.Command != nil {
			words = append(words, p.Command.Name)
		}
	}
	return strings.Join(words, " ")
}

// EnvironmentName is the variable of a flag: kafka-brokers is RETORNO_KAFKA_BROKERS.
func EnvironmentName(flag string) string {
	return environmentPrefix + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_").Replace(flag))
}

// Settable reports whether a flag is a setting at all. What belongs to one call, such as --help or --json, is tagged
// per:"call" and can be said on the command line only.
func Settable(flag *kong.Flag) bool { return !flag.Tag.Has("per") }

// tryValue decodes a text as the flag would, without setting anything.
func tryValue(flag *kong.Flag, text string) error {
	scratch := reflect.New(flag.Target.Type()).Elem()
	scan := kong.Scan().PushTyped(text, kong.FlagValueToken)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, scratch); err != nil {
		return err
	}
	if flag.Enum == "" {
		return nil
	}
	values := []string{fmt.Sprint(scratch)}
	if scratch.Kind() == reflect.Slice {
		values = values[:0]
		for i := range scratch.Len() {
			values = append(values, fmt.Sprint(scratch.Index(i)))
		}
	}
	for _, v := range values {
		if !flag.EnumMap()[v] {
			return fmt.Errorf("must be one of %s", strings.Join(flag.EnumSlice(), ", "))
		}
	}
	return nil
}

// allFlags are the flags of a command and those below it, by name; one name may mean a flag of several commands.
func allFlags(node *kong.Node) map[string][]*kong.Flag {
	flags := map[string][]*kong.Flag{}
	_ = kong.Visit(node, func(v kong.Visitable, next kong.Next) error {
		if f, ok := v.(*kong.Flag); ok {
			flags[f.Name] = append(flags[f.Name], f)
		}
		return next(nil)
	})
	return flags
}

// UnknownEnvironment warns of variables that look like settings and are none: usually a misspelt one.
func UnknownEnvironment(model *kong.Application, environ []string) []string {
	known := map[string]bool{DebugVariable: true}
	var names []string
	for name := range allFlags(model.Node) {
		known[EnvironmentName(name)] = true
		names = append(names, EnvironmentName(name))
	}
	var warnings []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		// RETORNO_ENGINE_CHILD marks the engine's own process, RETORNO_TEST_… are read by tests.
		if !strings.HasPrefix(name, environmentPrefix) || known[name] || name == "RETORNO_ENGINE_CHILD" || strings.HasPrefix(name, "RETORNO_TEST_") {
			continue
		}
		warning := "no setting is called " + name
		if near := nearest(name, names); near != "" {
			warning += "; did you mean " + near + "?"
		}
		warnings = append(warnings, warning)
	}
	sort.Strings(warnings)
	return warnings
}
