package wire

// HandOut takes the batches of an answer apart.
func HandOut(b []byte, at, to int64, fn func(*Message) error) (int64, error) {
	return (&Log{topic: "t"}).handOut(fetched{batches: b}, at, to, fn)
}
