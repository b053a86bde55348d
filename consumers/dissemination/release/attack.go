package release

import (
	"cmp"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
)

// AttackOn is what an attacker has who has read vintages, in their order, and knows counts from elsewhere. The thresholds are those of their
// lattices. The error names a vintage whose lattice cannot be read.
func AttackOn(all []*bundle.Bundle, known []attack.Known) (*attack.Input, error) {
	in := &attack.Input{Sensitive: map[string][]string{}, Thresholds: map[string]int64{}, Within: map[string]string{}, Known: known}
	for _, b := range slices.SortedStableFunc(slices.Values(all), func(a, b *bundle.Bundle) int {
		return cmp.Or(cmp.Compare(a.Manifest.Period, b.Manifest.Period), cmp.Compare(a.Manifest.Vintage, b.Manifest.Vintage))
	}) {
		l, err := lattice.Parse(b.Name()+" "+bundle.LatticePath, b.Lattice)
		if err != nil {
			return nil, err
		}
		if least := l.Least(); in.Threshold == 0 || least < in.Threshold {
			in.Threshold = least
		}
		for _, column := range l.Columns {
			if column.Sensitive != nil {
				in.Sensitive[column.ID] = column.Sensitive.Ignored
			}
		}
		for persons, events := range l.Persons() {
			in.Within[persons] = events
		}
		v := b.Vintage()
		for key, threshold := range l.Thresholds(v.Tables, v.Hierarchies) {
			in.Thresholds[key] = max(in.Thresholds[key], threshold)
		}
		whole, err := l.Joined(b.Manifest.Period, v.Tables)
		if err != nil {
			return nil, err
		}
		for _, k := range known {
			for i, column := range k.Columns {
				finer(v.Hierarchies[column], whole[column], k.Codes[i])
			}
		}
		in.Vintages = append(in.Vintages, v)
	}
	return in, nil
}

// finer adds to the hierarchy of a column of a vintage a code that its tables have only within another, with all codes beside it there: those
// that were joined, for example.
func finer(h, whole published.Hierarchy, code string) {
	if _, there := h[code]; there || code == published.Total {
		return
	}
	within := whole.Parent(code)
	if within == "" || within == published.Total && whole[code] == "" {
		return // the lattice does not have it
	}
	finer(h, whole, within)
	if _, there := h[within]; !there {
		return
	}
	for _, beside := range whole.Parts(within) {
		h[beside] = within
	}
}

// attacked attacks what is about to be published, beside everything that is public of the period and what others publish. What it finds
// about this vintage is a reason not to publish it; the certificate says what was tried.
func (p *Publication) attacked(c *bundle.Content, public Public, e *earlier) error {
	now := &bundle.Bundle{Manifest: c.Manifest, Tables: c.Tables, Codes: c.Codes, Lattice: c.Lattice}
	now.Manifest.Vintage = 1
	all := []*bundle.Bundle{now}
	if e != nil {
		now.Manifest.Vintage = e.number + 1 // or a later one
		all = append(slices.Clone(e.all), now)
	}
	in, err := AttackOn(all, public.Known)
	if err != nil {
		return err
	}
	found, err := attack.Run(in)
	if err != nil {
		return fmt.Errorf("attack it: %w", err)
	}
	found = slices.DeleteFunc(found, func(f attack.Finding) bool { return f.Vintage != now.Name() && f.With != now.Name() })
	if len(found) > 0 {
		return &RefusedError{Period: p.Period, Reasons: []Reason{{Disclosed, fmt.Sprintf("with what is public its tables would give away %d counts, such as: %s", len(found), found[0]),
			"publish it when more has changed; or, unless it is a revision, with a coarser lattice"}}}
	}
	c.Certificate.Attack.Known = len(in.Known)
	for _, v := range in.Vintages[:len(in.Vintages)-1] {
		c.Certificate.Attack.Vintages = append(c.Certificate.Attack.Vintages, v.ID)
	}
	return nil
}
