package wire

import "github.com/twmb/franz-go/pkg/kmsg"

// Deliver takes the batches of an answer apart.
func Deliver(b []byte, at, to int64, fn func(*Message) error) (int64, error) {
	l, err := Open(Config{Brokers: []string{"127.0.0.1:1"}}, "t", 0)
	if err != nil {
		return at, err
	}
	if err := l.connect(); err != nil {
		return at, err
	}
	defer l.Close()
	return l.deliver(&kmsg.FetchResponseTopicPartition{RecordBatches: b}, at, to, fn)
}
