package fakekafka

import (
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// appendClock makes producers see the broker's time on topics with
// message.timestamp.type=LogAppendTime, as Apache Kafka shows it. kfake keeps
// that setting but answers every produce request with -1, so the answers are
// completed here, between kfake and the socket. The records themselves keep
// the producer's time; no client of this project looks at it.
type appendClock struct {
	life    sync.RWMutex // held while the cluster is asked, so that it is not closed meanwhile
	cluster *kfake.Cluster

	mu     sync.RWMutex
	topics map[string]bool // whether the topic's times are the broker's
}

func newAppendClock() *appendClock {
	return &appendClock{topics: make(map[string]bool)}
}

// watch begins to answer for cluster and forgets a topic's setting whenever a
// request that could change it passes.
func (a *appendClock) watch(cluster *kfake.Cluster) {
	a.life.Lock()
	a.cluster = cluster
	a.life.Unlock()
	forget := func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		a.mu.Lock()
		clear(a.topics)
		a.mu.Unlock()
		return nil, nil, false
	}
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs} {
		cluster.ControlKey(int16(key), forget)
	}
}

// leave ends watching; a closed cluster never answers a question.
func (a *appendClock) leave() {
	a.life.Lock()
	a.cluster = nil
	a.life.Unlock()
}

// appendTime reports whether the topic's times are the broker's.
func (a *appendClock) appendTime(topic string) bool {
	a.mu.RLock()
	known, ok := a.topics[topic]
	a.mu.RUnlock()
	if ok {
		return known
	}
	a.life.RLock()
	defer a.life.RUnlock()
	if a.cluster == nil {
		return false
	}
	info := a.cluster.TopicInfo(topic)
	if info == nil {
		return false
	}
	v := info.Configs["message.timestamp.type"]
	known = v != nil && *v == "LogAppendTime"
	a.mu.Lock()
	a.topics[topic] = known
	a.mu.Unlock()
	return known
}

// running reports whether the cluster has not been told to close.
func (a *appendClock) running() bool {
	a.life.RLock()
	defer a.life.RUnlock()
	return a.cluster != nil
}

// name returns the topic that a producer named by its id.
func (a *appendClock) name(id [16]byte) string {
	a.life.RLock()
	defer a.life.RUnlock()
	if a.cluster == nil {
		return ""
	}
	if info := a.cluster.TopicIDInfo(id); info != nil {
		return info.Topic
	}
	return ""
}

// complete fills the broker's time in where the topic wants it, and reports
// whether it changed anything.
func (a *appendClock) complete(resp *kmsg.ProduceResponse) bool {
	now := time.Now().UnixMilli()
	changed := false
	for i := range resp.Topics {
		t := &resp.Topics[i]
		topic := t.Topic
		if topic == "" {
			topic = a.name(t.TopicID)
		}
		if topic == "" || !a.appendTime(topic) {
			continue
		}
		for j := range t.Partitions {
			if t.Partitions[j].ErrorCode == 0 {
				t.Partitions[j].LogAppendTime = now
				changed = true
			}
		}
	}
	return changed
}
