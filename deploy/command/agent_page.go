package command

import (
	"net/http"
	"sync/atomic"
	"time"

	"retorno/producers/agent"
	"retorno/producers/dispatch"
	"retorno/producers/documents"
	"retorno/producers/exchange"
	"retorno/producers/paper"
	"retorno/producers/spool"
)

// agentParts are what the process of one computer is made of.
type agentParts struct {
	spool *spool.Spool
	out   *dispatch.Dispatcher
	told  *exchange.Board
	found *documents.Board
	forms *paper.Book
	met   *atomic.Int64 // records whose document was known to be false or stolen
	place string
}

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
func (f *agentFlags) page(t *terminal, p agentParts, fatal func(error)) (http.Handler, func(), error) {
	page, err := agent.New(agent.Config{
		Spool: p.spool, Dir: f.Data, Place: p.place, Log: t.Log, Fatal: fatal, Exchange: p.told, Findings: p.found, DocumentsMet: p.met, Paper: p.forms,
		Stopped:     func() string { return p.out.Status().Stop.String() },
		ClockOffset: p.out.ClockOffset, Built: builtAt(),
		ExchangeStopped: func() string {
			if refused := p.out.Status().Exchange.String(); refused != "" {
				return refused
			}
			if spanish, english := p.told.Stopped(); spanish != "" {
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
