package producer

type topicPartition struct {
	topic     string
	partition int
}
