package dispatch

import (
	"context"

	"retorno/producers/producer"
	"retorno/schemas/agents"
)

// tell tells the other offices of records that the broker has acknowledged, one batch of numbers at a time, and reports
// whether there may be more. What is older than the exchange keeps is passed over.
func (s *Dispatcher) tell(ctx context.Context, l *link) (more bool, err error) {
	if l.mute {
		return false, nil
	}
	all, through, err := s.cfg.Spool.Untold(batchRecords)
	if err != nil || through == 0 {
		return false, ofSpool(err)
	}
	oldest := s.cfg.Now().Add(-agents.ExchangeKept)
	var msgs []producer.Message
	for _, n := range all {
		for _, m := range agents.Messages(n.RecordID, n.Value) {
			if m.Topic != agents.TopicExchange || n.At.After(oldest) {
				msgs = append(msgs, producer.Message{Topic: m.Topic, Key: m.Key, Value: m.Value})
			}
		}
	}
	if len(msgs) > 0 {
		writing, cancel := context.WithTimeout(ctx, s.cfg.Patience)
		defer cancel()
		if err := l.beats.Write(writing, msgs...); err != nil {
			if stopOf(err).Code == "" {
				return false, err
			}
			// Records go on without the exchange; it is tried at each heartbeat.
			l.mute = true
			s.cfg.Logger.Warn("other offices are not told of people on their way and of documents at present", "error", err)
			return false, nil
		}
	}
	return true, ofSpool(s.cfg.Spool.Told(through))
}
