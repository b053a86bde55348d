package command

import (
	"net/http"
	"time"

	"retorno/producers/agent"
	"retorno/producers/dispatch"
	"retorno/producers/exchange"
	"retorno/producers/spool"
)

// builtAt is when this program was made; zero where the build does not say.
func builtAt() time.Time {
	t, err := time.Parse(time.RFC3339, built)
	if err != nil {
		return time.Time{}
	}
	return t
}

// page is what the browser of this computer sees. fatal is told of a disk that confirms nothing. The caller ends every
// login by closing it.
func (f *agentFlags) page(t *terminal, s *spool.Spool, out *dispatch.Dispatcher, told *exchange.Board, place string, fatal func(error)) (http.Handler, func(), error) {
	page, err := agent.New(agent.Config{
		Spool: s, Dir: f.Data, Place: place, Log: t.Log, Fatal: fatal, Exchange: told,
		Stopped:     func() string { return out.Status().Stop.String() },
		ClockOffset: out.ClockOffset, Built: builtAt(),
		ExchangeStopped: func() string {
			if refused := out.Status().Exchange.String(); refused != "" {
				return refused
			}
			if spanish, english := told.Stopped(); spanish != "" {
				return spanish + " / " + english
			}
			return ""
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return page, page.Close, nil
}
