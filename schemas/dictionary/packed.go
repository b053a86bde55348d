package dictionary

// Packed is where a code of a fact stands in memory.
type Packed struct {
	Code Coded
	At   int  // the byte it begins at
	Wide bool // it takes two bytes
}

// Layout is where the codes stand that the method needs of the facts of a kind, and how many bytes they take. A list of up
// to 256 codes takes one byte, a longer one two.
func Layout(k Kind) (all []Packed, bytes int) {
	for _, a := range coded {
		if a.Method == Unused || !a.Has(k) {
			continue
		}
		p := Packed{a.Coded, bytes, a.Codes.Len() > 1<<8}
		all = append(all, p)
		bytes++
		if p.Wide {
			bytes++
		}
	}
	return all, bytes
}
