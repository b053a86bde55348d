package reconcile

import _ "embed" // the text of the method goes with the program

// Text is the method as it is published, in English and Spanish (Markdown).
//
//go:embed METHOD.md
var Text string
