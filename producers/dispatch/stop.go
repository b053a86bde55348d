package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"retorno/producers/producer"
	"retorno/schemas/agents"
	"retorno/schemas/codelists"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// Stop is a reason why nothing is sent that time alone does not mend, in words for the page.
type Stop struct {
	Code             string // stable: one of the constants below
	Spanish, English string
}

// Codes of stops.
const (
	StopLogin         = "login"           // user, password, certificate or rights are refused
	StopPartitions    = "partition_count" // the topic has another number of partitions than enrolled
	StopTopic         = "topic_missing"
	StopCopy          = "copy" // another copy of this folder is at work under the same source
	StopConfiguration = "configuration"
)

// String is the reason in both languages; "" without one.
func (s Stop) String() string {
	if s.Code == "" {
		return ""
	}
	return s.Spanish + " / " + s.English
}

// copyError says that the source's own heartbeat is not this folder's.
type copyError struct{ last, own uint64 }

func (e *copyError) Error() string {
	return fmt.Sprintf("another copy of this folder is at work: the source's heartbeat is at number %d and of another run, this folder is at %d", e.last, e.own)
}

// stopOf is the reason that an error gives; the zero Stop for one that passes by itself, as a line that is down.
func stopOf(err error) Stop {
	var twin *copyError
	var refused *producer.StopError
	switch {
	case errors.As(err, &twin):
		return Stop{StopCopy,
			"Otra copia de esta carpeta trabaja o trabajó con el mismo nombre de computadora. Nada se envía desde aquí: inscriba esta computadora con otro nombre y una carpeta nueva",
			"Another copy of this folder is or was at work under the same source. Nothing is sent from here: enrol this computer with another source and a new folder"}
	case errors.As(err, &refused):
		return stopOfProducer(refused)
	case kafka.Refused(err):
		return loginStop
	}
	return Stop{}
}

// topicMissing reports whether the topic of heartbeats is not there.
func topicMissing(err error) bool {
	var refused *producer.StopError
	if errors.As(err, &refused) {
		return refused.Reason == producer.ReasonTopic && refused.Topic == agents.TopicAgents
	}
	return errors.Is(err, follow.ErrNoTopic)
}

var loginStop = Stop{StopLogin,
	"El servidor rechaza el usuario, la contraseña, el certificado o los permisos de esta computadora. Lo escrito se guarda y se envía cuando se corrija",
	"The broker refuses this computer's user, password, certificate or rights. What is typed is kept, and sent when that is mended"}

func stopOfProducer(refused *producer.StopError) Stop {
	switch refused.Reason {
	case producer.ReasonAuth:
		return loginStop
	case producer.ReasonPartitions:
		return Stop{StopPartitions,
			"El tema " + refused.Topic + " tiene otro número de particiones que el inscrito. Lo escrito se guarda y se envía cuando se corrija",
			"Topic " + refused.Topic + " has another number of partitions than enrolled. What is typed is kept, and sent when that is mended"}
	case producer.ReasonTopic:
		return Stop{StopTopic,
			"El tema " + refused.Topic + " no existe en el servidor. Lo escrito se guarda y se envía cuando se cree",
			"Topic " + refused.Topic + " does not exist at the broker. What is typed is kept, and sent when it is made"}
	}
	return Stop{StopConfiguration,
		"El servidor no acepta lo que se le envía (" + refused.Reason + "). Lo escrito se guarda y se envía cuando se corrija",
		"The broker does not take what it is sent (" + refused.Reason + "). What is typed is kept, and sent when that is mended"}
}

// listsFingerprint tells two editions of the code lists apart: the first 32 bits of SHA-256 over all codes.
var listsFingerprint = sync.OnceValue(func() string {
	h := sha256.New()
	for _, list := range codelists.Lists() {
		_, _ = fmt.Fprintln(h, "\x00"+list.Name)
		for _, code := range list.Codes() {
			_, _ = fmt.Fprintln(h, code.Code)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
})
