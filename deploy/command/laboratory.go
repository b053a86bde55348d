//go:build !server

package command

import (
	"errors"

	"retorno/deploy/lab/register/fit"
	"retorno/deploy/lab/register/fit/exact"
)

// laboratory are the commands that make, break and measure the whole system on one machine. The program of a release,
// built with the tag server, has none of them, nor what they are made of (deploy/lab).
type laboratory struct {
	Demo     demoCommand     `cmd:"" help:"The whole system on this machine, playing a made register of a published table."`
	Embedded embeddedCommand `cmd:"" help:"Only a broker and a ClickHouse, for one's own trials."`
	Register registerCommand `cmd:"" help:"Make a register of returns from a published table, as events."`
	Torture  tortureCommand  `cmd:"" help:"The whole system under load and faults, held against the truth."`
	Bench    benchCommand    `cmd:"" help:"How fast it is, beside what else one could do on the same machine."`
}

// startOne is advice to a person without a Kafka or a ClickHouse.
const startOne = "start one (`" + program + " embedded` is enough for a trial) or "

// explainTable gives a table that cannot be made into a register its exit status.
func explainTable(err error) error {
	var contradiction *fit.Contradiction
	if errors.As(err, &contradiction) || errors.Is(err, exact.ErrUndecided) {
		return No(err)
	}
	return Usage(err)
}
