package producer

import (
	"fmt"
	"sync"
	"time"

	"retorno/schemas/kafka"
)

// logins judges refusals of the broker. One at the begin is a wrong setting. One of a login that was good before may be
// a password or a certificate that is being changed, and is waited out for a while.
type logins struct {
	grace time.Duration

	mu      sync.Mutex
	good    bool      // the broker has let us in before
	refused time.Time // since when it has not; zero: it does
}

// accepted notes that the broker answered what it was asked.
func (l *logins) accepted() {
	l.mu.Lock()
	l.good, l.refused = true, time.Time{}
	l.mu.Unlock()
}

// judge returns a stop error for a refusal that is to end a call, err itself for one to wait out, and nil for any other
// error.
func (l *logins) judge(topic string, err error) error {
	if !kafka.Refused(err) {
		return nil
	}
	stop := &StopError{Reason: ReasonAuth, Topic: topic, Err: fmt.Errorf("%w (%s)", err, kafka.Advice(err))}
	if !kafka.RefusedLogin(err) {
		return stop
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused.IsZero() {
		l.refused = time.Now()
	}
	if l.good && time.Since(l.refused) < l.grace {
		return err
	}
	return stop
}
