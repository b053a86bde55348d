package store

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/consumers/counting/store/column"
)

// StopError says that trying again cannot help: an operator has to change the schema, the settings or the rights.
// Nothing was skipped; the partition waits.
type StopError struct {
	Doing string // what was being done
	Code  int32  // ClickHouse's error code
	Err   error
}

func (e *StopError) Error() string {
	way := "mend the schema or the settings"
	if RightsMissing(e) {
		way = Grant(e.Err)
	}
	return fmt.Sprintf("%s: ClickHouse refuses it for good (code %d): %v; %s and start again", e.Doing, e.Code, e.Err, way)
}

func (e *StopError) Unwrap() error { return e.Err }

// logins are the codes by which ClickHouse refuses a user or a password.
var logins = map[int32]bool{
	int32(proto.ErrAuthenticationFailed): true, int32(proto.ErrUnknownUser): true, int32(proto.ErrWrongPassword): true, int32(proto.ErrRequiredPassword): true,
}

// rights are the codes by which ClickHouse refuses a user what the user may not do. READONLY is about the user's settings
// profile; a table that is read-only for a while, such as a replica without its Keeper, has TABLE_IS_READ_ONLY.
var rights = map[int32]bool{
	int32(proto.ErrAccessDenied): true, int32(proto.ErrReadonly): true, int32(proto.ErrSettingConstraintViolation): true,
}

// final are the codes of ClickHouse that the same statement meets again however often it is sent: schema, types,
// authentication and rights. Every other error leaves the outcome unknown, and the same rows are written again.
var final = func() map[int32]bool {
	all := map[int32]bool{
		int32(proto.ErrUnknownTable): true, int32(proto.ErrUnknownDatabase): true, int32(proto.ErrNoSuchColumnInTable): true,
		int32(proto.ErrUnknownIdentifier): true, int32(proto.ErrNotFoundColumnInBlock): true, int32(proto.ErrThereIsNoColumn): true, int32(proto.ErrTypeMismatch): true,
		int32(proto.ErrNumberOfColumnsDoesntMatch): true, int32(proto.ErrSyntaxError): true, int32(proto.ErrUnknownFunction): true,
		int32(proto.ErrIllegalTypeOfArgument): true, int32(proto.ErrUnknownSetting): true, int32(proto.ErrIncompatibleColumns): true,
		int32(proto.ErrNotImplemented): true, int32(proto.ErrCannotConvertType): true,
	}
	maps.Copy(all, logins)
	maps.Copy(all, rights)
	return all
}()

// RightsMissing reports whether ClickHouse refused what the user may not do, or the user.
func RightsMissing(err error) bool { code := Code(err); return rights[code] || logins[code] }

// Grant says what would let the user do what was refused with err, as RightsMissing reports.
func Grant(err error) string {
	switch code := Code(err); {
	case code == int32(proto.ErrReadonly):
		return "give the user a settings profile without readonly: ALTER USER … SETTINGS readonly = 0"
	case code == int32(proto.ErrSettingConstraintViolation):
		return "let the user's settings profile change the setting that is named above (no MIN, MAX or CONST that forbids it)"
	case logins[code]:
		return "set the user and the password right"
	}
	return "give the user the grant that is named above; deploy/clickhouse/roles.sql has a role for each command"
}

// tooLarge reports whether ClickHouse lacked the memory for a statement.
func tooLarge(err error) bool { return Code(err) == int32(proto.ErrMemoryLimitExceeded) }

// classify turns err into a *StopError when repeating is useless, and leaves it alone otherwise.
func classify(doing string, err error) error {
	if code := Code(err); final[code] {
		return &StopError{Doing: doing, Code: code, Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Code is ClickHouse's own number of an error, 0 when the error is not ClickHouse's.
func Code(err error) int32 {
	if e, ok := ch.AsException(err); ok {
		return int32(e.Code)
	}
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// IsStop reports whether trying again cannot help.
func IsStop(err error) bool {
	var stop *StopError
	var newer *column.NewerError
	var epochs *EpochsError
	return errors.As(err, &stop) || errors.As(err, &newer) || errors.As(err, &epochs)
}

// ended reports whether err only tells that ctx was ended by its owner.
func ended(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil
}
