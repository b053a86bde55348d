package register

import (
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"

	"retorno/producers/identity"
)

// Secret is the text of the identity secret under which the made computers make person keys of made documents. It is no secret.
const Secret = "secret of made registers 0123456789abcdef"

// secret is Secret, opened.
var secret = func() identity.Secret {
	s, err := identity.NewSecret(Secret)
	if err != nil {
		panic(fmt.Sprintf("register: %v", err))
	}
	return s
}()

// paper is what a person carries: a DNI, a Honduran passport, a slip of the post, or the passport of another country.
type paper struct {
	kind    uint8
	country uint16 // of a foreign passport: index of the list
}

const (
	paperDNI uint8 = iota
	paperPassport
	paperSlip
	paperForeign
)

// people are the persons of a register: what each carries, and the key that comes of it. It does not change.
type people struct {
	seed   uint64
	papers []paper
	keys   []uuid.UUID // of the persons in papers
	office string      // of the slips
}

// carried are the people that were made.
func (g *generator) carried() *people {
	p := &people{seed: g.settings.Seed, papers: g.papers, keys: make([]uuid.UUID, len(g.papers))}
	p.office, _ = identity.SlipOffice(g.sources.ids[0])
	for n := range p.keys {
		p.keys[n] = p.makeKey(int32(n))
	}
	return p
}

// otherPaper is what a person with one return carries: a slip or a passport once in a while.
func (g *generator) otherPaper(who int32) paper {
	switch mix(g.settings.Seed, purposePaper, 1<<40|uint64(who)) % 16 {
	case 0:
		return paper{kind: paperSlip}
	case 1:
		return paper{kind: paperPassport}
	}
	return paper{}
}

// carries gives a foreigner a passport of the country.
func (g *generator) carries(who int32, nationality uint16) {
	if who != none && nationality != 0 && nationality != honduras {
		g.papers[who] = paper{kind: paperForeign, country: nationality}
	}
}

// key is the person key of the n-th person.
func (p *people) key(n int32) uuid.UUID {
	if int(n) < len(p.keys) {
		return p.keys[n]
	}
	return p.makeKey(n)
}

func (p *people) makeKey(n int32) (key uuid.UUID) {
	text, err := secret.Key(p.document(n))
	if err == nil {
		_, err = hex.Decode(key[:], []byte(text))
	}
	if err != nil {
		panic(fmt.Sprintf("register: a made document of person %d: %v", n, err))
	}
	return key
}

// document is what the n-th person carries. No two persons of one register carry the same.
func (p *people) document(n int32) identity.Document {
	var carried paper
	if int(n) < len(p.papers) {
		carried = p.papers[n]
	}
	switch carried.kind {
	case paperPassport:
		return identity.Document{Country: "HN", Type: identity.Passport, Number: passport(n)}
	case paperForeign:
		return identity.Document{Country: lists[dimNationality].At(carried.country), Type: identity.Passport, Number: passport(n)}
	case paperSlip:
		return identity.Document{Country: "HN", Type: identity.Folio, Number: identity.Slip(p.office, identity.MaxSlip-int(n)%identity.MaxSlip)}
	}
	return identity.Document{Country: "HN", Type: identity.NationalID, Number: p.dni(n)}
}

// passport is a number that is never one digit over and over, which package identity takes for a filler.
func passport(n int32) string { return fmt.Sprintf("F%07d", 1_000_010+11*int64(n)) }

// dni is a number of a real municipality. The serial of 99,998 persons after each other is another one each; those with one serial are
// of different years.
func (p *people) dni(n int32) string {
	const serials, years, firstYear = 99_998, 56, 1950 // 00000 and 99999 are taken for fillers
	h := mix(p.seed, purposePaper, uint64(n%serials))
	municipality := lists[dimMunicipality].At(uint16(1 + h%uint64(lists[dimMunicipality].Len()-1)))
	year := firstYear + (h>>32+uint64(n/serials))%years
	return fmt.Sprintf("%s%d%05d", municipality, year, 1+n%serials)
}
