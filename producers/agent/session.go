package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"retorno/producers/spool"
	"retorno/producers/vault"
)

// cookie is the name of what carries a session: browsers keep one set of cookies for all ports of a computer, and two agents may run on one.
// Sessions are in memory: they end with the process.
func (a *Agent) cookie() string { return "retorno_session_" + a.cfg.Spool.Source() }

type session struct {
	clerk string
	last  time.Time
}

type clerkKey struct{}

// clerkOf is who is logged in.
func clerkOf(r *http.Request) string {
	clerk, _ := r.Context().Value(clerkKey{}).(string)
	return clerk
}

// clerks lets those pass who are logged in.
func (a *Agent) clerks(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clerk, ok := a.session(r)
		if !ok {
			if wantsJSON(r) {
				refuse(w, r, http.StatusUnauthorized, "login", text{"inicie sesión", "log in"})
				return
			}
			http.Redirect(w, r, "/login?to="+local(r.URL.Path, "/list"), http.StatusSeeOther)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), clerkKey{}, clerk)))
	})
}

// session finds the login of a request and counts it as used.
func (a *Agent) session(r *http.Request) (clerk string, ok bool) {
	c, err := r.Cookie(a.cookie())
	if err != nil {
		return "", false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[c.Value]
	if s == nil || a.cfg.Spool.Clerk() == "" {
		return "", false
	}
	now := time.Now() // of the machine's monotonic clock: a clock that is set back keeps no session
	if now.Sub(s.last) > a.cfg.Idle {
		delete(a.sessions, c.Value)
		return "", false
	}
	s.last = now
	a.timer.Reset(a.cfg.Idle)
	return s.clerk, true
}

// login opens what is sealed and begins a session.
func (a *Agent) login(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	clerk := fields.Get("clerk")
	err = a.cfg.Spool.Unlock(clerk, fields.Get("passphrase"))
	var wait *vault.WaitError
	switch {
	case err == nil:
	case errors.As(err, &wait):
		a.refuseLogin(w, r, http.StatusTooManyRequests, "wait", text{"demasiados intentos; espere", "too many attempts; wait"})
		return
	case errors.Is(err, vault.ErrPassphrase):
		a.refuseLogin(w, r, http.StatusUnauthorized, "passphrase", text{"usuario o contraseña equivocados", "wrong clerk or passphrase"})
		return
	default:
		a.failed(r.Context(), "login", err)
		a.refuseLogin(w, r, http.StatusInternalServerError, "failed", text{"no se pudo abrir; avise al administrador", "it could not be opened; tell the administrator"})
		return
	}
	if err := a.begin(w, clerk); err != nil {
		a.failed(r.Context(), "login", err)
		refuse(w, r, http.StatusInternalServerError, "failed", text{"no se pudo leer lo guardado", "what is saved could not be read"})
		return
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, map[string]any{"clerk": clerk})
		return
	}
	http.Redirect(w, r, local(fields.Get("to"), "/list"), http.StatusSeeOther)
}

// begin makes a session.
func (a *Agent) begin(w http.ResponseWriter, clerk string) error {
	m, err := remember(a.cfg.Spool)
	if err != nil {
		return err
	}
	a.markForms(m.forms()) // what a power cut kept from the account
	if err := a.slips.reserve(); err != nil {
		a.failed(context.Background(), "slips", err)
	}
	token := rand.Text()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.memory = m
	a.sessions[token] = &session{clerk: clerk, last: time.Now()}
	if a.timer != nil {
		a.timer.Stop()
	}
	a.timer = time.AfterFunc(a.cfg.Idle, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, s := range a.sessions {
			if rest := a.cfg.Idle - time.Since(s.last); rest > 0 {
				a.timer.Reset(rest)
				return
			}
		}
		a.lock()
	})
	http.SetCookie(w, &http.Cookie{Name: a.cookie(), Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return nil
}

// lock ends all sessions and forgets what was opened. a.mu is held.
func (a *Agent) lock() {
	clear(a.sessions)
	a.memory = nil
	if a.timer != nil {
		a.timer.Stop()
	}
	a.cfg.Spool.Lock()
}

// logout ends all sessions of this computer: it has one keyboard.
func (a *Agent) logout(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.session(r); ok {
		a.Close()
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, map[string]any{"locked": true})
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// remembered is the memory of the latest records.
func (a *Agent) remembered() (*memory, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.memory == nil {
		return nil, spool.ErrLocked
	}
	return a.memory, nil
}
