package codelists

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// anyList stands in synonyms.csv for every list: the many ways to write that nothing was stated.
const anyList = "*"

// ambiguous stands in synonyms.csv for a text that fits several codes and therefore none.
const ambiguous = "?"

// attrKeys are the attributes by which other systems name a code, tried after codes, synonyms and labels.
var attrKeys = []string{"iso3", "m49", "iata", "icao", "unlocode", "pcode", "short_es", "short_en", "former_label"}

// modePoints holds, for each mode, border point names that only the mode makes clear ("La Ceiba" by air or by sea).
var modePoints map[string]map[string]string

// Resolve finds the code that a text of another system means: the code itself, a label in Spanish or English, a
// synonym of data/synonyms.csv, or a foreign code (ISO alpha-3, M49, IATA, ICAO, UN/LOCODE, OCHA, INE for
// departments), whatever its case, accents, spaces and punctuation; also "05 - Cortés", when both halves agree.
//
// An empty text and the ways to write "not stated" give the unknown code and true. A text that fits no code or
// several gives "" and false: nothing is guessed. Municipalities resolve by number only, since 25 names stand for
// several: see ResolveMunicipality. Bare INE numbers of departments are read in the order of INE, see DepartmentOfINE.
func Resolve(list, text string) (code string, ok bool) {
	l, known := byName[list]
	if !known {
		return "", false
	}
	if l.Has(text) {
		return text, true
	}
	return l.known.of(text, l.resolve)
}

// resolve is Resolve for a text that is no code of the list.
func (l *List) resolve(text string) (string, bool) {
	list, key := l.Name, fold(text)
	if key == "" {
		return l.Unknown, true
	}
	if code, ok := l.resolveKey(key); ok {
		return code, true
	}
	if list == BorderPoint {
		if code, ok := l.resolveKey(withoutOffice(text)); ok {
			return code, true
		}
	}
	if list == BorderPoint || list == Centre || list == Department {
		if code, ok := only(spellings(text), l.resolveKey); ok {
			return code, true
		}
	}
	if head, tail, split := halves(text); split {
		a, okA := l.resolveKey(fold(head))
		b, okB := l.resolveKey(fold(tail))
		if okA && okB && a == b && a != l.Unknown {
			return a, true
		}
	}
	return "", false
}

func (l *List) resolveKey(key string) (string, bool) {
	code := l.keys[key]
	return code, code != ""
}

// ResolvePoint is Resolve for border points where the mode of travel is known: "La Ceiba" and "Roatán" are an airport
// and a port, "Omoa" is a port by sea and Corinto's municipality by land. mode is a code of the list Mode or "".
func ResolvePoint(text, mode string) (code string, ok bool) {
	if code, ok := Resolve(BorderPoint, text); ok {
		return code, true
	}
	points := modePoints[mode]
	if code, ok := points[fold(text)]; ok {
		return code, true
	}
	code, ok = points[withoutOffice(text)]
	return code, ok
}

// ResolveMunicipality finds a municipality by its INE number ("0501", "HN0501", "501" where a spreadsheet has eaten
// the zero, "0501 - San Pedro Sula") or, inside a known department (ISO 3166-2), by its name. A name alone never
// resolves, nor does a number that lies outside a stated department. department may be "" or the unknown code.
func ResolveMunicipality(department, text string) (code string, ok bool) {
	l := byName[Municipality]
	if department == byName[Department].Unknown {
		department = ""
	}
	key := fold(text)
	if key == "" {
		return l.Unknown, true
	}
	if code, ok := l.resolveKey(key); ok {
		return code, inDepartment(code, department)
	}
	if code, ok := municipalityNamed(department, text); ok {
		return code, true
	}
	head, tail, split := halves(text)
	if !split {
		return "", false
	}
	code, ok = l.resolveKey(fold(head))
	if !ok || code == l.Unknown || !inDepartment(code, department) {
		return "", false
	}
	if municipalityNames[DepartmentOf(code)+"/"+fold(tail)] != code {
		return "", false
	}
	return code, true
}

func inDepartment(municipality, department string) bool {
	d := DepartmentOf(municipality)
	return department == "" || d == "" || d == department
}

// municipalityNames maps "HN-CR/sanpedrosula" to the municipality; "" marks a name twice in one department.
var municipalityNames map[string]string

// municipalitySynonyms are the everyday names of data/synonyms.csv, each inside a department: municipality@HN-FM,Tegucigalpa.
var municipalitySynonyms map[string]string

// halves splits "05 - Cortés" or "L-COR Corinto" at the first space.
func halves(text string) (head, tail string, ok bool) {
	head, tail, ok = strings.Cut(strings.TrimSpace(text), " ")
	return head, tail, ok && fold(head) != "" && fold(tail) != ""
}

// officeWords open the names that posts go by in exports: "Aduana El Poy", "Delegación Migratoria de Corinto".
var officeWords = map[string]bool{
	"aduana": true, "aduanas": true, "delegacion": true, "migratoria": true, "migracion": true, "inm": true,
	"frontera": true, "puesto": true, "punto": true, "paso": true, "fronterizo": true, "fronteriza": true,
	"pf": true, "control": true, "terrestre": true, "integrado": true, "de": true, "del": true,
}

// withoutOffice folds a text without the office words at its head.
func withoutOffice(text string) string {
	words := strings.Fields(text)
	for len(words) > 0 && officeWords[fold(words[0])] {
		words = words[1:]
	}
	return fold(strings.Join(words, ""))
}

// fold reduces a text to what two spellings of one name share: lower-case letters without accents, and digits.
// "¿?", "-" and blanks fold to nothing.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return foldUnicode(s)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			b.WriteByte(c)
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		}
	}
	return b.String()
}

func foldUnicode(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// Fold gives the form in which texts are compared here: no case, accents, spaces or punctuation. Importers compare
// column names with it.
func Fold(text string) string { return fold(text) }

// Spellings are the texts, folded and sorted, that Resolve takes for a code; of a municipality its numbers and the names that stand
// for it inside its department. A form offers a code under each of them.
func (l *List) Spellings(code string) []string {
	var out []string
	for key, of := range l.keys {
		if of == code {
			out = append(out, key)
		}
	}
	if l.Name == Municipality {
		department := DepartmentOf(code) + "/"
		for key, of := range municipalityNames {
			if name, ok := strings.CutPrefix(key, department); ok && of == code {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// loadSynonyms fills the keys of every list. What is said first holds: the list's synonyms, the ways to say nothing,
// codes in any spelling, labels, the codes of others; two codes on one level leave the text ambiguous. Synonyms come
// before codes because "S/D" is "sin dato" and not Sudan, and "no" not Norway; a code as it is written always holds.
func loadSynonyms(lists map[string]*List) error {
	text, err := files.ReadFile("data/synonyms.csv")
	if err != nil {
		return err
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return fmt.Errorf("data/synonyms.csv: %w", err)
	}
	if err := addSynonyms(lists, rows[1:]); err != nil {
		return fmt.Errorf("data/synonyms.csv: %w", err)
	}
	for _, l := range lists {
		addCodes(l)
		addLabels(l)
	}
	addMunicipalities(lists[Municipality], lists[Department])
	return nil
}

func addSynonyms(lists map[string]*List, rows [][]string) error {
	modePoints, municipalitySynonyms = map[string]map[string]string{}, map[string]string{}
	own, nothing := map[string]*level{}, map[string]*level{}
	for name, l := range lists {
		own[name], nothing[name] = newLevel(l), newLevel(l)
	}
	for i, row := range rows {
		list, key, code := row[0], fold(row[1]), row[2]
		if key == "" {
			return fmt.Errorf("line %d: an empty text", i+2)
		}
		if list == anyList {
			for _, l := range nothing {
				l.add(key, l.list.Unknown)
			}
			continue
		}
		if err := addSynonym(own, list, key, code); err != nil {
			return fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	for name := range lists {
		own[name].close()
		nothing[name].close()
	}
	return nil
}

func addSynonym(levels map[string]*level, list, key, code string) error {
	list, within, inside := strings.Cut(list, "@")
	level := levels[list]
	if level == nil || code != ambiguous && !level.list.Has(code) {
		return fmt.Errorf("list %q has no code %q", list, code)
	}
	if code == ambiguous {
		code = ""
	}
	switch {
	case !inside:
		level.add(key, code)
	case list == Municipality:
		if level.list.Attr(code, "department") != within {
			return fmt.Errorf("municipality %q does not lie in %q", code, within)
		}
		municipalitySynonyms[within+"/"+key] = code
	default:
		if modePoints[within] == nil {
			modePoints[within] = map[string]string{}
		}
		modePoints[within][key] = code
	}
	return nil
}

func addCodes(l *List) {
	level := newLevel(l)
	for _, c := range l.codes {
		level.add(fold(c.Code), c.Code)
	}
	level.close()
}

func addLabels(l *List) {
	if l.Name == Municipality {
		return
	}
	labels, others := newLevel(l), newLevel(l)
	for _, c := range l.codes {
		for _, label := range []string{c.LabelES, c.LabelEN} {
			labels.add(fold(label), c.Code)
			if bare, _, ok := strings.Cut(label, "("); ok {
				labels.add(fold(bare), c.Code)
			}
		}
		for _, name := range attrKeys {
			if v := c.Attrs[name]; v != "" {
				others.add(fold(v), c.Code)
			}
		}
		if ine := c.Attrs["ine"]; l.Name == Department && ine != "" {
			others.add(ine, c.Code)
			others.add(strings.TrimPrefix(ine, "0"), c.Code)
			others.add(fold(strings.TrimPrefix(c.Code, "HN-")), c.Code)
		}
	}
	labels.close()
	others.close()
}

func addMunicipalities(l, departments *List) {
	numbers := newLevel(l)
	municipalityNames = make(map[string]string, len(l.codes))
	for _, c := range l.codes[1:] {
		numbers.add(fold(c.Attrs["pcode"]), c.Code)
		numbers.add(strings.TrimPrefix(c.Code, "0"), c.Code)
		department := c.Attrs["department"]
		if !departments.Has(department) {
			panic("code lists: municipality " + c.Code + " lies in no department")
		}
		for _, name := range []string{c.LabelES, c.Attrs["also"]} {
			if name == "" {
				continue
			}
			key := department + "/" + fold(name)
			if _, twice := municipalityNames[key]; twice {
				municipalityNames[key] = ""
				continue
			}
			municipalityNames[key] = c.Code
		}
	}
	for key, code := range municipalitySynonyms {
		if _, named := municipalityNames[key]; !named {
			municipalityNames[key] = code
		}
	}
	numbers.close()
}

// level collects the keys of one level of a list before they join those that already hold.
type level struct {
	list *List
	keys map[string]string
}

func newLevel(l *List) *level { return &level{list: l, keys: map[string]string{}} }

func (l *level) add(key, code string) {
	if key == "" {
		return
	}
	if there, twice := l.keys[key]; twice && there != code {
		code = ""
	}
	l.keys[key] = code
}

func (l *level) close() {
	for key, code := range l.keys {
		if _, earlier := l.list.keys[key]; !earlier {
			l.list.keys[key] = code
		}
	}
}
