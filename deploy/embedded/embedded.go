// Package embedded runs a Kafka broker and a ClickHouse engine on one machine, for demos, training and tests: the
// broker in this process, the engine in a process of its own. Clients of either connect as to the real thing.
//
// It promises that data is kept in a folder and found again at the next start, that a folder is used by one process at
// a time, and that no process outlives the one that started it. It listens on loopback unless told otherwise. It is
// never for production: there Apache Kafka and a ClickHouse server take its place, and only addresses change.
package embedded
