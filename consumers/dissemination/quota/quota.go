// Package quota bounds how many questions one client puts in a minute to the addresses for programs, with one budget for data and one for
// what describes them, so that a program which pulls all data can still ask what they mean.
//
// It promises that every limited answer says what is left (RateLimit and RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-10), that
// a question beyond the budget gets 429 with Retry-After and costs nothing, and that a client which waits that long is answered: there is
// no ban, and no refusal makes the next one longer. A partner's token has a larger budget of its own and changes no answer. A token that
// is not known gets 401, so that a partner notices a revoked one; a question without a token is always heard.
//
// It never writes down who asked. It remembers a bounded number of clients; when there are more, the ones that ask seldom begin
// with a full budget. When the file of tokens cannot be read, no token is known.
package quota

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"retorno/consumers/dissemination/response"
)

// Budget is what questions of one kind are counted in. It is the name of the policy, too.
type Budget string

// Budgets. Free questions are not counted.
const (
	Free       Budget = ""
	Data       Budget = "data"
	Structures Budget = "structures"
)

// Config is what a limiter is made of. Of is required.
type Config struct {
	Of         func(*http.Request) Budget
	Data       int                   // questions a minute for data; 0: as many as one likes
	Structures int                   // the same for what describes them
	Partner    int                   // how many times as many a partner with a token may put; 0: ten
	Tokens     *Tokens               // nil: there are none
	Header     string                // header in which a proxy tells the client's address, such as X-Forwarded-For; "": the connection's address
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Now        func() time.Time      // nil: the clock
}

// Limiter keeps the budgets of clients.
type Limiter struct {
	Config
	clients *otter.Cache[client, *rate.Limiter]
	refused *prometheus.CounterVec
}

// client is one budget of one client.
type client struct {
	budget Budget
	who    string
}

// clients is how many budgets are remembered. One takes about 300 bytes.
const clients = 20_000

// New makes a limiter.
func New(c Config) *Limiter {
	if c.Partner == 0 {
		c.Partner = 10
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	l := &Limiter{Config: c, clients: otter.Must(&otter.Options[client, *rate.Limiter]{MaximumSize: clients}), refused: newRefused(c.Registerer)}
	return l
}

// perMinute is the budget of a client; 0 is none.
func (l *Limiter) perMinute(b Budget, partner bool) int {
	n := l.Data
	if b == Structures {
		n = l.Structures
	}
	if partner {
		n *= l.Partner
	}
	return n
}

// Handle lets pass what keeps the budgets.
func (l *Limiter) Handle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		budget := l.Of(r)
		if budget == Free || r.Method == http.MethodOptions { // a browser asks by OPTIONS without a token, and for nothing
			next.ServeHTTP(w, r)
			return
		}
		who, partner, refusal := l.from(r)
		wait, n := 0, l.perMinute(budget, partner)
		if n > 0 {
			wait = l.take(w.Header(), client{budget, who}, n)
		}
		if wait > 0 {
			refusal = response.TooMany.Of("Se responden "+strconv.Itoa(n)+" consultas por minuto de un cliente. Repita después de los segundos de Retry-After.",
				strconv.Itoa(n)+" questions of one client are answered in a minute. Repeat after the seconds of Retry-After.")
			refusal.Retry = wait
			l.refused.WithLabelValues(string(budget)).Inc()
		}
		if refusal == nil {
			next.ServeHTTP(w, r)
			return
		}
		if refusal.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750 §3
		}
		if response.Readable(w, r) {
			response.Refuse(w, r, refusal)
		}
	})
}

// take takes one question from a budget of n a minute, and says what is left. When there was none, it returns after how many seconds there
// will be one.
func (l *Limiter) take(h http.Header, c client, n int) (wait int) {
	second := float64(n) / 60 // questions that come back in one
	bucket, _ := l.clients.ComputeIfAbsent(c, func() (*rate.Limiter, bool) { return rate.NewLimiter(rate.Limit(second), n), false })
	now := l.Now()
	ok := bucket.AllowN(now, 1)
	left := max(bucket.TokensAt(now), 0)
	name := `"` + string(c.budget) + `";`
	h.Set("RateLimit-Policy", name+"q="+strconv.Itoa(n)+";w=60")
	h.Set("RateLimit", name+"r="+strconv.Itoa(int(left))+";t="+strconv.Itoa(int(math.Ceil((float64(n)-left)/second))))
	if ok {
		return 0
	}
	return max(1, int(math.Ceil((1-left)/second)))
}
