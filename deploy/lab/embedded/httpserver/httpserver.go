// Package httpserver is ClickHouse's HTTP interface in front of the embedded engine, so that curl,
// clickhouse-connect, the JDBC driver and BI tools use it as a server's.
//
// It promises: any format the engine knows, in both directions; results pass through in pieces; an error has
// ClickHouse's own code, text and HTTP status, and one that comes after the first bytes went out breaks the
// transfer off, so that no client takes half a result for a whole one; an INSERT reaches the engine only with its
// whole body. A client that goes away ends its statement. Sessions end after their timeout, with what they hold.
// It never answers a web page: see foreign.
package httpserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"retorno/deploy/lab/embedded/chdb"
	"retorno/deploy/lab/embedded/session"
)

// DisplayName is the name the server gives itself in its answers.
const DisplayName = "retorno-embedded"

// Server answers requests for one engine.
type Server struct {
	engine       *session.Engine
	authenticate func(user, password string) (role string, ok bool)
	log          *log.Logger
	contentTypes map[string]string // by format name in lower case
	sessions     *sessions
	http         *http.Server
}

// New asks the engine what formats it knows. authenticate reports whether user and password are right, and the one role
// the user is bound to ("" = not bound). logger takes one line for each request that broke off.
func New(e *session.Engine, authenticate func(user, password string) (role string, ok bool), logger *log.Logger) (*Server, error) {
	s := &Server{engine: e, authenticate: authenticate, log: logger, contentTypes: map[string]string{}, sessions: newSessions()}
	r, err := e.Ask("SELECT name, content_type FROM system.formats", "JSONCompactEachRow")
	if err != nil {
		return nil, fmt.Errorf("ask the engine for its formats: %w", err)
	}
	for line := range strings.Lines(string(r.Data)) {
		var format [2]string
		if err := json.Unmarshal([]byte(line), &format); err != nil {
			return nil, fmt.Errorf("read the engine's formats: %w", err)
		}
		s.contentTypes[strings.ToLower(format[0])] = format[1]
	}
	s.http = &http.Server{Handler: s, ErrorLog: logger, ReadHeaderTimeout: time.Minute, MaxHeaderBytes: 1 << 20}
	return s, nil
}

// Serve answers until the listener is closed.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Close ends all requests, whose context must have been cancelled, and all sessions.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.sessions.close()
	return err
}

// closePatience is how long cancelled requests may take to end.
const closePatience = 3 * time.Second

// ServeHTTP routes a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := foreign(r); why != "" {
		refuseForeign(w, why)
		return
	}
	h := w.Header()
	set(h, "X-ClickHouse-Server-Display-Name", DisplayName)
	switch path := strings.TrimSuffix(r.URL.Path, "/"); {
	case r.Method == http.MethodOptions:
		h.Set("Allow", "POST, GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	case path == "/ping" || path == "/replicas_status" || path == "" && plainGet(r):
		h.Set("Content-Type", "text/html; charset=UTF-8")
		_, _ = w.Write([]byte("Ok.\n")) // a client that is gone needs no answer
	case path == "" || path == "/query":
		s.query(w, r)
	default:
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintf(w, "There is no handle %s\n\nUse / or /ping for health checks.\nOr /replicas_status for more sophisticated health checks.\n\n"+
			"Send queries from your program with POST method or GET /?query=...\n", r.URL.RequestURI())
	}
}

// plainGet reports whether a request to / is no query but a look whether the server is there.
func plainGet(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.RawQuery == "" && r.ContentLength == 0
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	out := &output{w: w, server: s}
	defer func() { _ = out.release() }() // what it could not write went to a client that is gone
	q, err := s.parse(r, out)
	if err == nil {
		defer q.close()
		err = s.run(r.Context(), q, out)
	}
	if err = out.finish(err); err != nil {
		if chdb.CodeOf(err) == 0 && r.Context().Err() == nil { // else the client knows, or is gone
			s.log.Printf("request of %s: %v", r.RemoteAddr, err)
		}
		panic(http.ErrAbortHandler) // the client must see that the result is not whole
	}
}

// statuses gives the HTTP status to names of errors. Source: ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp.
var statuses = func() map[string]int {
	m := map[string]int{}
	for status, names := range map[int]string{
		http.StatusUnauthorized: "REQUIRED_PASSWORD",
		http.StatusForbidden:    "UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED",
		http.StatusBadRequest: "BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE " +
			"CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 " +
			"CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE " +
			"THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
		http.StatusNotFound: "UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING " +
			"UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE",
		http.StatusRequestEntityTooLarge: "QUERY_IS_TOO_LARGE",
		http.StatusNotImplemented:        "NOT_IMPLEMENTED",
		http.StatusServiceUnavailable:    "SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK",
		http.StatusLengthRequired:        "HTTP_LENGTH_REQUIRED",
		http.StatusRequestTimeout:        "TIMEOUT_EXCEEDED",
		http.StatusUnsupportedMediaType:  "UNSUPPORTED_MEDIA_TYPE",
	} {
		for _, name := range strings.Fields(names) {
			m[name] = status
		}
	}
	return m
}()

func statusOf(e *chdb.Error) int {
	if status, ok := statuses[e.Name]; ok {
		return status
	}
	return http.StatusInternalServerError
}
