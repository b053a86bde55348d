package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	section = regexp.MustCompile(`(?m)^## (.+)$`)
	flagRow = regexp.MustCompile("(?m)^\\| `(--[a-z-]+)(?:=[^`]*)?` \\|")
	named   = regexp.MustCompile("`(--[a-z-]+)`")
)

// readCommands takes the commands and their flags from the page that is generated from the command line.
func (x *tree) readCommands(page string) {
	x.commands, x.flags = map[string]map[string]bool{}, map[string]bool{}
	titles := section.FindAllStringSubmatchIndex(page, -1)
	for i, at := range titles {
		end := len(page)
		if i+1 < len(titles) {
			end = titles[i+1][0]
		}
		title, text := page[at[2]:at[3]], page[at[1]:end]
		flags := map[string]bool{}
		for _, m := range flagRow.FindAllStringSubmatch(text, -1) {
			flags[m[1]], x.flags[m[1]] = true, true
		}
		words, command := strings.CutPrefix(title, "retorno ")
		switch {
		case command:
			for _, m := range named.FindAllStringSubmatch(text, -1) {
				flags[m[1]] = true
			}
			x.commands[words] = flags
		case title == "Of every command":
			x.commands[""] = flags
		}
	}
}

// shell are the commands in blocks and spans of a document that this project does not have.
func (x *tree) shell(text string) (faults []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] != "sh" && m[1] != "bash" && m[1] != "shell" {
			continue
		}
		for line := range strings.Lines(strings.ReplaceAll(m[2], "\\\n", " ")) {
			faults = append(faults, x.line(line)...)
		}
	}
	for _, s := range span.FindAllString(fence.ReplaceAllString(text, ""), -1) {
		s = strings.Trim(s, "`")
		if name, _, _ := strings.Cut(strings.Fields(s + " ")[0], "="); strings.HasPrefix(name, "--") {
			if !x.flags[name] {
				faults = append(faults, "no command has the flag "+name)
			}
			continue
		}
		faults = append(faults, x.line(s)...)
	}
	return faults
}

// line judges the calls of make, go test and this program in a line of shell.
func (x *tree) line(line string) (faults []string) {
	call := []string{}
	for _, word := range append(split(line), ";") {
		if word != ";" {
			call = append(call, word)
			continue
		}
		for len(call) > 0 && (assignment.MatchString(call[0]) || slices.Contains([]string{"time", "sudo", "nice"}, call[0])) {
			call = call[1:]
		}
		if len(call) > 1 {
			switch strings.TrimPrefix(call[0], "bin/") {
			case "make":
				faults = append(faults, x.makes(call[1:])...)
			case "retorno":
				faults = append(faults, x.runs(call[1:])...)
			case "go":
				faults = append(faults, x.goes(call[1:])...)
			}
		}
		call = call[:0]
	}
	return faults
}

var assignment = regexp.MustCompile(`^[A-Za-z_]+=`)

// split cuts a line of shell into words, and ends at a comment. What ends a call stands as ";".
func split(line string) (all []string) {
	var word strings.Builder
	var quote rune
	end := func() {
		if word.Len() > 0 {
			all = append(all, word.String())
			word.Reset()
		}
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote = r
		case r == '#' && word.Len() == 0:
			return all
		case r == ' ' || r == '\n' || r == '\t':
			end()
		case strings.ContainsRune("|&;", r):
			end()
			all = append(all, ";")
		default:
			word.WriteRune(r)
		}
	}
	end()
	return all
}

func (x *tree) makes(args []string) (faults []string) {
	var target string
	for _, a := range args {
		value, given := strings.CutPrefix(a, "ARGS=")
		switch {
		case given:
			if flags, ok := x.commands[target]; ok {
				faults = append(faults, x.unknown(target, flags, strings.Fields(value))...)
			}
		case assignment.MatchString(a) || strings.HasPrefix(a, "-"):
		case !x.targets[a]:
			faults = append(faults, "the Makefile has no target "+a)
		default:
			target = a
		}
	}
	return faults
}

func (x *tree) runs(args []string) []string {
	if strings.HasPrefix(args[0], "-") || strings.ToUpper(args[0]) == args[0] { // of all commands, or of any
		return x.unknown("", x.flags, args)
	}
	name := args[0]
	for words := min(3, len(args)); words > 1; words-- {
		if longer := strings.Join(args[:words], " "); x.commands[longer] != nil {
			name = longer
			break
		}
	}
	flags, ok := x.commands[name]
	if !ok && len(args) == 1 {
		for command := range x.commands {
			ok = ok || strings.HasPrefix(command, name+" ")
		}
	}
	if !ok {
		return []string{fmt.Sprintf("there is no command retorno %s", strings.Join(args, " "))}
	}
	return x.unknown(name, flags, args)
}

// unknown are the flags among args that a command does not have.
func (x *tree) unknown(command string, flags map[string]bool, args []string) (faults []string) {
	for _, a := range args {
		name, _, _ := strings.Cut(a, "=")
		if !strings.HasPrefix(name, "--") {
			continue
		}
		if !flags[name] && !x.commands[""][name] {
			faults = append(faults, fmt.Sprintf("retorno %s has no flag %s", command, name))
		}
	}
	return faults
}

// goes judges the packages of go test.
func (x *tree) goes(args []string) (faults []string) {
	for _, a := range args {
		path, local := strings.CutPrefix(a, "./")
		if local && path != "..." && !strings.Contains(path, "PACKAGE") && !x.exists(strings.TrimSuffix(path, "/...")) {
			faults = append(faults, "there is no package "+path)
		}
	}
	return faults
}
