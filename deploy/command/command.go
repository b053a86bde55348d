// Package command is the command line of retorno: it reads settings, wires the rooms together by hand, one file for
// each subcommand, and turns what happened into an exit status.
//
// It promises that a setting comes from the flag, else the environment, else the configuration file, else the default;
// that results go to stdout and everything else to stderr; and that every failure is one message that says what was
// wrong, with exit status 0 (done), 1 (the answer is no), 2 (wrong use or configuration) or 3 (something it needs is
// not there). It never prints a secret, nor a stack trace unless RETORNO_DEBUG is set.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"retorno/deploy/command/screen"
	"retorno/deploy/command/settings"
	"retorno/deploy/ops"
)

// program is the name that people type.
const program = "retorno"

// version is set by the linker (git describe).
var version = "unknown"

// built is when what was built was committed, as RFC 3339; set by the linker. "": not known.
var built string

// grammar is what can be typed: the common settings and the subcommands, in the order of --help.
type grammar struct {
	common
	laboratory

	Agent      agentCommand      `cmd:"" help:"The computer at a post or a centre: what is typed there is kept and sent."`
	Send       sendCommand       `cmd:"" help:"Send JSON Lines of events to Kafka."`
	Import     importCommand     `cmd:"" help:"Send rows of another system's export to Kafka."`
	Documents  documentsCommand  `cmd:"" help:"Documents that were reported stolen."`
	Identity   identityCommand   `cmd:"" help:"The secret of the person keys: make it, compare it."`
	Migrate    migrateCommand    `cmd:"" help:"Create or upgrade the ClickHouse schema."`
	Consume    consumeCommand    `cmd:"" help:"Count: the consumer process; any number of them share the work."`
	Verify     verifyCommand     `cmd:"" help:"Count a second time by other means, and compare."`
	Table      tableCommand      `cmd:"" help:"The counted table in the form of a published one."`
	Publish    publishCommand    `cmd:"" help:"Keep the counts of a period as they are now: a new vintage of it."`
	Revisions  revisionsCommand  `cmd:"" help:"The vintages of a period beside each other, and why they differ."`
	Attack     attackCommand     `cmd:"" help:"Try to find out single cells from what was published."`
	Vintage    vintageCommand    `cmd:"" help:"What was published: check it, make the key that signs it."`
	Explain    explainCommand    `cmd:"" help:"Which facts, revisions and rules made a return or a cell, and what corrections changed."`
	Partition  partitionCommand  `cmd:"" help:"Partitions that have stopped: list, and record the decision about each."`
	DeadLetter deadletterCommand `cmd:"" name:"deadletter" help:"What could not be understood: list, show, send again."`
	Serve      serveCommand      `cmd:"" help:"Web: the page for everyone and the feed for partner agencies."`
	Version    versionCommand    `cmd:"" help:"Print which build this is."`
}

// common are the settings of every command.
type common struct {
	Help        helpFlag `short:"h" per:"call" group:"Of every command:" help:"Show help for the command and end."`
	Config      string   `placeholder:"FILE" group:"Of every command:" help:"Read settings from this YAML file; its keys are the names of flags, of any command, or a command with its own below it."`
	PrintConfig bool     `per:"call" group:"Of every command:" help:"Print the settings in force and where each comes from, secrets masked, and end."`
	LogLevel    string   `enum:"debug,info,warn,error" default:"info" group:"Of every command:" help:"Least level of messages on stderr: ${enum}."`
	LogFormat   string   `enum:"text,json" default:"text" group:"Of every command:" help:"Form of messages on stderr: ${enum}."`
}

// terminal is what a command talks to. Commands get it in Run and use nothing else of the process.
type terminal struct {
	In     io.Reader
	Out    io.Writer // results
	Err    io.Writer // everything else
	Log    *slog.Logger
	Stated func(flag string) bool // whether a setting of this command was given, and not left to its default
}

// Main runs one command line and returns the exit status. The first SIGINT or SIGTERM asks the command to end in
// order, the second one kills.
func Main(args []string) int {
	ctx, stop := interruptible(context.Background(), os.Stderr)
	defer stop()
	return run(ctx, args, os.LookupEnv, os.Environ(), &terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// run is Main with everything it touches handed in.
func run(ctx context.Context, args []string, lookup func(string) (string, bool), environ []string, t *terminal) int {
	out, errs := screen.NewWriter(t.Out), screen.NewWriter(t.Err)
	t = &terminal{In: t.In, Out: out, Err: errs}
	var selected string
	err := ops.Protect("the command line", func() error {
		var cli grammar
		resolver := settings.New(lookup)
		parser, err := newParser(&cli, resolver)
		if err != nil {
			return err
		}
		parsed, err := parse(parser, args)
		if parsed != nil {
			selected = settings.CommandName(parsed)
		}
		var help *helpWanted
		if errors.As(err, &help) {
			return printHelp(help.context, t.Out)
		}
		if err != nil {
			return err
		}
		t.Log = newLogger(t.Err, cli.LogLevel, cli.LogFormat)
		t.Stated = func(flag string) bool { return resolver.Stated(parsed, flag) }
		for _, w := range settings.UnknownEnvironment(parser.Model, environ) {
			t.Log.Warn(w)
		}
		if cli.PrintConfig {
			return resolver.Print(t.Out, parsed)
		}
		parsed.BindTo(ctx, (*context.Context)(nil))
		parsed.Bind(t)
		return ops.Protect(selected, func() error { return parsed.Run() })
	})
	status := finish(t.Err, selected, errors.Join(err, out.Close()), lookup)
	return max(status, finish(t.Err, selected, errs.Close(), lookup))
}

// newParser builds the parser: flags only from the command line here, everything else from the resolver.
func newParser(cli *grammar, resolver *settings.Resolver) (*kong.Kong, error) {
	return kong.New(cli,
		kong.Name(program),
		kong.Description("Counts the people returned to Honduras, from events at border posts and reception centres to published tables."),
		kong.NoDefaultHelp(),
		kong.Resolvers(resolver),
		kong.Bind(resolver),
	)
}

// parse reads the command line; its errors are wrong use, and name the command and what could have been meant.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	parsed, err := parser.Parse(args)
	if err == nil {
		return parsed, nil
	}
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		parsed = wrong.Context
	}
	var help *helpWanted
	if errors.As(err, &help) {
		help.context = parsed
		return parsed, help
	}
	text := misuse(err, parsed, args)
	if parsed == nil || parsed.Selected() == nil || len(parsed.Selected().Children) > 0 {
		return parsed, Usage(fmt.Errorf("%s\ncommands: %s", text, strings.Join(commandsBelow(parser, parsed), ", ")))
	}
	return parsed, Usage(fmt.Errorf("%s\nsee %s %s --help", text, program, settings.CommandName(parsed)))
}

// misuse says in plain words what the parser could not understand.
func misuse(err error, parsed *kong.Context, args []string) string {
	if len(args) == 0 {
		return "which command?"
	}
	text := strings.ReplaceAll(err.Error(), `"`, "'")
	if i := strings.Index(text, ": expected "); i >= 0 && strings.HasSuffix(text, "(<EOL>)") {
		return text[:i] + ": needs a value"
	}
	// A command's own words come with its name before them, which the message has already.
	text = strings.TrimPrefix(text, settings.CommandName(parsed)+": ")
	return strings.ReplaceAll(text, "missing flags: ", "needs ")
}

// commandsBelow lists the commands that could have followed what was understood.
func commandsBelow(parser *kong.Kong, parsed *kong.Context) []string {
	node := parser.Model.Node
	if parsed != nil && parsed.Selected() != nil {
		node = parsed.Selected()
	}
	var names []string
	for _, child := range node.Children {
		names = append(names, child.Name)
	}
	return names
}

// BeforeResolve reads the configuration file, once the command line is known and before anything else is.
func (common) BeforeResolve(ctx *kong.Context, s *settings.Resolver) error { return s.ReadFile(ctx) }

func newLogger(w io.Writer, level, format string) *slog.Logger {
	var least slog.Level
	// The parser has checked the level against the names that slog knows.
	_ = least.UnmarshalText([]byte(level))
	options := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// say tells a person what is going on; it is no result.
func (t *terminal) say(format string, args ...any) {
	_, _ = fmt.Fprintf(t.Err, format+"\n", args...)
}
