// Package brokersuite holds the tests that face a broker: writing, reading,
// groups, faults and dead letters. Each runs on the embedded broker and on
// Apache Kafka. There is nothing here to import.
package brokersuite
