package producer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
)

// Finding is a setting of a topic that does not fit what is kept there.
type Finding struct {
	Topic   string
	Setting string // as Kafka calls it, or replication.factor
	Have    string
	Want    string
	// Why says what happens otherwise.
	Why string
	// Refuse: records would be lost, or none could be written. Else they may be, when more goes wrong.
	Refuse bool
}

func (f Finding) String() string {
	return fmt.Sprintf("topic %s: %s is %s, and should be %s: %s", f.Topic, f.Setting, f.Have, f.Want, f.Why)
}

// SettingsError names every setting that no record should be trusted to.
type SettingsError struct{ Findings []Finding }

func (e *SettingsError) Error() string {
	all := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		all[i] = f.String()
	}
	return "kafka: " + strings.Join(all, "; ")
}

// JudgeTopics asks how the topics are set, whichever program made them, and returns what does not fit. What is to be refused is
// also a *SettingsError. The caller needs the right DESCRIBE_CONFIGS on them.
func JudgeTopics(ctx context.Context, brokers []string, cfg TopicsConfig) ([]Finding, error) {
	cfg = cfg.withDefaults()
	cfg.Client.Brokers = brokers
	client, err := adminClient(cfg.Client)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	view, err := client.Metadata(ctx, cfg.Topics...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	settings, err := describe(ctx, client, cfg.Topics)
	if err != nil {
		return nil, fmt.Errorf("kafka: settings of the topics: %w", err)
	}
	var all []Finding
	for _, topic := range cfg.Topics {
		if s := settings[topic]; s != nil {
			s[settingReplication] = strconv.Itoa(view.Replicas(topic))
			all = append(all, judge(topic, s, view.Brokers())...)
		}
	}
	refused := slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return !f.Refuse })
	if len(refused) > 0 {
		return all, &SettingsError{Findings: refused}
	}
	return all, nil
}

// describe returns the settings of topics, by topic and name.
func describe(ctx context.Context, client *kafka.Client, topics []string) (map[string]map[string]string, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.SetVersion(1)
	for _, topic := range topics {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, topic
		req.Resources = append(req.Resources, r)
	}
	res, err := client.AskAny(ctx, req)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]string{}
	for _, r := range res.(*kmsg.DescribeConfigsResponse).Resources {
		if err := kafka.Code(r.ErrorCode, r.ErrorMessage); err != nil {
			return nil, fmt.Errorf("topic %s: %w", r.ResourceName, err)
		}
		settings := map[string]string{}
		for _, c := range r.Configs {
			if c.Value != nil {
				settings[c.Name] = *c.Value
			}
		}
		all[r.ResourceName] = settings
	}
	return all, nil
}

// shortest is how long records are to be kept at least: a consumer that is down over a weekend reads on after it.
const shortest = 4 * 24 * time.Hour

// The settings that are judged.
const (
	settingCleanup     = "cleanup.policy"
	settingRetention   = "retention.ms"
	settingBytes       = "retention.bytes"
	settingReplication = "replication.factor"
	settingInsync      = "min.insync.replicas"
	settingUnclean     = "unclean.leader.election.enable"
	settingTimestamp   = "message.timestamp.type"
	settingMessage     = "max.message.bytes"
)

var judgedSettings = []string{settingCleanup, settingRetention, settingBytes, settingReplication, settingInsync, settingUnclean, settingTimestamp, settingMessage}

// judge compares a topic's settings with what it is for. A setting that the broker does not name is not judged.
func judge(topic string, s map[string]string, brokers int) (all []Finding) {
	find := func(setting, want, why string, refuse bool) {
		all = append(all, Finding{Topic: topic, Setting: setting, Have: s[setting], Want: want, Why: why, Refuse: refuse})
	}
	number := func(setting string) (int64, bool) {
		n, err := strconv.ParseInt(s[setting], 10, 64)
		return n, err == nil
	}
	if strings.Contains(s[settingCleanup], "compact") {
		find(settingCleanup, "delete", "compaction keeps one record of each key, and every record counts", true)
	}
	if ms, ok := number(settingRetention); ok && ms >= 0 {
		short := time.Duration(ms)*time.Millisecond < shortest
		find(settingRetention, "-1", "records are deleted by their age, read or not, and nothing can be counted from the log again", short)
	}
	if n, ok := number(settingBytes); ok && n >= 0 {
		find(settingBytes, "-1", "records are deleted when others come, read or not", false)
	}
	copies, _ := number(settingReplication)
	if copies == 1 && brokers > 1 {
		find(settingReplication, "3", "with the disk of one broker its records are gone", false)
	}
	if n, ok := number(settingInsync); ok && copies > 0 {
		judgeInsync(n, copies, find)
	}
	if s[settingUnclean] == "true" && copies > 1 {
		find(settingUnclean, "false", "a broker that lacks records may lead, and they are gone", false)
	}
	least := int64(MaxFactBytes)
	if topic == TopicDeadLetter {
		least = MaxDeadLetterBytes
	} else if v := s[settingTimestamp]; v != "" && v != "LogAppendTime" {
		find(settingTimestamp, "LogAppendTime", "the clocks of the sources cannot be compared with the broker's", false)
	}
	switch n, ok := number(settingMessage); {
	case ok && n < 1<<20:
		find(settingMessage, strconv.FormatInt(least, 10), "ordinary batches do not fit", n < 64<<10)
	case ok && n < least:
		find(settingMessage, strconv.FormatInt(least, 10), "what is too large stays with its sender or stops a partition, instead of being set aside", false)
	case ok && n > kafka.MaxFetchAnswer/2:
		find(settingMessage, strconv.FormatInt(least, 10), fmt.Sprintf("readers take no answer above %d bytes, and a larger batch stops its partition", kafka.MaxFetchAnswer), false)
	}
	return all
}

// judgeInsync compares how many copies must be alive with how many there are.
func judgeInsync(alive, copies int64, find func(setting, want, why string, refuse bool)) {
	switch want := strconv.FormatInt(max(1, copies-1), 10); {
	case alive > copies:
		find(settingInsync, want, "there are only "+strconv.FormatInt(copies, 10)+" copies, so nothing can be written", true)
	case alive == copies && copies > 1:
		find(settingInsync, want, "nothing can be written while one broker is away", false)
	case alive == 1 && copies > 2:
		find(settingInsync, want, "a record that was acknowledged may be on one broker only", false)
	}
}
