package portal

import (
	"bytes"
	"html/template"
	"net/http"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"retorno/consumers/counting/reconcile"
)

// methodPath is where the method is read.
const methodPath = "/method"

// methodView is what the template of the method is given.
type methodView struct {
	Frame
	Version int
	Text    template.HTML
}

// methodTexts are the published text of the method in each language. It is the program's own, and raw HTML in it is left out.
var methodTexts = map[string]template.HTML{"es": methodText("Español"), "en": methodText("English")}

// methodText is the part of the method below the heading of a language.
func methodText(heading string) template.HTML {
	_, text, _ := strings.Cut(reconcile.Text, "\n## "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var b bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.Table)).Convert([]byte(text), &b); err != nil {
		panic(err) // of a file that is built in
	}
	caption := both{"De qué registros viene cada atributo", "From which records each attribute comes"}.in(map[string]string{"Español": "es", "English": "en"}[heading])
	return template.HTML(strings.NewReplacer("<table>", `<table class="stat small"><caption>`+caption+"</caption>", "<th>", `<th scope="col">`, "<!-- raw HTML omitted -->\n", "").Replace(b.String())) //nolint:gosec // the program's own text
}

// method is the page of the method.
func (s *server) method(w http.ResponseWriter, r *http.Request) {
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	lang := language(r)
	v := methodView{Frame: frame(lang, methodPath, ""), Version: reconcile.MethodVersion, Text: methodTexts[lang]}
	v.Title = both{"El método", "The method"}.in(lang)
	s.show(w, r, http.StatusOK, "method", v)
}
