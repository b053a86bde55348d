package nativeserver

import (
	"os"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// revisionProfileInInsert is DBMS_MIN_PROTOCOL_VERSION_WITH_PROFILE_EVENTS_IN_INSERT of ClickHouse's
// ProtocolDefines.h: from there on a client may wait for profile events after each block it sends.
const revisionProfileInInsert = 54456

// inserted answers one block of an INSERT, or with all rows its end.
func (k *conn) inserted(rows int) error {
	if k.revision < revisionProfileInInsert {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	var (
		hosts  proto.ColStr
		times  proto.ColDateTime
		thread = proto.ColUInt64{0}
		kinds  proto.ColEnum
		names  proto.ColStr
		values = proto.ColInt64{int64(rows)}
	)
	hosts.Append(host)
	times.Append(time.Now())
	if err := kinds.Infer("Enum8('increment' = 1, 'gauge' = 2)"); err != nil {
		return err
	}
	kinds.Append("increment")
	names.Append("InsertedRows")
	input := proto.Input{
		{Name: "host_name", Data: &hosts}, {Name: "current_time", Data: &times}, {Name: "thread_id", Data: &thread},
		{Name: "type", Data: &kinds}, {Name: "name", Data: &names}, {Name: "value", Data: &values},
	}
	proto.ServerProfileEvents.Encode(&k.out)
	k.out.PutString("") // no table name; the block is never compressed
	if err := (proto.Block{Info: proto.BlockInfo{BucketNum: -1}, Columns: len(input), Rows: 1}).EncodeBlock(&k.out, k.revision, input); err != nil {
		return err
	}
	return k.flush()
}
