package identity

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A slip is the numbered paper that a post gives a returned person without a document, so that the centre finds the crossing:
// COR1-000123-Z is office COR, its computer 1, that computer's 123rd slip, and a check character.

// MaxSlip is the last number of a computer's slips.
const MaxSlip = 999_999

var (
	// slipForm is a slip without hyphens and blanks.
	slipForm = regexp.MustCompile(`^([A-Z]{3,4}[0-9]{1,2})([0-9]{6})([0-9A-Z*])$`)
	// sourceForm is the id of a computer: place, hyphen, number.
	sourceForm = regexp.MustCompile(`^([A-Z]+)-([A-Z]{3})-([1-9][0-9]?)$`)
	slipSigns  = strings.NewReplacer("-", "", "‑", "", "–", "", " ", "", ".", "")
)

// checkAlphabet are the characters of ISO 7064 MOD 37-2 in the order of their values; the last one is a check character only.
const checkAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"

// SlipOffice is the first part of the slips of a computer: COR1 for L-COR-1. Places that are no land posts have a letter before it,
// so that no two computers share one: AROA1 is an airport's, SOMO1 a port's, COMO1 a centre's. ok is false for an id of another form.
func SlipOffice(source string) (office string, ok bool) {
	p := sourceForm.FindStringSubmatch(source)
	if p == nil {
		return "", false
	}
	switch p[1] {
	case "L":
		return p[2] + p[3], true
	case "A", "S":
		return p[1] + p[2] + p[3], true
	case "MOD":
		return "M" + p[2] + p[3], true
	}
	return "C" + p[2] + p[3], true
}

// Slip is the number on a slip: office as SlipOffice says it, counter 1 to MaxSlip.
func Slip(office string, counter int) string {
	body := fmt.Sprintf("%s%06d", office, counter)
	return fmt.Sprintf("%s-%06d-%c", office, counter, checkCharacter(body))
}

// ParseSlip reads a slip, in any case, with or without hyphens, and returns it as Slip writes it. ok is false when it has another
// form or its check character is not that of the rest: a character was mistyped or two neighbours were swapped.
func ParseSlip(text string) (slip string, ok bool) {
	p := slipForm.FindStringSubmatch(slipSigns.Replace(strings.ToUpper(strings.TrimSpace(text))))
	if p == nil || checkCharacter(p[1]+p[2]) != p[3][0] {
		return "", false
	}
	n, _ := strconv.Atoi(p[2])
	return Slip(p[1], n), n > 0
}

// checkCharacter is that of ISO 7064 MOD 37-2 (pure system, radix 2) for a text of digits and capital letters.
func checkCharacter(body string) byte {
	const modulus, radix = 37, 2
	sum := 0
	for i := range len(body) {
		sum = (sum + strings.IndexByte(checkAlphabet, body[i])) * radix % modulus
	}
	return checkAlphabet[(modulus+1-sum)%modulus]
}
