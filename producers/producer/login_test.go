package producer

import (
	"errors"
	"fmt"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// A refused login is a wrong setting at the begin, and a change that is under way once it was good, for a while.
func TestRefusedLogins(t *testing.T) {
	refused := fmt.Errorf("log in: %w", kafkago.SASLAuthenticationFailed)
	l := &logins{grace: time.Hour}
	if err := l.judge("t", refused); !IsStop(err) {
		t.Errorf("at the begin: %v", err)
	}
	l.accepted()
	if err := l.judge("t", refused); IsStop(err) || !errors.Is(err, kafkago.SASLAuthenticationFailed) {
		t.Errorf("after it was good: %v", err)
	}
	if err := l.judge("t", kafkago.TopicAuthorizationFailed); !IsStop(err) {
		t.Errorf("missing rights do not come by waiting: %v", err)
	}
	if err := l.judge("t", kafkago.NotLeaderForPartition); err != nil {
		t.Errorf("another error is judged as %v", err)
	}
	l.grace = 0
	if err := l.judge("t", refused); !IsStop(err) {
		t.Errorf("after the grace: %v", err)
	}
	l.grace = time.Hour
	l.refused = time.Now().Add(-2 * time.Hour)
	l.accepted()
	if err := l.judge("t", refused); IsStop(err) {
		t.Errorf("each refusal has the whole grace: %v", err)
	}
}
