package suppress

import "retorno/consumers/dissemination/disclosure/audit"

// Repeat audits tables as they were published, from public bytes alone: Held cells are those that are withheld, and their values are
// not read. An error wraps audit.ErrContradiction when no counts agree with what is published, or names cells that do not add up.
func Repeat(in *Input) (*audit.Report, error) {
	f, err := newFrame(in)
	if err != nil {
		return nil, err
	}
	return audit.Audit(&f.System, audit.Options{Exact: true})
}
