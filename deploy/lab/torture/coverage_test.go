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
	"F1":  {"consumers/counting/processor TestF01KilledAfterReading"},
	"F2":  {"consumers/counting/processor TestF02TornFlushes"},
	"F3":  {"deploy/lab/torture TestF03F19ConnectionCutMidInsert"},
	"F4":  {"deploy/lab/torture TestF04AnswerLost"},
	"F5":  {"consumers/counting/processor TestF05EndedBeforeTheCommit"},
	"F6":  {"consumers/counting/processor TestF06RefusedCommit", "deploy/lab/brokersuite TestFailedCommitDoesNoHarm", "consumers/counting/stream TestRefusedCommitDoesNoHarm"},
	"F7":  {"deploy/lab/brokersuite TestBrokerRestartCostsNothing", "deploy/lab/brokersuite TestLeadersMove"},
	"F8":  {"deploy/lab/brokersuite TestRebalanceStormReadsEverything"},
	"F9":  {"consumers/counting/processor TestF09StoppedInMidFlush", "consumers/counting/store TestF09AnOlderEpochsLateWriteLoses", "deploy/lab/brokersuite TestCommitOfAFormerOwnerIsRefused"},
	"F10": {"consumers/counting/store TestF10TwoProcessesNeverShareAnEpoch"},
	"F11": {"deploy/lab/brokersuite TestLostAcknowledgementIsWrittenAgain"},
	"F12": {"consumers/counting/processor TestF12ReorderedDuplicatedLateAndFuture", "consumers/counting/processor TestNumbersAreAFunctionOfTheFacts", "consumers/counting/processor TestF23WrongClocks", "deploy/lab/torture TestSendersThatErrAndLie"},
	"F13": {"consumers/counting/processor TestF13ARevisionReplacesItsOwnFact", "consumers/counting/processor TestNumbersAreAFunctionOfTheFacts", "deploy/lab/torture TestSendersThatErrAndLie"},
	"F14": {"consumers/counting/processor TestF14CorrectionForAPublishedPeriod", "consumers/dissemination/release TestATornPublicationIsNone"},
	"F15": {"consumers/counting/processor TestWhatIsRejectedIsKeptAsItCame", "deploy/lab/brokersuite TestDecompressionBomb", "deploy/lab/torture TestSendersThatErrAndLie"},
	"F16": {"consumers/counting/processor TestF16DeadLettersUnavailable", "deploy/lab/brokersuite TestUnavailableDeadLetterTopicBlocks"},
	"F17": {"deploy/lab/torture TestF17ClickHouseAway", "deploy/lab/brokersuite TestSlowConsumerIsBounded"},
	"F18": {"deploy/lab/torture TestF18ErrorCodes"},
	"F19": {"deploy/lab/torture TestF03F19ConnectionCutMidInsert"},
	"F20": {"deploy/lab/torture TestF20RepeatedLongAfter"},
	"F21": {"deploy/lab/torture TestF21EqualRevisions"},
	"F22": {"consumers/counting/processor TestF22DeduplicationOfTheServer"},
	"F23": {"consumers/counting/processor TestF23WrongClocks", "producers/producer TestStepForgets", "deploy/lab/torture TestSendersThatErrAndLie"},
	"F27": {"deploy/lab/brokersuite TestFlippedBitIsFetchedAgain", "consumers/counting/stream TestFlippedBitsNeverBecomeOtherMessages", "deploy/lab/torture TestSendersThatErrAndLie"},
	"F28": {"deploy/lab/torture TestF28RetentionOverrun", "deploy/lab/brokersuite TestRetentionOverrunsThePosition"},
	"F29": {"deploy/lab/torture TestF29TopicMadeAnew", "deploy/lab/brokersuite TestRecreatedShorterTopicStops", "deploy/lab/brokersuite TestTopicCreatedAnewWhileRunningStops", "deploy/lab/brokersuite TestTopicCreatedAnewBetweenProcessesStops"},
	"F30": {"deploy/lab/brokersuite TestAddedPartitionsStopReadingAndWriting"},
	"F31": {"consumers/counting/store TestF31AnOlderStateIsNoticed", "deploy/lab/torture TestShortRuns"},
	"F32": {"schemas/events TestGoldenMessages", "schemas/events TestUnknownFieldsAreKept"},
	"F33": {"consumers/counting/processor TestF33ReplayBesideTheLive"},
	"F35": {"deploy/lab/torture TestF35StalledGoroutine", "deploy/lab/torture TestF35MemoryLimit", "consumers/counting/processor TestTheWatchdogTellsWaitingFromHanging"},
	"F36": {"consumers/counting/processor TestF36NobodyScrapes"},
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
			files, err := filepath.Glob(filepath.Join("../../..", m[1], "*_test.go"))
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
