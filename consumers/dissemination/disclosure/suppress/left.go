package suppress

import (
	"fmt"

	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/published"
)

// guardLeftOut audits a release again beside the cells that joining left out of it. Withheld cells must be protected in this larger system
// too. A cell that was left out because it had too few persons need not be able to be 0, but it must not be computable, and must be able to
// reach its threshold.
func guardLeftOut(in, coarse *Input, release *Release) error {
	public := map[string]bool{}
	for _, t := range release.Tables {
		for _, c := range t.Cells {
			public[published.Key(t.Measure, t.Columns, c.Codes)] = !c.Withheld
		}
	}
	f, err := newFrame(merged(in, coarse))
	if err != nil {
		return err
	}
	left := map[int]bool{}
	for i, k := range f.keys {
		shown, there := public[k]
		f.Cells[i].Withheld = !shown
		if !there && f.primary[i] {
			left[i] = true
			release.LeftOut++
		} else if !there {
			f.Cells[i].Threshold = 0
		}
	}
	if len(left) == 0 {
		return nil
	}
	report, err := audit.Audit(&f.System, audit.Options{})
	if err != nil {
		return err
	}
	for _, fault := range report.Faults {
		if left[fault.Cell] && fault.Low < fault.High && fault.High >= f.Cells[fault.Cell].Threshold {
			continue
		}
		if !left[fault.Cell] || fault.Knowing < 0 {
			return &UnsafeError{f.keys[fault.Cell], fmt.Sprintf("with the cells that were left out beside it, %s is %d to %d", f.keys[fault.Cell], fault.Low, fault.High)}
		}
	}
	return nil
}

// merged returns tables that have the cells of both inputs: codes and joined codes.
func merged(in, coarse *Input) *Input {
	out := &Input{Cores: in.Cores, Hierarchies: coarse.Hierarchies}
	for i, t := range in.Tables {
		seen := map[string]bool{}
		counts := t.Counts
		t.Counts = nil
		for _, from := range [][]Count{counts, coarse.Tables[i].Counts} {
			for _, c := range from {
				if k := published.Key(t.Measure, t.Columns, c.Codes); !seen[k] {
					seen[k] = true
					t.Counts = append(t.Counts, c)
				}
			}
		}
		out.Tables = append(out.Tables, t)
	}
	return out
}
