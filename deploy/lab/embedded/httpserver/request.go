package httpserver

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
	"retorno/deploy/lab/embedded/sqltext"
)

// Limits of a request.
const (
	maxHead   = 256 << 10 // what of an INSERT must hold everything before its data, in bytes
	maxSQL    = 64 << 20  // any other statement, in bytes
	maxFields = 64 << 20  // form fields that are no files, in bytes
)

// request is what a client asks for.
type request struct {
	session  *session.Session
	release  func() // gives the session back
	st       session.Statement
	insert   *sqltext.Insert // an INSERT with data
	data     io.Reader       // its data after those in insert.Data
	format   string          // for results of statements that name none
	readonly bool            // the method allows no change
	values   url.Values      // parameters, of the address and of a form
	form     *multipart.Form // files of a form are tables for this one statement
}

func (q *request) close() {
	if q.release != nil {
		q.release()
	}
	if q.form != nil {
		_ = q.form.RemoveAll() // temporary files of the form; the system's temporary folder is cleaned anyway
	}
}

// known are the parameters that are no settings. Source: ClickHouse, src/Server/HTTPHandler.cpp.
var known = map[string]bool{
	"query": true, "user": true, "password": true, "quota_key": true, "database": true, "default_format": true, "query_id": true,
	"session_id": true, "session_timeout": true, "session_check": true, "close_session": true, "compress": true, "decompress": true,
	"buffer_size": true, "wait_end_of_query": true, "stacktrace": true, "role": true, "client_protocol_version": true,
	"enable_http_compression": true, "http_zlib_compression_level": true, "framing": true,
}

// parse reads a request up to the data of its INSERT, and opens or finds its session.
func (s *Server) parse(r *http.Request, out *output) (*request, error) {
	values := r.URL.Query()
	id := values.Get("query_id")
	if id == "" {
		id = uuid.NewString()
	}
	out.begin(id, r, values)
	login, err := s.login(r, values)
	if err != nil {
		return nil, err
	}
	if login.Database = values.Get("database"); login.Database == "" {
		login.Database = r.Header.Get("X-ClickHouse-Database")
	}
	q := &request{values: values, format: outputFormat(r, values), readonly: r.Method != http.MethodPost && r.Method != http.MethodPut}
	q.st.ID = id
	body, err := s.body(r, values, q)
	if err != nil {
		q.close()
		return nil, err
	}
	if err := q.text(values.Get("query"), body); err != nil {
		q.close()
		return nil, err
	}
	q.parameters(values)
	if err := s.openSession(r, values, login, q); err != nil {
		q.close()
		return nil, err
	}
	return q, nil
}

// login reads who asks, from headers, Basic authentication or parameters.
func (s *Server) login(r *http.Request, values url.Values) (session.Login, error) {
	user, password := values.Get("user"), values.Get("password")
	if u, p, ok := r.BasicAuth(); ok {
		user, password = u, p
	}
	if h := r.Header; h.Get("X-ClickHouse-User") != "" || h.Get("X-ClickHouse-Key") != "" {
		user, password = h.Get("X-ClickHouse-User"), h.Get("X-ClickHouse-Key")
	}
	role, ok := s.authenticate(user, password)
	if !ok {
		if user == "" {
			user = "default"
		}
		return session.Login{}, &chdb.Error{
			Code: chdb.CodeAuthenticationFail, Name: "AUTHENTICATION_FAILED",
			Message: user + ": Authentication failed: password is incorrect, or there is no user with such name.",
		}
	}
	return session.Login{Role: role}, nil
}

func outputFormat(r *http.Request, values url.Values) string {
	for _, f := range []string{values.Get("default_format"), r.Header.Get("X-ClickHouse-Format")} {
		if f != "" {
			return f
		}
	}
	return "TabSeparated"
}

// body undoes the body's encodings and takes a form apart.
func (s *Server) body(r *http.Request, values url.Values, q *request) (io.Reader, error) {
	body, err := decode(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	if kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		if q.form, err = multipart.NewReader(body, options["boundary"]).ReadForm(maxFields); err != nil {
			return nil, badRequest("the form cannot be read: %v", err)
		}
		for name, v := range q.form.Value {
			if _, given := values[name]; !given {
				values[name] = v
			}
		}
		return strings.NewReader(""), nil
	}
	if on(values.Get("decompress")) {
		return nativeFrames(body), nil
	}
	return body, nil
}

func on(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

// text finds the statement, which stands in the parameter, the body or both, and where an INSERT's data begin.
func (q *request) text(query string, body io.Reader) error {
	if query != "" {
		if ins, ok := sqltext.ParseInsert(query); ok && !ins.Select {
			q.st.SQL, q.insert, q.data = query, &ins, body
			return nil
		}
		query += "\n"
	}
	buffered := bufio.NewReaderSize(body, maxHead)
	if query == "" {
		head, err := buffered.Peek(maxHead)
		if err != nil && err != io.EOF {
			return badRequest("the body cannot be read: %v", err)
		}
		if ins, ok := sqltext.ParseInsert(string(head)); ok && !ins.Select {
			q.st.SQL, q.insert, q.data = string(head[:len(head)-len(ins.Data)]), &ins, buffered
			if _, err := buffered.Discard(len(head)); err != nil {
				return badRequest("the body cannot be read: %v", err)
			}
			return nil
		}
	}
	rest, err := io.ReadAll(io.LimitReader(buffered, maxSQL+1))
	switch {
	case err != nil:
		return badRequest("the body cannot be read: %v", err)
	case len(rest) > maxSQL:
		return &chdb.Error{Code: chdb.CodeQueryTooLarge, Name: "QUERY_IS_TOO_LARGE", Message: fmt.Sprintf("The statement is longer than %d bytes", maxSQL)}
	}
	q.st.SQL = query + string(rest)
	if strings.TrimSpace(q.st.SQL) == "" {
		return &chdb.Error{Code: chdb.CodeSyntaxError, Name: "SYNTAX_ERROR", Message: "Empty query"}
	}
	return nil
}

// parameters sorts the rest into query parameters and settings.
func (q *request) parameters(values url.Values) {
	for name, v := range values {
		switch {
		case known[name] || len(v) == 0 || q.ofExternalTable(name):
		case strings.HasPrefix(name, "param_"):
			q.st.Params = append(q.st.Params, chdb.Param{Name: strings.TrimPrefix(name, "param_"), Value: v[0]})
		default:
			q.st.Settings = append(q.st.Settings, session.Setting{Name: name, Value: v[0], Important: true})
		}
	}
}

// openSession finds the session named in the request, or opens one for this request only.
func (s *Server) openSession(r *http.Request, values url.Values, login session.Login, q *request) error {
	open := func() (*session.Session, error) {
		opened, err := s.engine.Open(r.Context(), login)
		if err == nil && values.Get("role") != "" {
			var roles []string
			for _, role := range values["role"] {
				roles = append(roles, sqltext.Identifier(role))
			}
			if _, err = opened.Query(r.Context(), session.Statement{SQL: "SET ROLE " + strings.Join(roles, ", ")}, ""); err != nil {
				opened.Close()
			}
		}
		return opened, err
	}
	id := values.Get("session_id")
	if id == "" {
		opened, err := open()
		if err != nil {
			return err
		}
		q.session, q.release = opened, opened.Close
		return nil
	}
	timeout, err := sessionTimeout(values.Get("session_timeout"))
	if err != nil {
		return err
	}
	found, err := s.sessions.acquire(login.Role+"\x00"+id, on(values.Get("session_check")), open)
	if err != nil {
		return err
	}
	q.session = found.session
	q.release = func() { s.sessions.release(found, timeout, on(values.Get("close_session"))) }
	if login.Database != "" {
		_, err = q.session.Query(r.Context(), session.Statement{SQL: "USE " + sqltext.Identifier(login.Database)}, "")
	}
	return err
}

func sessionTimeout(text string) (time.Duration, error) {
	if text == "" {
		return defaultSessionTimeout, nil
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < 0 || time.Duration(seconds)*time.Second > maxSessionTimeout {
		return 0, &chdb.Error{Code: chdb.CodeInvalidSessionTimeout, Name: "INVALID_SESSION_TIMEOUT", Message: fmt.Sprintf("Invalid session timeout: '%s'", text)}
	}
	return time.Duration(seconds) * time.Second, nil
}

func badRequest(format string, a ...any) error {
	return &chdb.Error{Code: chdb.CodeBadArguments, Name: "BAD_ARGUMENTS", Message: fmt.Sprintf(format, a...)}
}
