package dispatch

import (
	"context"

	"retorno/producers/producer"
	"retorno/producers/spool"
	"retorno/schemas/agents"
)

// tell tells the other offices of records that the broker has acknowledged, and of arrivals, one batch at a time, and reports
// whether there may be more. What is older than the exchange keeps is passed over.
func (s *Dispatcher) tell(ctx context.Context, l *link) (more bool, err error) {
	if more, err = s.tellOf(ctx, l, s.cfg.Spool.Untold, s.cfg.Spool.Told); more || err != nil {
		return more, err
	}
	return s.tellOf(ctx, l, s.cfg.Spool.Notes, s.cfg.Spool.Heard)
}

func (s *Dispatcher) tellOf(ctx context.Context, l *link, untold func(uint64) ([]spool.News, uint64, error), told func(uint64) error) (more bool, err error) {
	if l.mute {
		return false, nil
	}
	all, through, err := untold(batchRecords)
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
			stop := stopOf(err)
			if stop.Code == "" {
				return false, err
			}
			// Records go on without the exchange; it is tried at each heartbeat.
			l.mute = true
			s.refused(stop)
			s.cfg.Logger.Warn("other offices are not told of people on their way and of documents at present", "error", err)
			return false, nil
		}
		s.refused(Stop{})
	}
	return true, ofSpool(told(through))
}

// refused notes why the exchange takes nothing; the zero Stop: it does.
func (s *Dispatcher) refused(stop Stop) {
	if stop.Code != "" {
		stop = Stop{stop.Code, "El intercambio entre oficinas no recibe a las personas en camino. " + stop.Spanish,
			"The exchange between offices does not take people on their way. " + stop.English}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exchange = stop
}
