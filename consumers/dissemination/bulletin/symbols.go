package bulletin

// Symbols that stand where or beside a number stands, in square brackets, as the statistical offices of the United Kingdom write them
// (Government Analysis Function, "Symbols in tables", 2022).
const (
	Confidential  = "c" // withheld
	Provisional   = "p"
	Revised       = "r" // a revision gives another count than the vintage before
	NotApplicable = "z" // no event can have these codes
	NotAvailable  = "x" // not in the vintage
)

// Symbol is a symbol with its meaning.
type Symbol struct{ Mark, Meaning string }

// Symbols are all of them.
func (b *Bulletin) Symbols() []Symbol {
	return []Symbol{
		{Confidential, b.in("confidencial: es de muy pocas personas, o permitiría calcular otro conteo de muy pocas personas", "confidential: it is of very few persons, or another count of very few persons could be computed from it")},
		{Provisional, b.in("provisional", "provisional")},
		{Revised, b.in("revisado: la edición anterior daba otro conteo", "revised: the vintage before gave another count")},
		{NotApplicable, b.in("no aplicable: de lo que no tiene sentido dar una cifra", "not applicable: a figure would have no meaning")},
		{NotAvailable, b.in("no disponible en esta edición", "not available in this vintage")},
	}
}
