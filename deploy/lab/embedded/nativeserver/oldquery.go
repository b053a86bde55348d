package nativeserver

import (
	"fmt"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/deploy/lab/embedded/chdb"
)

// minRevision is the least protocol revision served: DBMS_MIN_REVISION_WITH_SERVER_TIMEZONE of ClickHouse's
// ProtocolDefines.h. Clients of 2018, such as Debian's clickhouse-client, are beyond it.
const minRevision = 54058

// decodeQuery reads a Query packet of any revision served.
func (k *conn) decodeQuery() (q proto.Query, err error) {
	if proto.FeatureSettingsSerializedAsStrings.In(k.revision) {
		err = q.DecodeAware(k.in, k.revision)
		return q, err
	}
	if q.ID, err = k.in.Str(); err != nil {
		return q, err
	}
	if err = q.Info.DecodeAware(k.in, k.revision); err != nil {
		return q, err
	}
	if q.Settings, err = k.oldSettings(); err != nil {
		return q, err
	}
	stage, err := k.in.UVarInt()
	if err != nil {
		return q, err
	}
	compression, err := k.in.UVarInt()
	if err != nil {
		return q, err
	}
	q.Stage, q.Compression = proto.Stage(stage), proto.Compression(compression)
	q.Body, err = k.in.Str()
	return q, err
}

// oldSettings reads settings as they were before they all became text: numbers as numbers, the rest as text, and
// nothing says which is which but their names.
func (k *conn) oldSettings() (all []proto.Setting, err error) {
	for {
		name, err := k.in.Str()
		if err != nil || name == "" {
			return all, err
		}
		isNumber, known := k.server.Engine.NumericSetting(name)
		if !known {
			return nil, k.refuse(&chdb.Error{Code: chdb.CodeUnknownSetting, Name: "UNKNOWN_SETTING", Message: fmt.Sprintf("Unknown setting '%s'", name)})
		}
		s := proto.Setting{Key: name}
		if isNumber {
			n, err := k.in.UVarInt()
			if err != nil {
				return nil, err
			}
			s.Value = fmt.Sprint(n)
		} else if s.Value, err = k.in.Str(); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
}
