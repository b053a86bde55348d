// Package agent is the page at which a clerk types: in the browser of the same computer, over HTTP on a loopback address.
//
// It promises that "guardado", and status 201, come only after the record is on the disk (see package spool); that the same form sent any
// number of times is one record; that what was typed is never dropped by a fault, a doubt or a full disk; that nothing changes by
// a GET, by another origin, by another name of this computer or without a login. It shows no name and no document to someone who is
// not logged in, and asks nothing of another host. A form works without script, too.
//
// It never sends anything to a broker and keeps nothing in the browser. On failure: a fault or a doubt is answered by field, code and text
// (400, 422), another content under one id 409, a full disk 507. When the disk does not confirm a write, Fatal is called and nothing is
// saved any more.
package agent

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"retorno/producers/disk"
	"retorno/producers/documents"
	"retorno/producers/exchange"
	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/producers/paper"
	"retorno/producers/spool"
	"retorno/schemas/calendar"
)

// Config is what an agent is made of. Spool, Dir and Place are required.
type Config struct {
	// Spool is the store. It belongs to the caller, who closes it.
	Spool *spool.Spool
	// Dir is the folder of the data, in which the number of the last slip is kept too.
	Dir string
	// Place is the office's border point or centre.
	Place string
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Disk is where Dir is. Default this computer's.
	Disk disk.Disk
	// Idle is how long a login lasts without a key. Default 5 minutes.
	Idle time.Duration
	// Stopped says in words what keeps records from being sent; nil, and "", say that nothing does.
	Stopped func() string
	// ExchangeStopped says in words what keeps this office from telling or hearing of people on their way; nil, and "", say that
	// nothing does.
	ExchangeStopped func() string
	// ClockOffset is how far the computer's clock is ahead of the broker's; false while that is not known. nil: not known.
	ClockOffset func() (time.Duration, bool)
	// Built is when this program was made: a clock before it is wrong. Zero: not known.
	Built time.Time
	// SinceBoot is a clock that is never set: how long the computer has run since the start that boot names. Default the system's.
	SinceBoot func() (boot string, passed time.Duration)
	// Exchange knows who is on the way from posts to centres. nil: what this office itself adds.
	Exchange *exchange.Board
	// Findings knows which documents were found false or reported stolen. nil: what this office itself adds.
	Findings *documents.Board
	// DocumentsMet counts the records whose document was known so. nil: a counter of its own.
	DocumentsMet *atomic.Int64
	// Paper accounts for numbered paper forms. nil: that of Dir.
	Paper *paper.Book
	// Fatal is called once when the disk did not confirm a write: the process has to end. nil: nothing is called.
	Fatal func(error)
	// Log is where failures go, without anything that was typed. nil: nowhere.
	Log *slog.Logger
}

// Agent is the page. It is safe for concurrent use.
type Agent struct {
	cfg     Config
	handler http.Handler
	slips   *slips
	fatal   sync.Once

	watch  clockWatch
	saving sync.Mutex // one save at a time reads what the one before it made

	mu       sync.Mutex
	sessions map[string]*session
	timer    *time.Timer
	memory   *memory // what the pages need of the latest records; nil while locked
}

//go:embed templates
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"say": pick}).ParseFS(templateFiles, "templates/*.html"))

// New makes the page. Close ends it.
func New(cfg Config) (*Agent, error) {
	if cfg.Spool == nil || cfg.Place == "" || cfg.Dir == "" {
		return nil, errors.New("agent: Spool, Dir and Place are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SinceBoot == nil {
		cfg.SinceBoot = sinceBoot
	}
	if cfg.Disk == nil {
		cfg.Disk = disk.OS{}
	}
	if cfg.Idle == 0 {
		cfg.Idle = 5 * time.Minute
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Exchange == nil {
		cfg.Exchange = exchange.New(exchange.Config{Now: cfg.Now})
	}
	if cfg.Findings == nil {
		cfg.Findings = documents.New(documents.Config{Now: cfg.Now})
	}
	if cfg.DocumentsMet == nil {
		cfg.DocumentsMet = new(atomic.Int64)
	}
	if cfg.Paper == nil {
		book, err := paper.Open(cfg.Disk, filepath.Join(cfg.Dir, paper.FileName))
		if err != nil {
			cfg.Log.Warn("the account of paper forms cannot be read and begins empty", "error", err)
		}
		cfg.Paper = book
	}
	a := &Agent{cfg: cfg, sessions: map[string]*session{}}
	office, _ := identity.SlipOffice(cfg.Spool.Source())
	a.slips = &slips{disk: cfg.Disk, file: filepath.Join(cfg.Dir, "slips"), office: office}
	a.handler = a.routes()
	return a, nil
}

// Close ends every login.
func (a *Agent) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lock()
}

// ServeHTTP answers a request.
func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

func (a *Agent) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", a.state)
	mux.Handle("GET /assets/", http.FileServerFS(assetFiles))
	mux.HandleFunc("POST /language", a.language)
	mux.HandleFunc("GET /login", a.loginPage)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /lock", a.logout)
	for _, page := range form.Pages() {
		mux.Handle("GET /"+string(page), a.clerks(func(w http.ResponseWriter, r *http.Request) { a.formPage(w, r, page) }))
		mux.Handle("POST /"+string(page), a.clerks(func(w http.ResponseWriter, r *http.Request) { a.post(w, r, page) }))
	}
	mux.Handle("POST /forms", a.clerks(a.forms))
	mux.Handle("GET /list", a.clerks(a.list))
	mux.Handle("GET /day", a.clerks(a.day))
	mux.Handle("GET /recent", a.clerks(a.recentPart))
	mux.Handle("GET /choices/{list}", a.clerks(a.choices))
	mux.Handle("POST /read", a.clerks(a.readBack))
	mux.Handle("POST /known", a.clerks(a.known))
	mux.Handle("GET /paper", a.clerks(a.paperPage))
	mux.Handle("POST /paper", a.clerks(a.paperEntered))
	mux.Handle("GET /waiting", a.clerks(a.waiting))
	mux.Handle("POST /draft", a.clerks(a.draft))
	mux.Handle("POST /discard", a.clerks(a.discard))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/list", http.StatusSeeOther) })
	return guard(mux)
}

// office is what forms need to know of this computer.
func (a *Agent) office(m *memory) form.Office {
	return form.Office{Source: a.cfg.Spool.Source(), Place: a.cfg.Place, Secret: func(day calendar.Day) (identity.Secret, bool) {
		return m.secret(a.cfg.Spool, day)
	}}
}

// broken tells the owner of the process that the disk did not confirm a write.
func (a *Agent) broken(err error) {
	if errors.Is(err, disk.ErrSync) && a.cfg.Fatal != nil {
		a.fatal.Do(func() { a.cfg.Fatal(err) })
	}
}

// failed logs what went wrong, without anything typed: the errors of the spool name numbers and files only.
func (a *Agent) failed(ctx context.Context, what string, err error) {
	a.cfg.Log.WarnContext(ctx, what, "error", err)
	a.broken(err)
}
