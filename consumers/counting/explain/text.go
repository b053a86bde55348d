package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"retorno/consumers/counting/reconcile"
)

// Style says how an explanation is written for people.
type Style struct {
	// WholeKeys writes person keys in full. Without it they are cut: a key links all records of one person, also in
	// other places, and text is what people paste into messages.
	WholeKeys bool
}

// shownDigits of a person key tell the persons of one text apart.
const shownDigits = 8

func (s Style) key(key string) string {
	if s.WholeKeys || len(key) <= shownDigits {
		return key
	}
	return key[:shownDigits] + "…"
}

// page collects text.
type page struct {
	strings.Builder
	style Style
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// Write writes the explanation for people.
func (r *Return) Write(w io.Writer, style Style) error {
	p := &page{style: style}
	for i := range r.Persons {
		person := &r.Persons[i]
		p.line("%s", r.headline(person))
		p.person(person)
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// headline says what the id is today.
func (r *Return) headline(p *Person) string {
	for _, m := range p.Returns {
		if m.ID == r.Asked {
			return fmt.Sprintf("Return %s, by method version %d", r.Asked, r.MethodVersion)
		}
		if slices.Contains(m.Facts, r.Asked) || slices.Contains(m.Helps, r.Asked) {
			return fmt.Sprintf("%s is no return but a record of return %s, by method version %d", r.Asked, m.ID, r.MethodVersion)
		}
	}
	for _, c := range slices.Backward(p.History) {
		for _, m := range c.Returns {
			if m.Return == r.Asked && (m.Effect == Vanishes || m.Effect == Merged || m.Effect == Renamed) {
				return fmt.Sprintf("Return %s no longer exists: it %s by %s", r.Asked, fate(m), c.At)
			}
		}
	}
	return fmt.Sprintf("%s is the id of a record that belongs to no return, by method version %d", r.Asked, r.MethodVersion)
}

func fate(m Moved) string {
	switch m.Effect {
	case Renamed:
		return "became " + m.Other.String()
	case Merged:
		return "became part of " + m.Other.String()
	}
	return "was taken away"
}

func (p *page) person(x *Person) {
	p.line("person     %s", p.style.key(x.Key))
	p.spans(x.Partition, x.Log, x.Pending)
	if a := x.Abridged; a != nil {
		p.line("abridged   the person has %d records in the log, %d facts and %d returns: shown is what concerns the id asked for", a.Copies, a.Facts, a.Returns)
	}
	p.line("")
	p.line("FACTS, in the order of the method: by arrival, then by record id")
	for i := range x.Facts {
		p.line("")
		p.fact(i+1, &x.Facts[i])
	}
	for i := range x.Rejected {
		p.line("")
		p.line("   rejected %s: %s: %s", x.Rejected[i].At, x.Rejected[i].Code, x.Rejected[i].Detail)
	}
	for i := range x.Returns {
		p.line("")
		p.made(&x.Returns[i], x.Facts)
	}
	if a := x.Abridged; a != nil && len(x.Returns) > 0 {
		p.line("   of %d facts and %d helps", a.FactsOfReturn, a.HelpsOfReturn)
	}
	p.line("")
	p.line("HISTORY, in the order of the log: by offset in each topic, between the topics by the time sent")
	if x.Abridged != nil {
		p.line("left out: more than %d records of one person are not followed one by one", mostFollowed)
	} else if len(x.History) == 0 {
		p.line("nothing has changed what these facts come to")
	}
	for i := range x.History {
		p.line("")
		p.change(i+1, &x.History[i])
	}
	p.line("")
	p.conclude(x.Differences, "What stands in ClickHouse is the end of this history.")
}

// spans says what of the log was read, and where its beginning is gone.
func (p *page) spans(partition int, spans []Span, pending int) {
	p.line("partition  %d", partition)
	for _, s := range spans {
		p.line("log        %s offsets %d to %d, counted up to %d", s.Topic, s.First, s.End, s.Counted)
		if s.First > 0 {
			p.line("           its beginning is gone: the history is known from offset %d on, what was before as retorno.facts holds it", s.First)
		}
	}
	if pending > 0 {
		p.line("pending    %d messages are in the log and not counted yet; they are left out here", pending)
	}
}

func (p *page) fact(n int, f *Fact) {
	p.line("%2d %s %s  arrival %s", n, f.Kind, f.RecordID, f.Arrival)
	p.line("   %s", verdictText(f))
	if f.FromStore != nil {
		p.line("   revision %d as stored; its record at %s is no longer in the log", f.Revision, *f.FromStore)
	}
	for _, c := range f.Copies {
		p.line("   revision %d%s  %s  sent %s, recorded %s, source %s no. %d: %s", c.Revision, voided(c.VoidReason), c.At, c.SentAt, c.Recorded, c.Source, c.SourceSeq, accountText(&c))
	}
	p.line("   states %s", fields(f.Stated))
}

func voided(reason string) string {
	if reason == "" {
		return ""
	}
	return ", void (" + reason + ")"
}

func fields(all []Field) string {
	parts := make([]string, len(all))
	for i, f := range all {
		parts[i] = f.Name + "=" + f.Value
	}
	return strings.Join(parts, "  ")
}

func accountText(c *Sent) string {
	text := string(c.Account) + ", " + natureText(c.Nature)
	if c.Held {
		text += "; the event lies more than an hour after this sending"
		if c.Account == Accepted {
			text += ": held as future"
		}
	}
	return text
}

func natureText(n Nature) string {
	switch n {
	case First:
		return "the first record of this fact in the log"
	case Correction:
		return "a correction"
	case Void:
		return "a void"
	case VoidLifted:
		return "lifts the void"
	case ConflictWon:
		return "conflict: another content of the same revision, and it holds by the larger content hash"
	case ConflictLost:
		return "conflict: another content of the same revision, and the other one holds by the larger content hash"
	case Released:
		return "a later copy, which releases the fact held as future"
	case Copy:
		return "a copy of what holds already"
	case Overtaken:
		return "a higher revision holds already"
	}
	return string(n)
}

// verdictText says what the method does with a fact, in the words of METHOD.md.
func verdictText(f *Fact) string {
	gap := ""
	if f.GapHours != nil {
		gap = fmt.Sprintf("%.2f h after the fact before it, %s", *f.GapHours, f.Before)
	}
	const limit = "at most 48 h"
	switch f.Verdict {
	case reconcile.Opens:
		if f.Before == nil {
			return fmt.Sprintf("opens return %s: none is open (Returns)", f.Return)
		}
		return fmt.Sprintf("opens return %s: it comes %s, and %s joins (Returns)", f.Return, gap, limit)
	case reconcile.Joins:
		return fmt.Sprintf("joins return %s: it comes %s, and %s joins (Returns)", f.Return, gap, limit)
	case reconcile.Closes:
		return fmt.Sprintf("closes return %s: an exit, %s (Returns)", f.Return, gap)
	case reconcile.NothingOpen:
		return "does nothing to returns: an exit, and no return is open (Returns)"
	case reconcile.NoReturn:
		return "does nothing to returns: a crossing that is neither marked as a return nor an exit (Returns)"
	case reconcile.HelpOf:
		return fmt.Sprintf("belongs to return %s: the latest whose first fact arrived before it or with it (Help)", f.Return)
	case reconcile.Unattached:
		return "counts unattached: no return began before it (Help)"
	case reconcile.LeftVoid:
		return "is left out: the revision that holds is void (What is left out)"
	case reconcile.LeftFuture:
		return "is left out: it lies more than an hour after every sending of the revision that holds (What is left out)"
	}
	return string(f.Verdict)
}

func (p *page) made(m *Made, facts []Fact) {
	p.line("RETURN %s, and what gave it each attribute (Attributes)", m.ID)
	if !m.National {
		p.line("of another national: kept in retorno.returns, not counted in ceniss (Nationals)")
	}
	for _, r := range m.Attributes {
		p.line("   %-13s %-24s %s", r.Name, r.Value, ruleText(r, facts))
	}
	if len(m.Helps) > 0 {
		names := make([]string, len(m.Helps))
		for i, h := range m.Helps {
			names[i] = h.String()
		}
		p.line("   %-13s %-24d %s", "helps", len(m.Helps), strings.Join(names, ", "))
	}
}

// ruleText says why an attribute has its value.
func ruleText(r Reason, facts []Fact) string {
	number := 0
	if r.Fact != nil {
		number = 1 + slices.IndexFunc(facts, func(f Fact) bool { return f.RecordID == *r.Fact })
	}
	switch r.Rule {
	case reconcile.ByRegistration:
		return fmt.Sprintf("fact %d: the earliest registration that states it", number)
	case reconcile.ByCrossing:
		return fmt.Sprintf("fact %d: the earliest return crossing that states it", number)
	case reconcile.ByNobody:
		return "unknown: nothing that may state it does"
	case reconcile.NotRegistered:
		return "not registered: the return holds no registration"
	case reconcile.ByFirstFact:
		return fmt.Sprintf("fact %d: the return's first fact", number)
	case reconcile.ByFirstCrossing:
		return fmt.Sprintf("fact %d: local date of the earliest return crossing's arrival", number)
	case reconcile.ByFirstRegister:
		return fmt.Sprintf("fact %d: local date of the earliest registration's arrival; there is no return crossing", number)
	case reconcile.ByCountryMode:
		return "country of return and mode"
	case reconcile.ByAge:
		return "the group of the age"
	case reconcile.ByHolding:
		return fmt.Sprintf("fact %d and those like it", number)
	case reconcile.ByLacking:
		return "the return holds none"
	}
	return string(r.Rule)
}

// conclude reports whether what is stored is what the log comes to.
func (p *page) conclude(differences []string, agreed string) {
	if len(differences) == 0 {
		p.line("%s", agreed)
		return
	}
	p.line("ALARM: WHAT IS STORED IS NOT WHAT THE LOG COMES TO")
	for _, d := range differences {
		p.line("   %s", d)
	}
}
