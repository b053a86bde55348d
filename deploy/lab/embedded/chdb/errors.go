package chdb

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Codes of ClickHouse errors that the servers in front of the engine use themselves.
// Source: ClickHouse, src/Common/ErrorCodes.cpp.
const (
	CodeNoSuchColumn          = 16
	CodeBadArguments          = 36
	CodeNotImplemented        = 48
	CodeUnknownTable          = 60
	CodeSyntaxError           = 62
	CodeUnknownTypeOfQuery    = 78
	CodeUnknownFormat         = 73
	CodeUnknownDatabase       = 81
	CodeUnexpectedPacket      = 101
	CodeUnknownSetting        = 115
	CodeQueryTooLarge         = 223
	CodeInvalidSessionTimeout = 374
	CodeReadonly              = 164
	CodeRequiredPassword      = 194
	CodeOutfileNotAllowed     = 358
	CodeSessionNotFound       = 372
	CodeSessionIsLocked       = 373
	CodeQueryWasCancelled     = 394
	CodeAccessDenied          = 497
	CodeAuthenticationFail    = 516
	CodeUnknown               = 1002
)

// Error is an error of the engine in ClickHouse's own terms.
type Error struct {
	Code    int    // such as 60
	Name    string // such as UNKNOWN_TABLE; empty when the engine gave none
	Message string // without code, class and name
}

// Error gives the text as ClickHouse writes it: "Code: 60. DB::Exception: …. (UNKNOWN_TABLE)".
func (e *Error) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("Code: %d. DB::Exception: %s", e.Code, e.Message)
	}
	return fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", e.Code, strings.TrimSuffix(e.Message, "."), e.Name)
}

// CodeOf is the ClickHouse code of err, or 0 when it has none.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// AsError turns any error into one with a code (CodeUnknown when it has none of its own).
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeUnknown, Name: "UNKNOWN_EXCEPTION", Message: err.Error()}
}

// IsNotStreamable says that Stream was asked for a statement that is no SELECT; Query runs it.
func IsNotStreamable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == CodeBadArguments && strings.HasPrefix(e.Message, "Streaming query is not supported")
}

var (
	codeForm    = regexp.MustCompile(`^Code: (\d+)\. (?:DB::[A-Za-z]*Exception|[A-Za-z:_]+): `)
	nameForm    = regexp.MustCompile(`\.? ?\(([A-Z][A-Z0-9_]+)\)\s*$`)
	ownFile     = regexp.MustCompile(`:? \(in file/uri /(?:proc/self|dev)/fd/\d+\)|: While executing File: data for INSERT was parsed from file`)
	versionForm = regexp.MustCompile(`\s*\(version [^()]*(?:\([^()]*\))?\)\.?\s*`)
)

// parseError reads "Code: 60. DB::Exception: Unknown … 'x'. (UNKNOWN_TABLE)". The engine sometimes wraps one such
// text in another with the same code; the innermost is kept.
func parseError(text string) *Error {
	text = strings.TrimSpace(text)
	e := &Error{Code: CodeUnknown, Name: "UNKNOWN_EXCEPTION", Message: text}
	for {
		m := codeForm.FindStringSubmatch(text)
		if m == nil {
			break
		}
		code, err := strconv.Atoi(m[1])
		if err != nil {
			break
		}
		if code != e.Code {
			e.Code, e.Name = code, ""
		}
		text = strings.TrimSpace(versionForm.ReplaceAllString(text[len(m[0]):], " "))
		for n := nameForm.FindStringSubmatchIndex(text); n != nil; n = nameForm.FindStringSubmatchIndex(text) {
			name := text[n[2]:n[3]]
			if e.Name != "" && name != e.Name {
				break // the message's own words
			}
			e.Name, text = name, strings.TrimSpace(text[:n[0]])
		}
		e.Message = ownFile.ReplaceAllString(text, "") // where our spool lies concerns no client
	}
	return e
}
