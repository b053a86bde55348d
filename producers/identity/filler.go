package identity

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// decimals is a whole number that went through a program of floating-point numbers.
	decimals = regexp.MustCompile(`^\s*(\d{4,})[.,]0{1,2}\s*$`)
	// exponent is a number as spreadsheets show it where the column is narrow: its last digits are lost.
	exponent = regexp.MustCompile(`^\s*\d(?:[.,]\d+)?[eE]\+\d+\s*$|^\s*\d[.,]\d+[eE]\d+\s*$`)
)

// shown is what is left of such a number without its signs.
var shown = regexp.MustCompile(`^\d{5,}E\d{1,2}$`)

// whole is the number without the decimals of a program.
func whole(number string) string {
	if p := decimals.FindStringSubmatch(number); p != nil {
		return p[1]
	}
	return number
}

// rounded reports whether the number has lost digits that tell people apart.
func rounded(number string) bool {
	return strings.ContainsAny(number, "eE") && exponent.MatchString(number)
}

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
	if !allDigits(number) {
		return wordy(number) || shown.MatchString(number) || oneDigit(strings.TrimLeftFunc(number, unicode.IsLetter))
	}
	if len(number) < 6 {
		return false
	}
	distinct := map[rune]bool{}
	for _, digit := range number {
		distinct[digit] = true
	}
	return len(strings.TrimLeft(number, "0")) <= 3 || repeats(number) || len(number) >= 10 && (len(distinct) <= 2 || strings.HasSuffix(number, "00000") || strings.HasSuffix(number, "99999"))
}

// wordy reports whether a number is more words than number: ver acta 123. A CURP has more letters, and eight figures.
func wordy(number string) bool {
	letters, digits := 0, 0
	for _, r := range number {
		if unicode.IsLetter(r) {
			letters++
		} else {
			digits++
		}
	}
	return letters > digits && digits < minFigures
}

// oneDigit reports whether what follows the letters of a series is one digit: A000000.
func oneDigit(serial string) bool {
	return len(serial) >= 5 && strings.Trim(serial, serial[:1]) == ""
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
