package publish

type topicPartition struct {
	topic     string
	partition int
}
