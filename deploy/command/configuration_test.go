package command

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"retorno/deploy/command/settings"
)

const configurationPage = "../../docs/configuration.md"

// sharedBy is from how many commands on a flag is described once for all of them.
const sharedBy = 3

const configurationHead = `# Commands and settings

<!-- Generated from the command line of the program. Do not edit: run go test ./deploy/command -run TestConfigurationPage -update -->

Each setting has one name, written three ways: the flag ` + "`--kafka-brokers`" + `, the environment variable
` + "`RETORNO_KAFKA_BROKERS`" + `, and the key ` + "`kafka-brokers`" + ` of the YAML file that ` + "`--config`" + ` names. A flag outweighs the
environment, the environment outweighs the file, and the file outweighs the default. An unknown key in the file is an error.
A key that is the name of a command holds settings for that command alone.

` + "```yaml" + `
kafka-brokers: [kafka-1:9092, kafka-2:9092]
clickhouse-addr: db:9000
consume:
  flush-every: 500ms
` + "```" + `

` + "`--print-config`" + ` prints the settings in force, and where each comes from. A password is read from the file that its
` + "`…-file`" + ` flag names, or from the environment. It is never a flag and is never printed.

Settings without an environment variable belong to one call, and are given on the command line only.

Exit status of every command: 0 done; 1 the answer is no (a difference, a contradiction, rejected rows); 2 wrong use or
configuration; 3 something it needs is not there.

`

// TestConfigurationPage: docs/configuration.md lists every command with every flag that --help shows.
func TestConfigurationPage(t *testing.T) {
	var cli grammar
	parser, err := newParser(&cli, settings.New(func(string) (string, bool) { return "", false }))
	if err != nil {
		t.Fatal(err)
	}
	page := configurationOf(parser.Model)
	if *update {
		if err := os.WriteFile(configurationPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page {
		t.Errorf("docs/configuration.md is not what the commands are: run go test ./deploy/command -run %s -update", t.Name())
	}
}

// configurationOf writes the page: what commands share first, then command after command.
func configurationOf(model *kong.Application) string {
	var b strings.Builder
	b.WriteString(configurationHead)
	leaves := model.Leaves(true)
	users := map[string]int{}
	var order []*kong.Flag
	for _, leaf := range leaves {
		for _, f := range leaf.Flags {
			if users[rowOf(f)]++; users[rowOf(f)] == 1 {
				order = append(order, f)
			}
		}
	}
	writeFlags(&b, "## Of every command", model.Flags, "")
	shared := map[string]bool{}
	var common []*kong.Flag
	for _, f := range order {
		if users[rowOf(f)] >= sharedBy {
			shared[rowOf(f)] = true
			common = append(common, f)
		}
	}
	writeFlags(&b, "## Shared settings", common, "Several commands have these; the section of a command names the ones it has.\n\n")
	for _, leaf := range leaves {
		words := strings.TrimPrefix(leaf.FullPath(), model.Name+" ")
		var own []*kong.Flag
		var also []string
		for _, f := range leaf.Flags {
			switch {
			case f.Hidden:
			case shared[rowOf(f)]:
				also = append(also, "`--"+f.Name+"`")
			default:
				own = append(own, f)
			}
		}
		intro := cell(leaf.Help) + "\n\n" + detailOf(leaf)
		if len(also) > 0 {
			intro += "[Shared settings](#shared-settings): " + strings.Join(also, ", ") + ".\n\n"
		}
		writeFlags(&b, "## retorno "+strings.Fields(words)[0]+subcommand(leaf), own, intro)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// detailOf is the longer text of --help, without what every command says.
func detailOf(leaf *kong.Node) string {
	text, _, _ := strings.Cut(leaf.Detail, "\n"+exitStatuses)
	does, examples, _ := strings.Cut(text, "\n\nExamples:\n\n")
	usage := program + " " + strings.TrimSpace(leaf.Summary())
	return does + "\n\n```text\n" + usage + "\n```\n\n```sh\n" + strings.ReplaceAll(strings.TrimPrefix(examples, "    "), "\n    ", "\n") + "```\n\n"
}

// subcommand is the further words of a command that has more than one.
func subcommand(leaf *kong.Node) string {
	if leaf.Parent == nil || leaf.Parent.Type == kong.ApplicationNode {
		return ""
	}
	return subcommand(leaf.Parent) + " " + leaf.Name
}

func writeFlags(b *strings.Builder, title string, flags []*kong.Flag, intro string) {
	b.WriteString(title + "\n\n" + intro)
	rows := 0
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		if rows++; rows == 1 {
			b.WriteString("| flag | environment | default | meaning |\n|---|---|---|---|\n")
		}
		b.WriteString(rowOf(f))
	}
	if rows > 0 {
		b.WriteString("\n")
	}
}

// rowOf is a flag as a row of a table.
func rowOf(f *kong.Flag) string {
	name := "`--" + f.Name + "`"
	if !f.IsBool() {
		value := f.PlaceHolder
		if value == "" {
			value = "…"
		}
		name = "`--" + f.Name + "=" + value + "`"
	}
	variable := ""
	if settings.Settable(f) {
		variable = "`" + settings.EnvironmentName(f.Name) + "`"
	}
	given := ""
	if f.Default != "" {
		given = "`" + f.Default + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", cell(name), variable, cell(given), cell(f.Help))
}

// cell is a text that ends no cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}
