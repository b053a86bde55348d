package register

import (
	"math/rand/v2"

	"retorno/schemas/codelists"
)

// dim is one attribute of a return.
type dim int

const (
	dimCountry dim = iota
	dimMode
	dimReturnType
	dimSex
	dimAge // the age in completed years plus one
	dimNationality
	dimEntry
	dimExit
	dimCentre
	dimDepartment
	dimMunicipality
	dimAccompanied
	dimReasons // bit i is the reason with index i
	dims
)

// dimSaidTwice is the first attribute that only a registration states: before it stand those that crossings state too.
const dimSaidTwice = dimEntry

// attributes are what is said of a return: indexes of the code lists, 0 where nothing is stated.
type attributes [dims]uint16

// lists are the code lists of the attributes; dimAge and dimReasons have none of that kind.
var lists = [dims]*codelists.List{
	dimCountry: list(codelists.Country), dimMode: list(codelists.Mode), dimReturnType: list(codelists.ReturnType),
	dimSex: list(codelists.Sex), dimNationality: list(codelists.Country), dimEntry: list(codelists.BorderPoint),
	dimExit: list(codelists.BorderPoint), dimCentre: list(codelists.Centre), dimDepartment: list(codelists.Department),
	dimMunicipality: list(codelists.Municipality), dimAccompanied: list(codelists.Accompaniment),
}

var (
	reasonList    = list(codelists.Reason)
	kindList      = list(codelists.AssistanceKind)
	checkList     = list(codelists.DocumentCheck)
	categoryList  = list(codelists.CrossingCategory)
	ageGroupList  = list(codelists.AgeGroup)
	voidList      = list(codelists.VoidReason)
	honduras      = index(dimNationality, "HN")
	blind         = index(dimExit, "X-BLD")
	notRegistered = index(dimCentre, "X-NON")
)

func list(name string) *codelists.List {
	l, ok := codelists.Get(name)
	if !ok {
		panic("register: there is no code list " + name)
	}
	return l
}

// index is the place of a code in its list; a code that is not there is a mistake in this package.
func index(d dim, code string) uint16 { return indexIn(lists[d], code) }

func indexIn(l *codelists.List, code string) uint16 {
	i, ok := l.Index(code)
	if !ok {
		panic("register: " + code + " is not in the list " + l.Name)
	}
	return i
}

// code is the code of an attribute, the list's unknown code where it is not stated.
func (a *attributes) code(d dim) string { return lists[d].At(a[d]) }

// stated is the code of an attribute, "" where it is not stated.
func (a *attributes) stated(d dim) string {
	if a[d] == 0 {
		return ""
	}
	return lists[d].At(a[d])
}

// age is in completed years, -1 where it is not stated.
func (a *attributes) age() int { return int(a[dimAge]) - 1 }

func (a *attributes) setAge(years int) { a[dimAge] = uint16(years + 1) }

func (a *attributes) minor() bool { return a[dimAge] != 0 && a.age() < 18 }

// reasons are the codes of the stated reasons, in list order.
func (a *attributes) reasons() []string {
	if a[dimReasons] == 0 {
		return nil
	}
	var out []string
	for i := 1; i < reasonList.Len(); i++ {
		if a[dimReasons]&(1<<i) != 0 {
			out = append(out, reasonList.At(uint16(i)))
		}
	}
	return out
}

// national reports whether the return is one of nationals: Honduran or not stated.
func (a *attributes) national() bool {
	return a[dimNationality] == 0 || a[dimNationality] == honduras
}

// other is a value for the attribute that is stated and differs from a's: what another clerk might have written.
func (a *attributes) other(d dim, rng *rand.Rand) uint16 {
	switch d {
	case dimAge:
		years := a.age() + 1 - 2*rng.IntN(2)
		if years < 0 || years > 99 {
			years = 1
		}
		return uint16(years + 1)
	case dimReasons:
		one := uint16(1) << (1 + rng.IntN(reasonList.Len()-1))
		if one == a[d] {
			one ^= 1<<1 | 1<<2
		}
		return one
	case dimMunicipality:
		return a.otherMunicipality(rng)
	}
	for {
		v := uint16(1 + rng.IntN(lists[d].Len()-1))
		switch {
		case v == a[d]:
		case d == dimEntry && v == blind, d == dimCentre && v == notRegistered:
		default:
			return v
		}
	}
}

// otherMunicipality is another one of the same department, where a department is stated; 0 when there is none.
func (a *attributes) otherMunicipality(rng *rand.Rand) uint16 {
	in := municipalities[a[dimDepartment]]
	if len(in) < 2 {
		return 0
	}
	v := in[rng.IntN(len(in))]
	if v == a[dimMunicipality] {
		v = in[0]
	}
	if v == a[dimMunicipality] {
		v = in[1]
	}
	return v
}

// disagree writes another value over an attribute and keeps the whole valid: a municipality lies in its department.
func (a *attributes) disagree(d dim, rng *rand.Rand) {
	a[d] = a.other(d, rng)
	if d == dimDepartment {
		a[dimMunicipality] = 0
	}
}

// municipalities are the indexes of the municipalities of each department, by the department's index.
var municipalities = func() [][]uint16 {
	out := make([][]uint16, lists[dimDepartment].Len())
	for i := 1; i < lists[dimMunicipality].Len(); i++ {
		d := index(dimDepartment, codelists.DepartmentOf(lists[dimMunicipality].At(uint16(i))))
		out[d] = append(out[d], uint16(i))
	}
	return out
}()
