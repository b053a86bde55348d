package torture_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// covered names, for each fault that can be made here, the tests that make exactly that fault, by their folders.
// Faults of groups, rebalances and restarts are made on the embedded broker and on Apache Kafka (brokersuite).
var covered = map[string][]string{
	"F1":  {"consumers/returns TestF01KilledAfterReading"},
	"F2":  {"consumers/returns TestF02TornFlushes"},
	"F3":  {"deploy/torture TestF03F19ConnectionCutMidInsert"},
	"F4":  {"deploy/torture TestF04AnswerLost"},
	"F5":  {"consumers/returns TestF05EndedBeforeTheCommit"},
	"F6":  {"consumers/returns TestF06RefusedCommit", "deploy/embedded/brokersuite TestFailedCommitDoesNoHarm", "deploy/embedded/brokersuite TestRefusedCommitDoesNoHarm"},
	"F7":  {"deploy/embedded/brokersuite TestBrokerRestartCostsNothing", "deploy/embedded/brokersuite TestLeadersMove"},
	"F8":  {"deploy/embedded/brokersuite TestRebalanceStormReadsEverything"},
	"F9":  {"consumers/returns TestF09StoppedInMidFlush", "consumers/store TestF09AnOlderEpochsLateWriteLoses", "deploy/embedded/brokersuite TestCommitOfAFormerOwnerIsRefused"},
	"F10": {"consumers/store TestF10TwoProcessesNeverShareAnEpoch"},
	"F11": {"deploy/embedded/brokersuite TestLostAcknowledgementIsWrittenAgain"},
	"F12": {"consumers/returns TestF12ReorderedDuplicatedLateAndFuture", "consumers/returns TestNumbersAreAFunctionOfTheFacts", "consumers/returns TestF23WrongClocks", "deploy/torture TestSendersThatErrAndLie"},
	"F13": {"consumers/returns TestF13ARevisionReplacesItsOwnFact", "consumers/returns TestNumbersAreAFunctionOfTheFacts", "deploy/torture TestSendersThatErrAndLie"},
	"F14": {"consumers/returns TestF14CorrectionForAPublishedPeriod", "consumers/publication TestATornPublicationIsNone"},
	"F15": {"consumers/returns TestWhatIsRejectedIsKeptAsItCame", "deploy/embedded/brokersuite TestDecompressionBomb", "deploy/torture TestSendersThatErrAndLie"},
	"F16": {"consumers/returns TestF16DeadLettersUnavailable", "deploy/embedded/brokersuite TestUnavailableDeadLetterTopicBlocks"},
	"F17": {"deploy/torture TestF17ClickHouseAway", "deploy/embedded/brokersuite TestSlowConsumerIsBounded"},
	"F18": {"deploy/torture TestF18ErrorCodes"},
	"F19": {"deploy/torture TestF03F19ConnectionCutMidInsert"},
	"F20": {"deploy/torture TestF20RepeatedLongAfter"},
	"F21": {"deploy/torture TestF21EqualRevisions"},
	"F22": {"consumers/returns TestF22DeduplicationOfTheServer"},
	"F23": {"consumers/returns TestF23WrongClocks", "producers/publish TestStepForgets", "deploy/torture TestSendersThatErrAndLie"},
	"F27": {"deploy/embedded/brokersuite TestFlippedBitIsFetchedAgain", "consumers/stream TestFlippedBitsNeverBecomeOtherMessages", "deploy/torture TestSendersThatErrAndLie"},
	"F28": {"deploy/torture TestF28RetentionOverrun", "deploy/embedded/brokersuite TestRetentionOverrunsThePosition"},
	"F29": {"deploy/torture TestF29TopicMadeAnew", "deploy/embedded/brokersuite TestRecreatedShorterTopicStops", "deploy/embedded/brokersuite TestTopicCreatedAnewWhileRunningStops", "deploy/embedded/brokersuite TestTopicCreatedAnewBetweenProcessesStops"},
	"F30": {"deploy/embedded/brokersuite TestAddedPartitionsStopReadingAndWriting"},
	"F31": {"consumers/store TestF31AnOlderStateIsNoticed", "deploy/torture TestShortRuns"},
	"F32": {"schemas/events TestGoldenMessages", "schemas/events TestUnknownFieldsAreKept"},
	"F33": {"consumers/returns TestF33ReplayBesideTheLive"},
	"F35": {"deploy/torture TestF35StalledGoroutine", "deploy/torture TestF35MemoryLimit", "consumers/returns TestTheWatchdogTellsWaitingFromHanging"},
	"F36": {"consumers/returns TestF36NobodyScrapes"},
}

// TestEveryFaultHasATest: each fault that can be made here is named, and the tests that are named are there.
func TestEveryFaultHasATest(t *testing.T) {
	for n := 1; n <= 36; n++ {
		elsewhere := n >= 24 && n <= 26 || n == 34 // the spools of border posts, and the release before
		if fault := fmt.Sprintf("F%d", n); !elsewhere && len(covered[fault]) == 0 {
			t.Errorf("%s has no test of its own", fault)
		}
	}
	named := regexp.MustCompile(`^(\S+) (Test\w+)$`)
	for fault, tests := range covered {
		for _, name := range tests {
			m := named.FindStringSubmatch(name)
			if m == nil {
				t.Fatalf("%s: %q", fault, name)
			}
			files, err := filepath.Glob(filepath.Join("../..", m[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || regexp.MustCompile(`(?m)^func `+m[2]+`\(`).Match(text)
			}
			if !found {
				t.Errorf("%s: there is no %s in %s", fault, m[2], m[1])
			}
		}
	}
}
