package register

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// kindsOfMess are what everyday and hard registers must show, and clean ones must not.
var kindsOfMess = []string{
	"copy as it was", "copy sent later", "overtaken on its computer", "correction to another cell", "correction to another month",
	"correction before original", "void", "void before original", "void of a void", "sent a week late", "future, mended by a copy",
	"future, mended by a revision", "future for ever", "two centres", "two posts", "ordinary entry inside a return",
	"form says otherwise", "unknown written out", "first minute of the period", "last minute of the period", "just before the period",
	"just after the period", "wrong person", "help before registration", "broken",
}

// kindsOfHardMess are what only hard registers must show.
var kindsOfHardMess = []string{"two contents of one revision", "lost", "returns 48 h and 1 ms apart", "facts 48 h apart", "two forms, one arrival", "future by 1 ms",
	"mended in the last moment"}

// kindsOfPeople are what every register must show.
var kindsOfPeople = []string{"no document", "never interviewed", "other nationality", "nationality not stated", "transit", "deceased",
	"departure_prevented", "ordinary entry", "ordinary exit", "two returns of a person", "two returns in a month", "exit between returns",
	"registered outside the period", "help under a registration without a person", "several helps", "help alone", "every computer",
	"registered the day after", "within a minute of midnight"}

func TestMessHappens(t *testing.T) {
	table := devTable(t, "A14")
	for _, mess := range []Level{None, Everyday, Hard} {
		r, messages := makeAll(t, table, Settings{Seed: 5, Mess: mess})
		found := observe(t, r, messages)
		t.Logf("%s: %v", mess, found)
		for _, kind := range kindsOfPeople {
			if found[kind] == 0 {
				t.Errorf("mess %s: none of the kind: %s", mess, kind)
			}
		}
		for _, kind := range kindsOfMess {
			if got := found[kind] > 0; got != (mess != None) {
				t.Errorf("mess %s: %s: %d times", mess, kind, found[kind])
			}
		}
		for _, kind := range kindsOfHardMess {
			if mess == Hard && found[kind] == 0 {
				t.Errorf("mess %s: never: %s", mess, kind)
			}
		}
		coverage := float64(found["registered"]) / float64(found["reconciled"])
		if coverage < 0.79 || coverage > 0.81 {
			t.Errorf("mess %s: coverage is %.3f; 0.80 is set", mess, coverage)
		}
	}
}

// observe counts what the messages show, without knowing how they were made.
func observe(t *testing.T, r *Register, messages []events.Message) map[string]int {
	found := map[string]int{}
	c := read(t, messages)
	c.reckon(r.table.First, r.table.Last)
	found["broken"], found["future for ever"] = sum(slices.Collect(maps.Values(c.rejected))), c.held
	observeSendings(messages, found)
	for _, h := range c.records {
		observeFact(h, found)
	}
	observeReturns(r, c, found)
	for _, s := range r.Truth().Sources {
		found["lost"] += int(s.Missing)
	}
	if len(c.seqs) == len(r.Sources()) {
		found["every computer"]++
	}
	return found
}

func sum(ns []int) (n int) {
	for _, x := range ns {
		n += x
	}
	return n
}

// observeSendings looks at what follows what on the way.
func observeSendings(messages []events.Message, found map[string]int) {
	history := map[string][]events.Opened{}
	lastSeq := map[string]uint64{}
	for _, m := range messages {
		o, err := events.Open(m.Value)
		if err != nil || len(events.Validate(o.Record)) > 0 {
			continue
		}
		if o.Record.SourceSeq < lastSeq[o.Record.SourceId] && o.Record.Revision == 1 {
			found["overtaken on its computer"]++
		}
		lastSeq[o.Record.SourceId] = max(lastSeq[o.Record.SourceId], o.Record.SourceSeq)
		if o.SentAtMs-o.Record.EventTimeMs > 7*86400_000 && o.Record.Revision == 1 {
			found["sent a week late"]++
		}
		if strings.Contains(o.Record.String(), `sex:"U"`) {
			found["unknown written out"]++
		}
		for _, earlier := range history[o.Record.RecordId] {
			observePair(earlier, o, found)
		}
		history[o.Record.RecordId] = append(history[o.Record.RecordId], o)
	}
}

// observePair compares two messages about one record, a sent before b.
func observePair(a, b events.Opened, found map[string]int) {
	future := func(o events.Opened) bool { return o.Record.EventTimeMs > o.SentAtMs+3600_000 }
	switch {
	case a.Record.Revision == b.Record.Revision && a.ContentHash == b.ContentHash:
		if a.SentAtMs == b.SentAtMs {
			found["copy as it was"]++
		} else {
			found["copy sent later"]++
		}
		if future(a) && !future(b) {
			found["future, mended by a copy"]++
			if b.Record.EventTimeMs == b.SentAtMs+3600_000 {
				found["mended in the last moment"]++
			}
		}
	case a.Record.Revision == b.Record.Revision:
		found["two contents of one revision"]++
	case a.Record.Revision > b.Record.Revision:
		if a.Record.VoidReason != "" {
			found["void before original"]++
		} else {
			found["correction before original"]++
		}
	default:
		if future(a) && !future(b) {
			found["future, mended by a revision"]++
		}
		switch {
		case b.Record.VoidReason != "":
			found["void"]++
		case a.Record.VoidReason != "":
			found["void of a void"]++
		case calendar.DayOf(a.Record.EventTimeMs).Month() != calendar.DayOf(b.Record.EventTimeMs).Month():
			found["correction to another month"]++
		default:
			found["correction to another cell"]++
		}
	}
}

// observeFact looks at one record as it is in the end.
func observeFact(h *heard, found map[string]int) {
	if h.record.VoidReason == "wrong_person" {
		found["wrong person"]++
	}
	if h.record.VoidReason != "" {
		return
	}
	if h.record.EventTimeMs == h.sentAt+3600_001 {
		found["future by 1 ms"]++
	}
	x := h.record.GetCrossing()
	if x == nil {
		if g := h.record.GetRegistration(); g != nil && h.record.PersonKey == "" {
			found["no document"]++
		}
		if g := h.record.GetAssistance(); g != nil && h.record.PersonKey == "" && g.RegistrationId != "" {
			found["help under a registration without a person"]++
		}
		return
	}
	switch {
	case x.Category == "transit" || x.Category == "deceased" || x.Category == "departure_prevented":
		found[x.Category]++
	case !x.Returned:
		found["ordinary "+x.Direction]++
	}
}

// observeReturns looks at people as the method sees them.
func observeReturns(r *Register, c *counted, found map[string]int) {
	people := map[string][]*heard{}
	for _, h := range c.records {
		if h.record.VoidReason == "" && h.record.EventTimeMs <= h.sentAt+3600_000 {
			people[events.Key(h.record)] = append(people[events.Key(h.record)], h)
		}
	}
	from, until := r.table.First.Start().UnixMilli(), (r.table.Last + 1).Start().UnixMilli()
	for _, facts := range people {
		slices.SortFunc(facts, func(a, b *heard) int {
			if a.arrival() != b.arrival() {
				return int(min(max(a.arrival()-b.arrival(), -1), 1))
			}
			return bytes.Compare(a.id[:], b.id[:])
		})
		observePerson(facts, c, found, from, until)
	}
	for _, ret := range c.returns {
		inside := r.table.First <= ret.Day && ret.Day <= r.table.Last
		switch {
		case !ret.National:
			found["other nationality"]++
		case !inside && ret.Registered:
			found["registered outside the period"]++
		case inside:
			found["reconciled"]++
			if ret.Registered {
				found["registered"]++
			} else {
				found["never interviewed"]++
			}
			if ret.Nationality == "XX" {
				found["nationality not stated"]++
			}
		}
	}
}

func observePerson(facts []*heard, c *counted, found map[string]int, from, until int64) {
	var returns []Return
	var last *heard
	helps, exits, inside := 0, 0, false
	for i, h := range facts {
		ret, opens := c.returns[h.id]
		x, g := h.record.GetCrossing(), h.record.GetRegistration()
		switch {
		case opens:
			if n := len(returns); n > 0 {
				found["two returns of a person"]++
				if returns[n-1].Day.Month() == ret.Day.Month() {
					found["two returns in a month"]++
				}
				if exits > 0 {
					found["exit between returns"]++
				}
				if h.arrival()-last.arrival() == 48*3600_000+1 {
					found["returns 48 h and 1 ms apart"]++
				}
			}
			returns, exits, inside = append(returns, ret), 0, true
			edgeMinutes(h, found, from, until)
		case x != nil && x.Direction == "exit":
			exits++
			inside = false
			continue
		case x != nil && !x.Returned:
			if inside && i+1 < len(facts) && !opensNext(c, facts[i+1:]) {
				found["ordinary entry inside a return"]++
			}
			continue
		case g == nil && x == nil:
			helps++
			if len(returns) == 0 {
				found["help alone"]++
			}
			named := c.records[h.record.GetAssistance().RegistrationId]
			if named != nil && h.record.EventTimeMs < named.record.EventTimeMs {
				found["help before registration"]++
			}
			continue
		default:
			observeJoin(last, h, found)
		}
		last = h
	}
	if helps > 1 {
		found["several helps"]++
	}
}

// opensNext reports whether the next fact that can be of a return begins one.
func opensNext(c *counted, facts []*heard) bool {
	for _, h := range facts {
		if h.record.GetRegistration() != nil || h.record.GetCrossing().GetReturned() {
			_, opens := c.returns[h.id]
			return opens
		}
	}
	return true
}

// observeJoin looks at a fact that joins the return of the fact before it.
func observeJoin(last, h *heard, found map[string]int) {
	a, b := last.record, h.record
	switch {
	case a.GetRegistration() != nil && b.GetRegistration() != nil:
		if a.GetRegistration().Centre != b.GetRegistration().Centre {
			found["two centres"]++
		}
		if last.arrival() == h.arrival() {
			found["two forms, one arrival"]++
		}
	case a.GetCrossing() != nil && b.GetCrossing() != nil:
		found["two posts"]++
	case a.GetCrossing() != nil && b.GetRegistration() != nil:
		if calendar.DayOf(b.EventTimeMs) > calendar.DayOf(a.EventTimeMs) {
			found["registered the day after"]++
		}
		if x, g := a.GetCrossing(), b.GetRegistration(); g.Sex != "" && x.Sex != "" && codelists.AgeGroupOf(int(g.GetAge())) != codelists.AgeGroupOf(int(x.GetAge())) {
			found["form says otherwise"]++
		}
	}
	if h.arrival()-last.arrival() == 48*3600_000 {
		found["facts 48 h apart"]++
	}
}

// edgeMinutes looks at how close to midnight and to the period's edges a return begins.
func edgeMinutes(h *heard, found map[string]int, from, until int64) {
	const near = 2 * 60_000
	at := h.arrival()
	for kind, distance := range map[string]int64{"first minute of the period": at - from, "just before the period": from - 1 - at,
		"last minute of the period": until - 1 - at, "just after the period": at - until} {
		if 0 <= distance && distance < near {
			found[kind]++
		}
	}
	midnight := calendar.DayOf(at).Start().UnixMilli()
	if at-midnight < 30_000 || midnight+86400_000-at < 30_000 {
		found["within a minute of midnight"]++
	}
}

// A broken message has the number of a record that is sent: a consumer takes the number from what it otherwise refuses, and
// the truth would call it missing.
func TestBrokenMessagesBearNumbersThatArrive(t *testing.T) {
	table, err := LoadTable(9000)
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for seed := range uint64(8) {
		r, _ := makeAll(t, table, Settings{Seed: seed, Mess: Hard})
		for _, b := range r.broken {
			if one := r.revs[b.rev]; one.marks&markLost != 0 {
				t.Errorf("seed %d: a broken message has number %d of %s, which is lost", seed, one.seq, r.sources.ids[one.source])
			}
		}
		for _, one := range r.revs {
			lost += int(one.marks & markLost / markLost)
		}
	}
	if lost == 0 {
		t.Error("no record is lost")
	}
}
