package importer

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

// Character sets of eight bits. Those of DOS agree in the letters of Spanish that both have, so that only the caller can
// mean the older one.
const (
	charset850 = "CP850"
	charset437 = "CP437"
	charsetMac = "Macintosh"
)

var codePages = map[string]*charmap.Charmap{charset1252: charmap.Windows1252, charset850: charmap.CodePage850, charset437: charmap.CodePage437, charsetMac: charmap.Macintosh}

// charsetNames are the character sets that a caller can state, in lower case.
var charsetNames = map[string]string{"utf-8": charsetUTF8, "utf8": charsetUTF8, "windows-1252": charset1252, "cp1252": charset1252, "1252": charset1252, "latin1": charset1252,
	"iso-8859-1": charset1252, "cp850": charset850, "850": charset850, "cp437": charset437, "437": charset437, "macintosh": charsetMac, "macroman": charsetMac, "mac": charsetMac,
	"utf-16le": charsetUTF16LE, "utf-16be": charsetUTF16BE}

func charsetNamed(name string) (string, bool) {
	charset, ok := charsetNames[strings.ToLower(strings.TrimSpace(name))]
	return charset, ok
}

// The letters beside a byte tell the case of the letter that it must be.
const (
	amongLower = iota
	amongUpper
	atStart // of a word that goes on in lower case
	contexts
)

// letterCounts counts the bytes beyond ASCII that stand in words, by what stands beside them.
type letterCounts [256][contexts]int

// count takes the byte at i of b into account.
func (l *letterCounts) count(b []byte, i int) {
	var before, after byte
	if i > 0 {
		before = b[i-1]
	}
	if i+1 < len(b) {
		after = b[i+1]
	}
	switch {
	case isLower(after) && !isLower(before) && !isUpper(before) && before < 0x80:
		l[b[i]][atStart]++
	case isLower(after):
		l[b[i]][amongLower]++
	case isUpper(after):
		l[b[i]][amongUpper]++
	case isLower(before):
		l[b[i]][amongLower]++
	case isUpper(before):
		l[b[i]][amongUpper]++
	}
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// spanish counts those bytes that are a letter of Spanish in the right case under a character set, and all of them.
func (l *letterCounts) spanish(page *charmap.Charmap) (good, all int) {
	for b := range l {
		r := page.DecodeByte(byte(b))
		for context, n := range l[b] {
			all += n
			if n > 0 && strings.ContainsRune("áéíóúüñ", unicode.ToLower(r)) && (context == atStart || unicode.IsUpper(r) == (context == amongUpper)) {
				good += n
			}
		}
	}
	return good, all
}

// page finds the character set under which the words of the file are Spanish; false when none makes them so, or two do.
func (l *letterCounts) page() (string, bool) {
	good, all := l.spanish(charmap.Windows1252)
	best, charset := good, charset1252
	for _, name := range []string{charset850, charsetMac} {
		if n, _ := l.spanish(codePages[name]); n > best {
			best, charset = n, name
		}
	}
	const few = 2 // a letter of another language among them is no doubt
	if charset == charset1252 {
		return charset, all <= few || best*2 >= all
	}
	return charset, best*10 >= all*9 && good*3 <= best
}

// encodingOf returns what decodes a character set of eight bits, nil for others.
func encodingOf(charset string) encoding.Encoding {
	if page, ok := codePages[charset]; ok {
		return page
	}
	return nil
}
