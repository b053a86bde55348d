package explain

import (
	"fmt"
	"io"
	"strings"

	"retorno/consumers/counting/reconcile"
)

func (p *page) change(n int, c *Change) {
	p.line("%2d %s  sent %s, recorded %s", n, c.At, c.SentAt, c.Recorded)
	p.line("   %s %s revision %d: %s", c.Kind, c.RecordID, c.Revision, whatText(c.Nature, c.Late, c.Held, c.Mended))
	for _, d := range c.Fields {
		p.line("   the record's %s: %s → %s", d.Name, orNothing(d.Before), orNothing(d.After))
	}
	for i := range c.Returns {
		p.moved(&c.Returns[i])
	}
	for _, h := range c.Helps {
		p.line("   help %s: %s → %s", h.RecordID, helpText(h.CountedBefore, h.Before), helpText(h.CountedAfter, h.After))
	}
	for i := range c.Cells {
		p.cell(&c.Cells[i])
	}
}

func whatText(n Nature, late, held, mended bool) string {
	text := natureText(n)
	if late {
		text += ", late: it happened before a fact that was counted already"
	}
	if held {
		text += "; held as future: its event lies more than an hour after this sending"
	}
	if mended && n != Released {
		text += "; the fact was held as future and counts now"
	}
	return text
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

func helpText(counted bool, of *ID) string {
	switch {
	case !counted:
		return "not counted"
	case of == nil:
		return "unattached"
	}
	return "of return " + of.String()
}

func (p *page) moved(m *Moved) {
	p.line("   return %s %s", m.Return, effectText(m))
	var whole []string
	for _, d := range m.Attributes {
		switch {
		case d.Before == "":
			whole = append(whole, d.Name+"="+d.After)
		case d.After == "":
			whole = append(whole, d.Name+"="+d.Before)
		default:
			p.line("      %s: %s → %s", d.Name, d.Before, d.After)
		}
	}
	if len(whole) > 0 {
		p.line("      %s", strings.Join(whole, " "))
	}
}

func effectText(m *Moved) string {
	switch m.Effect {
	case Appears:
		return "appears"
	case Vanishes:
		return "no longer exists"
	case Changes:
		return "changes"
	case Renamed:
		return fmt.Sprintf("is now %s, after its new first fact", m.Other)
	case Merged:
		return fmt.Sprintf("no longer exists: its facts are now part of return %s", m.Other)
	case Split:
		return fmt.Sprintf("appears: its facts were part of return %s", m.Other)
	}
	return string(m.Effect)
}

// cell writes a cell that went up or down, in a line.
func (p *page) cell(c *Cell) {
	var by []string
	for _, n := range []struct {
		name  string
		count int64
	}{{"registered", c.By.Registered}, {"checkpoint", c.By.Checkpoint}, {"reconciled", c.By.Reconciled}, {"helps", c.By.Helps}, {"crossings", c.By.Crossings}} {
		if n.count != 0 {
			by = append(by, fmt.Sprintf("%s %+d", n.name, n.count))
		}
	}
	p.line("   %s %s: %s", c.Table, strings.Join(by, " "), codes(c.Codes))
}

func codes(all []reconcile.Attribute) string {
	parts := make([]string, len(all))
	for i, a := range all {
		parts[i] = a.Name + "=" + a.Value
	}
	return strings.Join(parts, " ")
}

// Write writes the explanation for people.
func (t *Total) Write(w io.Writer, style Style) error {
	p := &page{style: style}
	p.line("Cell %s, by method version %d", fields(t.Asked), t.MethodVersion)
	p.line("%s", inSeries(t.Counts))
	if t.Coverage != nil {
		p.line("coverage   %.1f %% (registered / reconciled)", *t.Coverage)
	}
	p.logs(t.Log, t.Accounts)
	p.line("")
	p.line("RETURNS in the cell: %d%s", t.Counts.Reconciled, only(int64(len(t.Returns)), t.Counts.Reconciled))
	for _, r := range t.Returns {
		p.line("   %s  %s  person %s%s%s", r.Return, r.Day, style.key(r.Person), when(r.Registered, ", registered"), when(r.Checkpoint, ", seen at a checkpoint"))
	}
	p.line("")
	p.line("CHANGED in it by corrections, voids, lifted voids, conflicts, released future facts and facts that happened before one")
	p.line("counted already: %d in, %d out, %d between series%s", t.In, t.Out, t.Within, only(int64(len(t.Changes)), t.In+t.Out+t.Within))
	if t.CompletedIn+t.CompletedOut > 0 {
		p.line("Not listed: facts that came in the order in which they happened and told more of a return moved %d in and %d out.", t.CompletedIn, t.CompletedOut)
	}
	if u := t.Unfollowed; u.Persons > 0 {
		p.line("Not followed: what %d records of %d persons with more than %d records each have moved; their returns are counted.", u.Records, u.Persons, mostFollowed)
	}
	for i := range t.Changes {
		p.line("")
		p.entry(&t.Changes[i])
	}
	p.line("")
	switch {
	case t.Undecided && len(t.Differences) > 0:
		p.line("Not compared with the log: the consumers were writing all the while.")
	default:
		p.conclude(t.Differences, "What stands in ClickHouse is what the log comes to.")
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func when(set bool, text string) string {
	if set {
		return text
	}
	return ""
}

// only says how many of how many are listed.
func only(listed, all int64) string {
	if listed >= all {
		return ""
	}
	return fmt.Sprintf("; %d are listed, --limit=0 lists all", listed)
}

// logs says in short what was read, and where something is missing of it.
func (p *page) logs(all []Log, a Accounts) {
	var messages int64
	pending := 0
	for _, l := range all {
		pending += l.Pending
		for _, s := range l.Spans {
			messages += s.End - s.First
		}
	}
	p.line("log        %d messages of %d partitions: %d accepted, %d duplicate, %d superseded, %d rejected",
		messages, len(all), a.Accepted, a.Duplicate, a.Superseded, a.Rejected)
	for _, l := range all {
		for _, s := range l.Spans {
			if s.First > 0 {
				p.line("           %s/%d begins at offset %d: changes before it are not known", s.Topic, l.Partition, s.First)
			}
		}
	}
	if pending > 0 {
		p.line("pending    %d messages are in the log and not counted yet; they are left out here", pending)
	}
}

func (p *page) entry(e *Entry) {
	way := map[Direction]string{In: "into the cell", Out: "out of the cell", Within: "between series"}[e.Direction]
	p.line("   %s: return %s of person %s %s", way, e.Return, p.style.key(e.Person), effectText(&e.Moved))
	p.line("      by %s %s revision %d: %s", e.Kind, e.RecordID, e.Revision, whatText(e.Nature, e.Late, false, false))
	p.line("      at %s, sent %s, recorded %s", e.At, e.SentAt, e.Recorded)
	var moved []string
	for _, d := range e.Attributes {
		if d.Before != "" && d.After != "" {
			moved = append(moved, fmt.Sprintf("%s %s → %s", d.Name, d.Before, d.After))
		}
	}
	if len(moved) > 0 {
		p.line("      %s", strings.Join(moved, ", "))
	}
}
