package imports

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"retorno/producers/importer"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// Options say what the file is to an earlier import.
type Options struct {
	// Replace names the import whose place the file takes.
	Replace string
	// OwnDays limits Replace to the days from the first of the file's to its last: rows of other days stay counted.
	OwnDays bool
	// Keep says that rows of earlier imports that the file lacks stay counted.
	Keep bool
	// Named says that the caller named the file's source, so that it is not sought.
	Named bool
}

// Changes are what sending a file changes.
type Changes struct {
	// Source is where its rows stand, Known whether an earlier import of it exists.
	Source string `json:"source"`
	Known  bool   `json:"known"`
	// New rows are sent; Unchanged ones count already, from this source or from Elsewhere: ElsewhereIn names those imports.
	// Rows of one system that say the same are one record, in whichever file they stand.
	New         int      `json:"new"`
	Unchanged   int      `json:"unchanged"`
	Elsewhere   int      `json:"elsewhere"`
	ElsewhereIn []string `json:"elsewhere_in,omitempty"`
	// Revised are rows with corrected cells: each is the next revision of the record that it was.
	Revised int `json:"revised"`
	// Voided are records that the file lacks and that no longer count, OtherDays those of them that lie before its first
	// day or after its last; Absent those that stay counted.
	Voided    int `json:"voided"`
	OtherDays int `json:"voided_other_days"`
	Absent    int `json:"absent"`
	// Restored are records that were void and count; StillVoid those that the file has and that stay void.
	Restored  int `json:"restored"`
	StillVoid int `json:"still_void"`
	// SharedBy are imports whose files held rows that this one had brought: where those are voided, their files are to be
	// imported again.
	SharedBy []string `json:"shared_by,omitempty"`
}

// fates of a row.
type fate byte

const (
	fateKnown    fate = iota // sent before, and as it was
	fateSend                 // a new record
	fateRevise               // the next revision of a record, which was corrected or void
	fateRejected             // a number is kept for it
)

// Plan is what is to be sent for a file.
type Plan struct {
	Changes
	// Rejected are the places of the rejected rows, in file order.
	Rejected []importer.Place

	cluster *Cluster
	file    *importer.File // nil: none, everything is taken back
	reason  string         // void_reason
	kind    string
	prints  []uint64
	shape   []uint64
	shares  map[string]bool     // imports that hold rows of the file
	whole   bool                // the file is all there is of the import, so that numbers without a row are closed
	sources map[string]*history // the imports that are changed
	fates   []fate
	numbers []uint64
	as      map[int]uuid.UUID // records of rows that are not those of their own ids
	taken   map[uuid.UUID]bool
}

// Make plans what is to be sent for a file. Errors: *ReplacesError when the caller has to say what the file is; *AlikeError when the
// caller has to say whether rows that look alike are the same people; *TakenError when rows mended apart are there already; *UnknownError for an import to replace that does not exist; those of the cluster.
func Make(ctx context.Context, c *Cluster, f *importer.File, o Options) (*Plan, error) {
	p := &Plan{cluster: c, file: f, reason: "entered_in_error", kind: f.Summary.Kind, sources: map[string]*history{}, shares: map[string]bool{}, as: map[int]uuid.UUID{}}
	heads, err := c.settled(ctx, func(i Import) bool { return i.Kind == p.kind && i.System == f.Summary.System })
	if err != nil {
		return nil, err
	}
	if f.Mended {
		return p, p.mended(ctx, heads, o)
	}
	rows, prints, err := p.rows(ctx)
	if err != nil {
		return nil, err
	}
	shapes := rows.shapes()
	before, err := p.relatives(ctx, heads, func(h Import) bool {
		return h.System == f.Summary.System && (prints.among(h.Prints) > samePrints || shapes.among(h.Shape) > samePrints)
	}, o)
	if err != nil {
		return nil, err
	}
	target, err := p.target(ctx, rows, prints, before, heads, o)
	if err != nil {
		return nil, err
	}
	m := match(rows, target, before)
	if o.Replace == "" && !o.Keep {
		if err := m.lookalikes(target, before); err != nil {
			return nil, err
		}
	}
	p.Source, p.Known = target.Source, target.Turn > 0
	p.SharedBy = sharedBy(target.Source, heads)
	p.sources[target.Source] = target
	return p, p.place(ctx, m, target, before, o)
}

// relatives are the earlier imports that may hold rows of the file: those of its kind and system on its days, the one
// that is named, and those that are known otherwise.
func (p *Plan) relatives(ctx context.Context, heads map[string]Import, known func(Import) bool, o Options) (map[string]*history, error) {
	sum := p.file.Summary
	var near []Import
	for _, h := range heads {
		named := h.Source == o.Replace || o.Named && h.Source == p.file.Source
		overlaps := h.System == sum.System && h.First <= sum.Last && sum.First <= h.Last && sum.First != "" && h.First != ""
		if h.Kind == sum.Kind && (named || overlaps || h.System == sum.System && h.State == StateSending || known(h)) {
			near = append(near, h)
		}
	}
	if len(near) == 0 {
		return nil, nil
	}
	all, err := p.cluster.histories(ctx, near, nil)
	settleHolders(all)
	return all, err
}

// target is the import to which the file's rows go.
func (p *Plan) target(ctx context.Context, rows rows, prints prints, before map[string]*history, heads map[string]Import, o Options) (*history, error) {
	if o.Replace != "" {
		h := before[o.Replace]
		if h == nil {
			return nil, unknown(o.Replace, p.kind, heads)
		}
		return h, nil
	}
	var best kinship
	for _, source := range sorted(before) {
		k := p.compare(rows, before[source])
		k.prints = prints.among(k.h.Prints)
		switch {
		case o.Named && source == p.file.Source:
			best = k
		case o.Named || k.alike == 0 && !k.related(len(rows)) || best.h != nil && best.kin() >= k.kin():
		default:
			best = k
		}
	}
	if best.h == nil {
		return p.newImport(heads, before), nil
	}
	h := best.h
	if best.like == 0 && best.absent <= min(h.Apart, p.file.Summary.Rejected) {
		best.absent = 0 // the file as it was before some of its rejected rows were mended apart
	}
	if !o.Keep && (best.absent > 0 || h.State == StateVoid || best.same == 0 && best.prints > samePrints || !best.related(len(rows)) && !o.Named) {
		return nil, p.question(ctx, best, rows, before)
	}
	return h, nil
}

// newImport is an import that is not known yet, under a name that none has; or one that was cut off before its first
// record.
func (p *Plan) newImport(heads map[string]Import, before map[string]*history) *history {
	name := p.file.Source
	for n := 2; ; n++ {
		if h := before[name]; h != nil && len(h.records) == 0 {
			return h
		}
		if _, taken := heads[name]; !taken {
			return newHistory(Import{Source: name, Kind: p.kind, System: p.file.Summary.System})
		}
		name = fmt.Sprintf("%s-%d", p.file.Source, n)
	}
}

// place gives each row its fate and number.
func (p *Plan) place(ctx context.Context, m *matching, h *history, before map[string]*history, o Options) error {
	var corrected map[int]*state
	if o.Replace != "" {
		var err error
		if corrected, err = p.correct(ctx, m, h, o); err != nil {
			return err
		}
	}
	free, i := h.allocator(), -1
	err := p.file.Each(ctx, func(row importer.Row) error {
		if row.Record == nil {
			n := free()
			p.Rejected = append(p.Rejected, importer.Place{Source: h.Source, Seq: n})
			p.set(fateRejected, n)
			return nil
		}
		i++
		if s := corrected[i]; s != nil {
			p.Revised++
			p.revise(s, m.rows[i].id, free())
			return nil
		}
		p.judge(m, i, row.Record, before, o.Replace != "", free)
		return nil
	})
	for _, s := range h.records {
		switch {
		case s.inFile || s.void:
		case o.Replace == "", o.OwnDays && !p.during(s):
			p.Absent++
		default:
			s.gone = true
			if p.Voided++; !p.during(s) {
				p.OtherDays++
			}
		}
	}
	p.whole = p.Absent == 0
	return err
}

// judge gives a good row its fate. again says that a record of the import that is void is to count once more.
func (p *Plan) judge(m *matching, i int, r *events.Record, before map[string]*history, again bool, number func() uint64) {
	s, h := m.found[i], m.own(i)
	switch {
	case s == nil:
		p.New++
		p.send(m, i, r, before, number())
	case !s.void && s.of != h:
		p.Elsewhere++
		if p.shares[s.of.Source] = true; !slices.Contains(p.ElsewhereIn, s.of.Source) {
			p.ElsewhereIn = append(p.ElsewhereIn, s.of.Source)
		}
		p.set(fateKnown, 0)
	case !s.void:
		p.Unchanged++
		p.set(fateKnown, 0)
	case s.of == h && !again:
		p.StillVoid++
		p.set(fateKnown, 0)
	default: // its next revision counts, in whichever import the last one stands
		p.Restored++
		h.restore(s)
		p.revise(s, m.rows[i].id, number())
	}
}

// revise sends a row as the next revision of a record.
func (p *Plan) revise(s *state, own uuid.UUID, number uint64) {
	if s.id != own {
		p.as[len(p.fates)] = s.id
	}
	p.set(fateRevise, number)
}

// send sends a row as a new record: that of its own id, or of the next one, where the record of that id says something else by now.
func (p *Plan) send(m *matching, i int, r *events.Record, before map[string]*history, number uint64) {
	own := m.rows[i].id
	if id := p.freeID(m, own, r, before); id != own {
		p.as[len(p.fates)] = id
	}
	p.set(fateSend, number)
}

func (p *Plan) freeID(m *matching, own uuid.UUID, r *events.Record, before map[string]*history) uuid.UUID {
	known := func(id uuid.UUID) bool {
		for _, h := range before {
			if h.records[id] != nil {
				return true
			}
		}
		return false
	}
	if !known(own) {
		return own
	}
	if p.taken == nil {
		p.taken = map[uuid.UUID]bool{}
		for _, row := range m.rows {
			p.taken[row.id] = true
		}
	}
	for n := uint32(2); ; n++ {
		id := uuid.MustParse(importer.AnotherID(p.file.Summary.System, r, n))
		if !p.taken[id] && !known(id) {
			p.taken[id] = true
			return id
		}
	}
}

func (p *Plan) set(f fate, number uint64) {
	p.fates, p.numbers = append(p.fates, f), append(p.numbers, number)
}

// allocator hands out the numbers that stand for nothing yet, lowest first.
func (h *history) allocator() func() uint64 {
	next := uint64(0)
	return func() uint64 {
		for {
			if next++; !h.numbers[next] {
				h.use(next)
				return next
			}
		}
	}
}

// MakeVoid plans the taking back of everything that an import brought, for a reason of the list void_reason. Errors:
// *UnknownError when no such import exists; those of the cluster.
func MakeVoid(ctx context.Context, c *Cluster, source, reason string) (*Plan, error) {
	heads, err := c.settled(ctx, func(i Import) bool { return i.Source == source })
	if err != nil {
		return nil, err
	}
	head, known := heads[source]
	if !known {
		return nil, unknown(source, "", heads)
	}
	histories, err := c.histories(ctx, []Import{head}, nil)
	if err != nil {
		return nil, err
	}
	p := &Plan{cluster: c, kind: head.Kind, reason: reason, whole: true, sources: histories}
	p.Source, p.Known, p.SharedBy = source, true, sharedBy(source, heads)
	for _, s := range histories[source].records {
		if !s.void {
			s.gone = true
			p.Voided++
		}
	}
	return p, nil
}

// sharedBy are the imports that hold rows which the source brought.
func sharedBy(source string, heads map[string]Import) (out []string) {
	for name, head := range heads {
		if slices.Contains(head.Shares, source) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// days widens the days of an import by a record's.
func (i *Import) days(r *events.Record) {
	day := calendar.DayOf(r.GetEventTimeMs()).String()
	if i.First == "" || day < i.First {
		i.First = day
	}
	i.Last = max(i.Last, day)
}

func sorted(m map[string]*history) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
