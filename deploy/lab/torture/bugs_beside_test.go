package torture_test

// besideBugs are mistakes that a run of the torture would catch late or by luck: a test beside the package names each.
var besideBugs = []bug{
	{name: "a lost connection is dialled again in the middle of a group of inserts", test: "TestABrokenConnectionIsCheckedAgain", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/store.go", "\tif err != nil {\n\t\tb.close()\n", "\tif err != nil && b.once {\n\t\tb.close()\n\t\tb.once = false\n\t\treturn b.do(ctx, q)\n\t}\n\tif err != nil {\n\t\tb.close()\n"},
	}},
	{name: "a flush that is fenced is written with its group", test: "TestFlushesThatWaitGoTogether", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/lane.go", "\t\t\town.done <- err\n\t\t}\n\t\treturn err != nil\n", "\t\t\town.done <- err\n\t\t}\n\t\treturn false\n"},
	}},
	{name: "the ledger is written beside what follows from the facts", test: "TestStagesGoOneAfterTheOther", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/flush.go", "{\"retorno.ledger\", ledgerLast,", "{\"retorno.ledger\", whatFollows,"},
	}},
	{name: "two flushes of one partition go together", test: "TestTooManyRowsGoOneAfterTheOther", in: "./consumers/counting/store", edits: []edit{
		{"consumers/counting/store/writer.go", "if partitions[own.claim.partition] || len(group) > 0", "if len(group) > 0"},
	}},
	{name: "an exit does not close the return", test: "TestAgreesWithTheMethodsText", in: "./consumers/counting/reconcile", edits: []edit{
		{"consumers/counting/reconcile/stretch.go", "f.Codes[dictionary.Direction] == exit:\n\t\t\ts.end()\n", "f.Codes[dictionary.Direction] == exit:\n"},
	}},
	{name: "a gap of exactly 48 hours parts two returns", test: "TestAgreesWithTheMethodsText", in: "./consumers/counting/reconcile", edits: []edit{
		{"consumers/counting/reconcile/stretch.go", "> SameReturnGap.Milliseconds()", ">= SameReturnGap.Milliseconds()"},
	}},
	{name: "help given on arrival belongs to no return", test: "TestTraceExplainsWhatReconcileDoes", in: "./consumers/counting/reconcile", edits: []edit{
		{"consumers/counting/reconcile/reconcile.go", "returns[i].Arrival > f.Event", "returns[i].Arrival >= f.Event"},
	}},
	{name: "a reason is lost on the way from record to fact", test: "TestReasonsBecomeBits", in: "./consumers/counting/reconcile", edits: []edit{
		{"consumers/counting/reconcile/fact.go", "\t\t\tfact.Reasons |= 1 << i\n", "\t\t\tfact.Reasons = 1 << i\n"},
	}},
	{name: "what a person had before stays in the space used again", test: "TestASpaceUsedAgainHoldsTheNewPersonAlone", in: "./consumers/counting/reconcile", edits: []edit{
		{"consumers/counting/reconcile/reconcile.go", "p.Returns, p.Helps, p.Crossings = p.Returns[:0], p.Helps[:0], p.Crossings[:0]", "p.Returns, p.Helps = p.Returns[:0], p.Helps[:0]"},
	}},
	{name: "the clock is read from the slowest answer", test: "TestOffsetIsTheShortestWays", in: "./producers/producer", edits: []edit{
		{"producers/producer/clock.go", "if s.trip <= best.trip {", "if s.trip >= best.trip {"},
	}},
	{name: "a partition that cannot be fetched looks caught up", test: "TestALeaderThatDoesNotAnswer", in: "./deploy/lab/brokersuite", edits: []edit{
		{"consumers/counting/stream/queue.go", "\tif time.Since(f.log.at) > f.shard.c.cfg.EndTimeout {", "\tif f.log.high < 0 {"},
	}},
	{name: "offsets without a record are not accounted for", test: "TestTransactionsOfOtherProducersAreAccounted", in: "./deploy/command", edits: []edit{
		{"consumers/counting/processor/process.go", "\t\ta.Control++\n", ""},
	}},
	{name: "a damaged batch in the middle of an answer is taken", test: "TestDamagedBatchLeavesThoseBeforeIt", in: "./consumers/counting/stream", edits: []edit{
		{"consumers/counting/stream/batch.go", "crc32.Checksum(b[attributesAt:], castagnoli); found != computed {", "crc32.Checksum(b[attributesAt:], castagnoli); found != computed && len(b) < 0 {"},
	}},
	{name: "parts of a process end in the order in which they were started", test: "TestDeathOfAnyPartEndsTheProcess", in: "./deploy/ops", edits: []edit{
		{"deploy/ops/process.go", "for i := len(started) - 1; i >= 0; i-- {", "for i := range started {"},
	}},
	{name: "a withheld count is told", test: "TestAWithheldCount", in: "./consumers/dissemination/feed", edits: []edit{
		{"consumers/dissemination/feed/write.go", "\tif r.Withheld {\n\t\treturn withheld.ID, \"\"\n", "\tif r.Withheld && r.Returns > 0 {\n\t\treturn withheld.ID, \"\"\n"},
	}},
	{name: "a sum of which a part is withheld is told", test: "TestASumOfWhichAPartIsWithheld", in: "./consumers/dissemination/feed", edits: []edit{
		{"consumers/dissemination/feed/find.go", "s.Withheld = s.Withheld || cell.Withheld", "s.Withheld = s.Withheld && cell.Withheld"},
	}},
	{name: "rounded counts are added up", test: "TestRoundedIsSaid", in: "./consumers/dissemination/feed", edits: []edit{
		{"consumers/dissemination/feed/find.go", "if !ok || rounded && slices.Max(c.parts) > 1 {", "if !ok || rounded && slices.Max(c.parts) < 1 {"},
	}},
	{name: "the web can read what is being counted", test: "TestRolesOfReaders", in: "./deploy/command", edits: []edit{
		{"deploy/clickhouse/roles.sql", "GRANT SELECT(schema) ON ceniss.state TO ceniss_public", "GRANT SELECT ON ceniss.state TO ceniss_public"},
	}},
	{name: "a publication asks for no gate", test: "TestTheGateNamesEveryReason", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/release.go", "vintages, err := gate.pass(ctx, conn, o)\n", "vintages, err := gate.pass(ctx, conn, o)\n\tif errors.As(err, new(*RefusedError)) {\n\t\terr = nil\n\t}\n"},
	}},
	{name: "a publication does not wait for flushes that had begun", test: "TestAPublicationWaitsForWhatWasBegun", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/settled.go", "case written.covers(before):", "case written.covers(before) || conn != nil:"},
	}},
	{name: "a publication does not ask for the logs' ends", test: "TestTheGateNamesEveryReason", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/gate.go", "missing := excess(ends, positions)", "missing := excess(nil, positions)"},
	}},
	{name: "a publication takes a log that was made again for caught up", test: "TestTheGateNamesEveryReason", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/gate.go", "more := excess(positions, ends)", "more := excess(positions[:0], ends)"},
	}},
	{name: "a publication does not look who came first", test: "TestTwoPublishersAtOnce", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/release.go", "(SELECT count() FROM ceniss.publications WHERE period = ?) = ?", "(SELECT count() FROM ceniss.publications WHERE period = ?) >= 0 * ?"},
	}},
	{name: "a publication does not ask how far the second count is", test: "TestTheGateNamesEveryReason", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/release/gate.go", "if len(reasons)+len(behind) == 0 {", "if len(reasons)+len(behind) < 0 {"},
	}},
	{name: "a provisional vintage is exact", test: "TestThePublicFormOfAVintage", in: "./consumers/dissemination/release", edits: []edit{
		{"consumers/dissemination/disclosure/suppress/rounded.go", "(c.Value + base/2) / base * base", "c.Value + 0*base"},
	}},
	{name: "a file of a vintage is not compared with its hash", test: "TestOneFlippedByte", in: "./consumers/dissemination/bundle", edits: []edit{
		{"consumers/dissemination/bundle/open.go", "digest(body) != f.SHA256 {", "len(f.SHA256) == 0 {"},
	}},
	{name: "persons are counted by their returns", test: "TestPersonsAreCountedOnce", in: "./consumers/dissemination/disclosure/lattice", edits: []edit{
		{"consumers/dissemination/disclosure/lattice/tabulate.go", "last[cell] != person {", "last[cell] >= 0 {"},
	}},
	{name: "the verifier believes what the ledger gave up", test: "TestWhatWasGivenUpIsNotCompared", in: "./consumers/counting/verify", edits: []edit{
		{"consumers/counting/verify/ledger.go", "lost > decided {", "lost > decided && conn == nil {"},
	}},
	{name: "the verifier compares sums without their rows", test: "TestSumsHideNothing", in: "./consumers/counting/verify", edits: []edit{
		{"consumers/counting/verify/sums.go", "if s[bucket].weight != other[bucket].weight {", "if s[bucket].rows != other[bucket].rows {"},
	}},
}
