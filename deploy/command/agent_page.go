package command

import (
	"net/http"

	"retorno/producers/agent"
	"retorno/producers/dispatch"
	"retorno/producers/exchange"
	"retorno/producers/paper"
	"retorno/producers/spool"
)

// page is what the browser of this computer sees. fatal is told of a disk that confirms nothing. The caller ends every
// login by closing it.
func (f *agentFlags) page(t *terminal, s *spool.Spool, out *dispatch.Dispatcher, told *exchange.Board, forms *paper.Book, place string, fatal func(error)) (http.Handler, func(), error) {
	page, err := agent.New(agent.Config{
		Spool: s, Dir: f.Data, Place: place, Log: t.Log, Fatal: fatal, Exchange: told, Paper: forms,
		Stopped:     func() string { return out.Status().Stop.String() },
		ClockOffset: out.ClockOffset,
	})
	if err != nil {
		return nil, nil, err
	}
	return page, page.Close, nil
}
