// Package embedded runs a ClickHouse engine (libchdb) in a process of its own and answers for it as a ClickHouse server
// would: over the native protocol and over HTTP. It is for demos, training and tests; clients know only the addresses.
//
// It promises: data acknowledged are found again at the next start from the same folder; a folder belongs to one
// process at a time; nothing outlives the process that started it, however that ends; what cannot be started says
// why, by a typed error that names the folder, file or address.
// Statements reach no file of this machine, no other computer and no program, and no web page is answered, unless
// EngineConfig.Outside opens the former.
// It never replicates, never listens anywhere but where it is told, and sends nothing to other machines but the one
// request by which the engine's library is fetched, with npm, when this machine has none.
package embedded
