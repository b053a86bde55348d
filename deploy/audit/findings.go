package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
)

// finding is a vulnerable function that the program calls, directly or through others.
type finding struct {
	id      string // such as GO-2026-0001
	summary string // one line of the database
	module  string // with its version, such as stdlib v1.26.8
	fixed   string // the first version without it; "" = there is none yet
	called  string // the place in this program from which it is reached
}

func (f finding) String() string {
	fixed := "no fixed version"
	if f.fixed != "" {
		fixed = "fixed in " + f.fixed
	}
	return fmt.Sprintf("%s in %s, %s, reached from %s: %s", f.id, f.module, fixed, f.called, f.summary)
}

// frame is one call of a trace, as govulncheck prints it: the vulnerable function first, this program last.
type frame struct {
	Module, Version, Package, Function string
	Position                           struct {
		Filename string
		Line     int
	}
}

// readFindings reads what govulncheck prints as JSON. Vulnerabilities in code that is not called are left out; one is
// given once, however many ways lead to it.
func readFindings(r io.Reader) ([]finding, error) {
	summaries, found := map[string]string{}, map[string]finding{}
	scanned := false
	for in := json.NewDecoder(r); ; {
		var message struct {
			Config  *struct{}
			OSV     *struct{ ID, Summary string }
			Finding *struct {
				OSV          string
				FixedVersion string `json:"fixed_version"`
				Trace        []frame
			}
		}
		err := in.Decode(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("govulncheck's answer: %w", err)
		}
		scanned = scanned || message.Config != nil
		if o := message.OSV; o != nil {
			summaries[o.ID] = o.Summary
		}
		if f := message.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			last := f.Trace[len(f.Trace)-1]
			found[f.OSV] = finding{id: f.OSV, module: f.Trace[0].Module + " " + f.Trace[0].Version, fixed: f.FixedVersion,
				called: fmt.Sprintf("%s:%d", last.Position.Filename, last.Position.Line)}
		}
	}
	if !scanned {
		return nil, errors.New("govulncheck's answer is empty")
	}
	all := make([]finding, 0, len(found))
	for id, f := range found {
		f.summary = summaries[id]
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all, nil
}

// exception is a finding that is lived with until a day.
type exception struct {
	until  time.Time // the last day, UTC
	reason string
}

// readExceptions reads lines of ID, last day and reason; empty lines and those that begin with # say nothing.
func readExceptions(text string) (map[string]exception, error) {
	all := map[string]exception{}
	line := 0
	for raw := range strings.Lines(text) {
		line++
		raw = strings.TrimSpace(raw)
		if raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		fields := strings.SplitN(raw, " ", 3)
		if len(fields) < 3 {
			return nil, fmt.Errorf("line %d: want ID YYYY-MM-DD REASON, got %q", line, raw)
		}
		until, err := time.Parse(time.DateOnly, fields[1])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if _, twice := all[fields[0]]; twice {
			return nil, fmt.Errorf("line %d: %s stands there twice", line, fields[0])
		}
		all[fields[0]] = exception{until: until, reason: fields[2]}
	}
	return all, nil
}

// judge parts the findings into those that are open and those that are explained at the time now. An exception that is
// not needed is open, too: it would hide the same vulnerability when it comes back.
func judge(findings []finding, exceptions map[string]exception, now time.Time) (open, explained []string) {
	needed := map[string]bool{}
	for _, f := range findings {
		e, ok := exceptions[f.id]
		needed[f.id] = ok
		switch {
		case !ok:
			open = append(open, f.String())
		case !now.Before(e.until.AddDate(0, 0, 1)):
			open = append(open, fmt.Sprintf("%s; explained until %s only: %s", f, e.until.Format(time.DateOnly), e.reason))
		default:
			explained = append(explained, fmt.Sprintf("%s; until %s: %s", f, e.until.Format(time.DateOnly), e.reason))
		}
	}
	for id := range exceptions {
		if !needed[id] {
			open = append(open, id+" is explained in exceptions.txt and not found: take the line out")
		}
	}
	sort.Strings(open)
	return open, explained
}
