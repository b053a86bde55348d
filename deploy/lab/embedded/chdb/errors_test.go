package chdb

import (
	"errors"
	"fmt"
	"testing"
)

func TestParseError(t *testing.T) {
	for text, want := range map[string]Error{
		"Code: 60. DB::Exception: Unknown table expression identifier 'x' in scope SELECT * FROM x. (UNKNOWN_TABLE)": {60, "UNKNOWN_TABLE", "Unknown table expression identifier 'x' in scope SELECT * FROM x"},
		"Code: 27. DB::Exception: Code: 27. DB::Exception: Cannot parse input (in file/uri /proc/self/fd/16): While executing File: data for INSERT was parsed from file. (CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.5.1.1). (CANNOT_PARSE_INPUT_ASSERTION_FAILED)": {
			27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", "Cannot parse input"},
		"Code: 73. DB::Exception: Unknown format Nope. (UNKNOWN_FORMAT) (version 26.5.1.1 (official build))": {73, "UNKNOWN_FORMAT", "Unknown format Nope"},
		"Code: 395. DB::Exception: It said (NO). (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)":                      {395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", "It said (NO)"},
		"No active streaming query": {CodeUnknown, "UNKNOWN_EXCEPTION", "No active streaming query"},
	} {
		got := parseError(text)
		if *got != want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", text, *got, want)
		}
	}
}

func TestErrorIsWrittenAsClickHouseDoes(t *testing.T) {
	for want, e := range map[string]*Error{
		"Code: 60. DB::Exception: No table. (UNKNOWN_TABLE)": {60, "UNKNOWN_TABLE", "No table."}, "Code: 1. DB::Exception: x": {1, "", "x"},
	} {
		if e.Error() != want {
			t.Errorf("got %s", e.Error())
		}
	}
	wrapped := fmt.Errorf("doing: %w", &Error{Code: 60})
	if CodeOf(wrapped) != 60 || CodeOf(errors.New("x")) != 0 || AsError(errors.New("x")).Code != CodeUnknown || AsError(wrapped).Code != 60 {
		t.Error("codes are lost")
	}
}
