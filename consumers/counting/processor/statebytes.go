package processor

import (
	"encoding/binary"
	"runtime"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/schemas/dictionary"
)

// StateBytes measures what the state of one partition takes for so many persons with one return each: the growth of
// the heap, in bytes. Each has one registration, and also a crossing when that is asked for.
func StateBytes(persons int, crossings bool) uint64 {
	before := heap()
	t := newTally()
	for i := range persons {
		// Ids are spread as those of HMAC and of UUIDv7 are.
		var person, record reconcile.ID
		binary.BigEndian.PutUint64(person[:], uint64(i)*0x9e3779b97f4a7c15)
		binary.BigEndian.PutUint64(person[8:], uint64(i)*0xc2b2ae3d27d4eb4f)
		binary.BigEndian.PutUint64(record[:], uint64(1_451_628_000_000+i)<<16|0x7000)
		binary.BigEndian.PutUint64(record[8:], 1<<63|uint64(i))
		at := 1_451_628_000_000 + int64(i%15_000_000)*1000
		f := store.StoredFact{Person: person, Fact: reconcile.Fact{RecordID: record, Version: reconcile.Version(1, uint64(i)<<25, false),
			Kind: reconcile.Registration, Arrival: at, Event: at, Age: int16(i % 60), Reasons: 2,
			Codes: reconcile.FactCodes{dictionary.Sex: 1, dictionary.Country: 2, dictionary.Mode: 2, dictionary.Centre: 2, dictionary.ExitPoint: 3,
				dictionary.Department: 4, dictionary.Municipality: 5}}}
		t.load(&f)
		if crossings {
			record[15] ^= 0x80
			f.Fact = reconcile.Fact{RecordID: record, Version: f.Fact.Version, Kind: reconcile.Crossing, Arrival: at, Event: at, Age: -1,
				Codes: reconcile.FactCodes{dictionary.Direction: 1, dictionary.BorderPoint: 3}, Returned: true}
			t.load(&f)
		}
	}
	after := heap()
	runtime.KeepAlive(t)
	return after - min(before, after)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools kept over the first one goes in the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
