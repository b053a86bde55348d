package portal_test

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
)

// TestASliceIsShown: its rows, base, coverage, vintage, status and date; what is withheld has a symbol and no number.
func TestASliceIsShown(t *testing.T) {
	for target, want := range map[string][]string{
		"/explore/T2?lang=en": {"Registered returns by exit point, first half of 2016", "Total 27,086 100.0% 2016-S1 A 2016-S1/2", "Corinto 17,064 63.0% 2016-S1 A 2016-S1/2", "Corinto 8,547 63.0% 2016-Q1", "Rows 1–27 of 27",
			"First half of 2016 2016-S1/2 Final 3 October 2016 27,086 80.0% exact", "Dataflow T2", "Key *.returns.registered", "Registered at a centre"},
		"/explore/T2?period=2016-S1&exit_point=L-COR&time_period=2016-S1&lang=es": {"Filas 1–1 de 1", "Clave S.returns.registered.*.L-COR", "Cobertura", "80.0 %", "Quitar filtros",
			"CENISS, Retorno: Retornos registrados por punto de salida, primer semestre de 2016. Edición 2016-S1/2 (definitiva), publicada el 3 de octubre de 2016.", "/explore/T2?exit_point=L-COR&lang=es&period=2016-S1&time_period=2016-S1&vintage=2"},
		"/explore/T11e?period=2016-S1&entry_point=L-AMA&lang=en":      {"El Amatillo [c] 2016-S1 Q 2016-S1/2", "[c]: 1", "it is not zero"},
		"/explore/T1?period=2015-S2&time_period=2015-S2&lang=en":      {"27,090 100.0% 2015-S2 P 2015-S2/1", "rounded to multiples of 10", "not given", "Provisional", "Rounded counts may not add up"},
		"/explore/T1?period=all&route=_T&lang=en":                     {"all half-years", "27,086 100.0% 2016-S1", "27,090 100.0% 2015-S2", "27,326 100.0% 2014-S1"},
		"/explore/T1?period=2016-S1&vintage=1&lang=en":                {"one fixed vintage: it never changes", "27,090", "2016-S1/1"},
		"/explore/T6?period=2016-S1&sex=F&age=51%2B&lang=en":          {"Rows 1–1 of 1", "51@", "Women 51 and over 323"},
		"/explore/T8?lang=en":                                         {"Rows 1–250 of 334", "More rows"},
		"/explore/T8?lang=en&page=2":                                  {"Rows 251–334 of 334", "Rows before"},
		"/explore?lang=en":                                            {"Registered returns by exit point", "What is not published, and why", "Vintage 2015-S2/1, tables T2, T4"},
		"/calendar?lang=en":                                           {"Release calendar", "announced the next publication for 15 February 2017 .", "The first vintage of the second half of 2016, which ends on 31 December 2016", "The final vintage of the second half of 2015", "3 October 2016, 09:00"},
		"/method?lang=es":                                             {"Qué es un registro. Un mensaje de uno de los dos temas", "los cruces de retorno (el puesto mismo), después los registros", "Versión 1"},
		"/method?lang=en":                                             {"What is a record.", "A help belongs to the person's latest return"},
		"/explore/T9?period=2016-S1&accompanied=unaccompanied&sex=_T": {"No acompañados", "Menores"},
	} {
		resp, page := get(t, handler(), target)
		text := plain(page)
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", target, resp.StatusCode, text)
			continue
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page does not say %q:\n%s", target, w, text)
			}
		}
	}
}

// TestAWrongSliceIsRefusedByName: every wrong parameter is named, with what would be right.
func TestAWrongSliceIsRefusedByName(t *testing.T) {
	for target, want := range map[string]string{
		"/explore/T2?border_point=corinto&lang=en":             `There is no filter "border_point" for this table; there are: period, vintage, page, lang, exit_point, source, time_period.`,
		"/explore/T2?exit_point=corinto&lang=en":               `exit_point does not have the code "corinto" in this table; allowed: `,
		"/explore/T2?lang=en&exit_point=L-COR&exit_point=SLV":  `The parameter "exit_point" stands several times.`,
		"/explore/T2?lang=en&period=2016":                      `period "2016" is not a half-year`,
		"/explore/T2?lang=en&vintage=2":                        "name its half-year too",
		"/explore/T2?lang=en&period=2016-S1&vintage=x":         "is not the number of a vintage",
		"/explore/T2?lang=en&page=9":                           "The table has 1 pages.",
		"/explore/T2?lang=en&page=-1":                          "is not the number of a page",
		"/explore/T2?lang=en&x=%3Cscript%3E":                   "There is no filter",
		"/explore/T2?lang=en&sex=%zz":                          "cannot be read",
		"/explore/T2?lang=en&sex=" + strings.Repeat("x", 3000): "too long",
	} {
		resp, page := get(t, handler(), target)
		if resp.StatusCode != 400 || !strings.Contains(plain(page), want) && !strings.Contains(plain(page), "too long") || strings.Contains(page, "<script") || len(page) > 20_000 {
			t.Errorf("%.80s: %d, want %q: %s", target, resp.StatusCode, want, plain(page))
		}
	}
	for target, want := range map[string]string{"/explore/T99?lang=en": "There is no such table", "/explore/T2?period=2015-S2&lang=en": "The table is in: 2016-S1, 2014-S1.", "/explore/T2?period=2016-S1&vintage=7&lang=en": "does not have table T2"} {
		if resp, page := get(t, handler(), target); resp.StatusCode != 404 || !strings.Contains(plain(page), want) {
			t.Errorf("%s: %d %s", target, resp.StatusCode, plain(page))
		}
	}
}

var link = regexp.MustCompile(`href="([^"]+)">([^<]+)</a>`)

// links are the addresses of a page by their text.
func links(page string) map[string]string {
	all := map[string]string{}
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		all[html.UnescapeString(m[2])] = html.UnescapeString(m[1])
	}
	return all
}

var services = sync.OnceValue(func() http.Handler { return sdmx.New(sdmx.Config{Shelf: shelf()}) })

var row = regexp.MustCompile(`<td class="num"[^>]*>([^<]*)</td><td class="num">[^<]*</td><td class="word">[^<]*</td><td>([APQ])</td>`)

// TestTheKeyOfASliceGivesTheSlice: what the page shows is what SDMX answers to its links, in each format, also in a vintage that is not the newest.
func TestTheKeyOfASliceGivesTheSlice(t *testing.T) {
	for _, target := range []string{"/explore/T2?period=2016-S1&lang=en", "/explore/T2?exit_point=L-COR&time_period=2016-Q1&lang=en", "/explore/T6?sex=F&age=51%2B&lang=en", "/explore/T1?period=all&route=_T&lang=en",
		"/explore/T11e?lang=en", "/explore/T9?lang=en", "/explore/T1?period=2014-S1&vintage=1&lang=en", "/explore/T1?period=2014-S1&lang=en"} {
		_, page := get(t, handler(), target)
		shown := map[string]int{}
		for _, m := range row.FindAllStringSubmatch(page, -1) {
			value := strings.ReplaceAll(m[1], ",", "")
			if value == "[c]" {
				value = "NaN"
			}
			shown[value+" "+m[2]]++
		}
		all := links(page)
		_, body := get(t, services(), all["SDMX-CSV 2.0"])
		records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(records) < 2 {
			t.Errorf("%s: %s: %v %s", target, all["SDMX-CSV 2.0"], err, body)
			continue
		}
		at := map[string]int{}
		for i, name := range records[0] {
			at[name] = i
		}
		for _, r := range records[1:] {
			shown[r[at["OBS_VALUE"]]+" "+r[at["OBS_STATUS"]]]--
		}
		for what, n := range shown {
			if n != 0 {
				t.Errorf("%s: the page has %d more rows of %s than %s", target, n, what, all["SDMX-CSV 2.0"])
			}
		}
		for _, name := range []string{"SDMX-JSON 2.0", "SDMX-ML 3.0", "SDMX-CSV 1.0", "SDMX-ML 2.1, generic", "SDMX-ML 2.1, structure-specific"} {
			if resp, body := get(t, services(), all[name]); resp.StatusCode != 200 || len(body) < 100 {
				t.Errorf("%s: %s at %q: %d %s", target, name, all[name], resp.StatusCode, body)
			}
		}
	}
}

// TestASliceOfAVintageStays: the address that is to be cited gives the same rows after another vintage was published, and the hashes are those of the files.
func TestASliceOfAVintageStays(t *testing.T) {
	_, page := get(t, handler(), "/explore/T2?exit_point=L-COR&lang=en")
	cited := ""
	for text, address := range links(page) {
		if strings.HasPrefix(text, "/explore/") {
			cited = address
		}
	}
	u, err := url.Parse(cited)
	if err != nil || u.Query().Get("vintage") != "2" || u.Query().Get("period") != "2016-S1" || u.Query().Get("exit_point") != "L-COR" {
		t.Fatalf("%q %v", cited, err)
	}
	for target, want := range map[string]string{"/explore/T2?period=2014-S1&vintage=1&exit_point=L-COR&lang=en": "Corinto 17,064", "/explore/T2?period=2014-S1&vintage=2&exit_point=L-COR&lang=en": "Corinto 17,304", "/explore/T2?period=2014-S1&exit_point=L-COR&lang=en": "Corinto 17,304"} {
		if _, page := get(t, handler(), target); !strings.Contains(plain(page), want) {
			t.Errorf("%s: the page does not say %q: %s", target, want, plain(page))
		}
	}
	files := vintages.New(vintages.Config{Shelf: shelf()})
	for _, name := range []string{"tables/T2.csv", "manifest.json"} {
		_, body := get(t, files, "/vintages/2016-S1/2/"+name)
		if sum := digest(body); !strings.Contains(page, sum) {
			t.Errorf("the page does not have the hash of %s, %s", name, sum)
		}
	}
}

// BenchmarkSlice measures a page of the explorer whose vintage was read before.
func BenchmarkSlice(b *testing.B) {
	h := portal.New(portal.Config{Shelf: vintages.NewShelf(conn, time.Minute, time.Hour)})
	for _, target := range []string{"/", "/explore", "/explore/T2", "/explore/T8", "/explore/T5?period=all", "/revisions/2014-S1"} {
		b.Run(target, func(b *testing.B) {
			for b.Loop() {
				if status := serve(h, target); status != 200 {
					b.Fatal(status)
				}
			}
		})
	}
}
