package dictionary

// Width is how many bytes a code of a list takes in memory. A list that has outgrown its byte takes two, once the
// constants are generated again.
func Width(codes int) int {
	if codes <= 1<<8 {
		return 1
	}
	return 2
}
