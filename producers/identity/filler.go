package identity

import (
	"regexp"
	"strings"
)

var (
	// decimals is a whole number that went through a program of floating-point numbers.
	decimals = regexp.MustCompile(`^\s*(\d{4,})[.,]0{1,2}\s*$`)
	// exponent is a number as spreadsheets show it where the column is narrow: its last digits are lost.
	exponent = regexp.MustCompile(`^\s*\d(?:[.,]\d+)?[eE]\+\d+\s*$|^\s*\d[.,]\d+[eE]\d+\s*$`)
)

// whole is the number without the decimals of a program.
func whole(number string) string {
	if p := decimals.FindStringSubmatch(number); p != nil {
		return p[1]
	}
	return number
}

// rounded reports whether the number has lost digits that tell people apart.
func rounded(number string) bool { return exponent.MatchString(number) }

// filler reports whether a number of letters and digits is what people type where there is none, or what is left of a number that
// was rounded.
func filler(number string) bool {
	for _, run := range []string{"01234567890123456789", "1234567890123456789", "9876543210987654321", "0987654321"} {
		if strings.HasPrefix(run, number) {
			return true
		}
	}
	if strings.Trim(number, number[:1]) == "" {
		return true
	}
	if !allDigits(number) || len(number) < 6 {
		return false
	}
	distinct := map[rune]bool{}
	for _, digit := range number {
		distinct[digit] = true
	}
	return len(strings.TrimLeft(number, "0")) <= 3 || repeats(number) || len(number) >= 10 && (len(distinct) <= 2 || strings.HasSuffix(number, "00000"))
}

// repeats reports whether the number is two to four digits, three times or more: 123123123.
func repeats(number string) bool {
	for period := 2; period <= 4 && 3*period <= len(number); period++ {
		if strings.Repeat(number[:period], len(number)/period+1)[:len(number)] == number {
			return true
		}
	}
	return false
}
