package report

import (
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// words are the texts of the short table in one language.
type words struct {
	title, to, counted, returns, total, routes, exits, base, coverage, none, other string
	halves                                                                         [2]string
}

var languages = map[string]words{
	"es": {"Retornos registrados", "a", "contados ahora en ClickHouse, exactos", "retornos", "Total registrado", "Por ruta (país de retorno y vía)",
		"Por punto por donde salieron de Honduras", "Base de los porcentajes: %s retornos registrados, incluidos los no declarados.",
		"Cobertura: %s registrados de %s retornos conocidos (%s %%).", "No hay retornos registrados en este periodo.", "Otros",
		[2]string{"primer semestre de %s", "segundo semestre de %s"}},
	"en": {"Registered returns", "to", "counted now in ClickHouse, exact", "returns", "Registered in total", "By route (country of return and mode)",
		"By point where they left Honduras", "Base of the percentages: %s registered returns, those not stated included.",
		"Coverage: %s registered of %s known returns (%s%%).", "There are no registered returns in this period.", "Others",
		[2]string{"first half of %s", "second half of %s"}},
}

// longest is how many lines a breakdown has in the terminal before the rest is summed up.
const longest = 12

// Text writes the table for a terminal, in Spanish ("es") or English ("en"), with exact counts and one decimal.
func (h *HalfYear) Text(w io.Writer, lang string) error {
	say, ok := languages[lang]
	if !ok {
		return fmt.Errorf("write the table of %s: language %q is not one of es, en", h.name(), lang)
	}
	var b strings.Builder
	name := h.name()
	if year, half, ok := strings.Cut(h.Period.Label, "-S"); ok && (half == "1" || half == "2") {
		name = fmt.Sprintf(say.halves[half[0]-'1'], year)
	}
	fmt.Fprintf(&b, "%s, %s (%s %s %s), %s\n", say.title, name, h.Period.First, say.to, h.Period.Last, say.counted)
	if h.Registered == 0 {
		b.WriteString(say.none + "\n")
	} else {
		h.lines(&b, say, lang)
	}
	if line := h.Coverage(lang); line != "" {
		b.WriteString(line + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the table of %s: %w", h.name(), err)
	}
	return nil
}

// Coverage is the sentence on the coverage of the period, in Spanish ("es") or English ("en"); empty when no return is known.
func (h *HalfYear) Coverage(lang string) string {
	if h.Reconciled == 0 {
		return ""
	}
	return fmt.Sprintf(languages[lang].coverage, grouped(h.Registered), grouped(h.Reconciled), percent(h.Registered, h.Reconciled))
}

func (h *HalfYear) lines(b *strings.Builder, say words, lang string) {
	line(b, "", say.returns, "%")
	line(b, say.total, grouped(h.Registered), percent(h.Registered, h.Registered))
	for _, block := range []struct {
		title string
		parts []Part
	}{{say.routes, h.Routes}, {say.exits, h.ExitPoints}} {
		b.WriteString(block.title + "\n")
		shown, rest := block.parts, uint64(0)
		if len(shown) > longest {
			for _, p := range shown[longest-1:] {
				rest += p.Returns
			}
			shown = shown[:longest-1]
		}
		for _, p := range shown {
			label := p.LabelES
			if lang == "en" {
				label = p.LabelEN
			}
			line(b, fmt.Sprintf("  %-8s %s", p.Code, label), grouped(p.Returns), percent(p.Returns, h.Registered))
		}
		if rest > 0 {
			line(b, "  "+say.other, grouped(rest), percent(rest, h.Registered))
		}
	}
	fmt.Fprintf(b, say.base+"\n", grouped(h.Registered))
}

// line pads by characters, as a terminal counts, and shortens a name that would push the numbers out of their column.
func line(b *strings.Builder, name, count, share string) {
	const width = 54
	if utf8.RuneCountInString(name) > width {
		name = string([]rune(name)[:width-1]) + "…"
	}
	fmt.Fprintf(b, "%s%s %9s %6s\n", name, strings.Repeat(" ", width-utf8.RuneCountInString(name)), count, share)
}

// grouped writes a count with commas, as Honduras does.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes 100 part / whole with one decimal, halves up, from the integers.
func percent(part, whole uint64) string {
	return new(big.Rat).SetFrac(
		new(big.Int).Mul(new(big.Int).SetUint64(part), big.NewInt(100)), new(big.Int).SetUint64(whole)).FloatString(1)
}
