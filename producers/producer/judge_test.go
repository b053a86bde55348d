package producer

import (
	"fmt"
	"slices"
	"testing"
)

// goodSettings are those of a topic that EnsureTopics makes on three brokers.
func goodSettings(topic string) map[string]string {
	s := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "min.insync.replicas": "2", "replication.factor": "3",
		"unclean.leader.election.enable": "false", "max.message.bytes": fmt.Sprint(MaxFactBytes), "message.timestamp.type": "LogAppendTime"}
	if topic == TopicDeadLetter {
		s["max.message.bytes"], s["message.timestamp.type"] = fmt.Sprint(MaxDeadLetterBytes), "CreateTime"
	}
	return s
}

func TestSettingsAreJudged(t *testing.T) {
	for _, topic := range []string{TopicCheckpoint, TopicCentre, TopicDeadLetter} {
		if found := judge(topic, goodSettings(topic), 3); len(found) > 0 {
			t.Errorf("a good topic: %s", found[0])
		}
	}
	for _, c := range []struct {
		topic, setting, value string
		brokers               int
		refuse, found         bool
	}{
		{TopicCentre, "cleanup.policy", "compact", 3, true, true},
		{TopicCentre, "cleanup.policy", "compact,delete", 3, true, true},
		{TopicDeadLetter, "cleanup.policy", "compact", 3, true, true},
		{TopicCentre, "retention.ms", "86400000", 3, true, true},
		{TopicCentre, "retention.ms", "604800000", 3, false, true},
		{TopicCentre, "retention.bytes", "1073741824", 3, false, true},
		{TopicCentre, "replication.factor", "1", 3, true, true}, // with two that must be alive
		{TopicCentre, "min.insync.replicas", "3", 3, false, true},
		{TopicCentre, "min.insync.replicas", "1", 3, false, true},
		{TopicCentre, "min.insync.replicas", "4", 3, true, true},
		{TopicCentre, "unclean.leader.election.enable", "true", 3, false, true},
		{TopicCentre, "message.timestamp.type", "CreateTime", 3, false, true},
		{TopicDeadLetter, "message.timestamp.type", "CreateTime", 3, false, false},
		{TopicCentre, "max.message.bytes", "1000", 3, true, true},
		{TopicCentre, "max.message.bytes", "1048588", 3, false, true},
		{TopicDeadLetter, "max.message.bytes", fmt.Sprint(MaxFactBytes), 3, false, true},
		{TopicCentre, "max.message.bytes", fmt.Sprint(1 << 30), 3, false, true},
	} {
		s := goodSettings(c.topic)
		s[c.setting] = c.value
		found := judge(c.topic, s, c.brokers)
		refused := slices.ContainsFunc(found, func(f Finding) bool { return f.Refuse })
		if len(found) > 0 != c.found || refused != c.refuse {
			t.Errorf("%s of %s is %s: %v", c.setting, c.topic, c.value, found)
		}
		for _, f := range found {
			if f.Topic != c.topic || f.Have != s[f.Setting] || f.Want == "" || f.Why == "" {
				t.Errorf("the finding is %+v", f)
			}
		}
	}
	// One broker by itself cannot keep two copies, and is not blamed for it.
	alone := goodSettings(TopicCentre)
	alone["replication.factor"], alone["min.insync.replicas"] = "1", "1"
	if found := judge(TopicCentre, alone, 1); len(found) > 0 {
		t.Errorf("a broker alone: %s", found[0])
	}
	if found := judge(TopicCentre, alone, 3); len(found) != 1 || found[0].Setting != "replication.factor" || found[0].Refuse {
		t.Errorf("one copy on three brokers: %v", found)
	}
	if found := judge(TopicCentre, map[string]string{}, 3); len(found) > 0 {
		t.Errorf("what is not said is judged: %s", found[0])
	}
}
