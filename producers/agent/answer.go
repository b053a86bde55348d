package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"retorno/producers/form"
)

// text is a sentence in Spanish and English.
type text struct{ es, en string }

func (t text) in(english bool) string { return pick(english, t.es, t.en) }

func pick(english bool, es, en string) string {
	if english {
		return en
	}
	return es
}

// english reports whether the clerk chose English.
func english(r *http.Request) bool {
	c, err := r.Cookie("lang")
	return err == nil && c.Value == "en"
}

// finding is a fault or a doubt as a program gets it.
type finding struct {
	Line  int    `json:"line,omitempty"` // of POST /forms, from 1
	Field string `json:"field"`
	Code  string `json:"code"`
	Text  string `json:"text"`
}

func findings(all []form.Finding, english bool, line int) []finding {
	out := make([]finding, len(all))
	for i, f := range all {
		out[i] = finding{line, f.Field, f.Code, pick(english, f.ES, f.EN)}
	}
	return out
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // who asked is gone
}

// refuse says why a request is not served.
func refuse(w http.ResponseWriter, r *http.Request, status int, code string, why text) {
	if wantsJSON(r) {
		writeJSON(w, status, map[string]any{"error": code, "text": why.in(english(r))})
		return
	}
	render(w, status, "message.html", message{frame: frame{English: english(r), Title: code}, Text: why.in(english(r))})
}

// render writes a page.
func render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

var errMediaType = errors.New("only forms and JSON are read")

// fieldsOf reads the fields of a form: as a browser sends them, or as an object of JSON.
func fieldsOf(r *http.Request) (url.Values, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch media {
	case "application/json":
		var object map[string]any
		d := json.NewDecoder(r.Body)
		d.UseNumber()
		if err := d.Decode(&object); err != nil {
			return nil, err
		}
		return valuesOf(object)
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return nil, err
		}
		return r.PostForm, nil
	}
	return nil, errMediaType
}

// valuesOf makes fields of an object: texts, numbers, true and false, and lists of these.
func valuesOf(object map[string]any) (url.Values, error) {
	out := url.Values{}
	for name, value := range object {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			switch v := v.(type) {
			case nil:
			case string:
				out.Add(name, v)
			case json.Number:
				out.Add(name, v.String())
			case bool:
				out.Add(name, strconv.FormatBool(v))
			default:
				return nil, fmt.Errorf("field %s is neither a text nor a list of texts", name)
			}
		}
	}
	return out, nil
}
