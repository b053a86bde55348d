package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"retorno/deploy/command/settings"
)

// helpFlag stops parsing where it stands, so that help is shown whatever else is wrong with the line.
type helpFlag bool

// helpWanted is the error by which --help leaves the parser.
type helpWanted struct{ context *kong.Context }

func (*helpWanted) Error() string { return "help is wanted" }

// BeforeReset is called by the parser once the flag has been seen.
func (helpFlag) BeforeReset() error { return &helpWanted{} }

// IgnoreDefault keeps the parser from asking for more.
func (helpFlag) IgnoreDefault() {}

const exitStatuses = `Exit status: 0 done; 1 the answer is no (a difference, a contradiction, rejected rows); 2 wrong use or configuration; 3 something it needs is not there.

A setting comes from its flag, else from the environment variable in brackets, else from the file of --config, else from its default.`

var helpOptions = kong.HelpOptions{Compact: true, WrapUpperBound: 110, ValueFormatter: describeFlag}

// helpText is the body of a command's --help: what it does, examples, exit statuses.
func helpText(does string, examples ...string) string {
	var b strings.Builder
	b.WriteString(does)
	if len(examples) > 0 {
		b.WriteString("\n\nExamples:\n\n")
		for _, e := range examples {
			b.WriteString("    " + e + "\n")
		}
	}
	b.WriteString("\n" + exitStatuses)
	return b.String()
}

// printHelp writes the help of the command that was understood.
func printHelp(ctx *kong.Context, w io.Writer) error {
	ctx.Stdout = w
	if err := kong.DefaultHelpPrinter(helpOptions, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		_, err := fmt.Fprintf(w, "\n%s\n\nRun \"%s COMMAND --help\" for what a command does, with examples.\n", exitStatuses, program)
		return err
	}
	return nil
}

// describeFlag adds to a flag's help where else its value can come from.
func describeFlag(v *kong.Value) string {
	if v.Flag == nil || !settings.Settable(v.Flag) {
		return v.Help
	}
	text := strings.TrimRight(v.Help, ".")
	if v.Default != "" && v.Flag.PlaceHolder != "" {
		text += ", default " + v.Default
	}
	return text + " [" + settings.EnvironmentName(v.Flag.Name) + "]."
}
