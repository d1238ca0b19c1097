package arka

import (
	"testing"
)

func TestTiersAreOrdered(t *testing.T) {
	if !(Memory < LocalDisk && LocalDisk < ObjectStorage && ObjectStorage < Committed) {
		t.Fatal("they are not")
	}
	for tier := Memory; tier <= Committed; tier++ {
		parsed, err := ParseTier(tier.String())
		must(t, err)
		equal(t, parsed, tier)
	}
	_, err := ParseTier("PAPER")
	failsWith(t, err, InvalidArgument, false)
}

func TestATrackerKnowsEveryLSNAndKeepsCommittedOnesAsRuns(t *testing.T) {
	tracker := NewAckTracker()
	for _, lsn := range []int64{5, 7, 6, 1, 2, 9} {
		for tier := Memory; tier <= Committed; tier++ {
			tracker.Observe(Ack{LSN: lsn, Level: tier})
		}
	}
	tracker.Observe(Ack{LSN: 8, Level: LocalDisk})
	sameText(t, tracker.committed, []run{{1, 2}, {5, 7}, {9, 9}})
	sameText(t, tracker.levels, map[int64]Tier{8: LocalDisk})
	for _, lsn := range []int64{0, 3, 4, 10} {
		if level, known := tracker.Level(lsn); known {
			t.Fatalf("LSN %d is at %v", lsn, level)
		}
	}
	must(t, tracker.WaitAll(timeout(t), []int64{1, 2, 5, 6, 7, 8, 9}, LocalDisk))
	tracker.Observe(Ack{LSN: 8, Level: Committed})
	sameText(t, tracker.committed, []run{{1, 2}, {5, 9}})
}

func TestATrackerWaitsUntilTheLastHasReachedTheLevel(t *testing.T) {
	tracker := NewAckTracker()
	tracker.Observe(Ack{LSN: 1, Level: ObjectStorage})
	tracker.Observe(Ack{LSN: 2, Level: Memory})
	done := make(chan error, 1)
	go func() { done <- tracker.WaitAll(timeout(t), []int64{1, 2}, LocalDisk) }()
	tracker.Observe(Ack{LSN: 3, Level: Committed})
	select {
	case err := <-done:
		t.Fatal("it did not wait:", err)
	default:
	}
	tracker.Observe(Ack{LSN: 4, Replaces: 2, Level: Memory}) // a crash took 2, and it is 4 now
	tracker.Observe(Ack{LSN: 4, Level: LocalDisk})
	must(t, <-done)
}

func TestACacheKeepsWhatACrashMayStillTake(t *testing.T) {
	server := startFake(t)
	server.answer = func(connection, _ int, _, lsn int64) ([]ackRow, error) {
		if connection == 1 {
			return []ackRow{{lsn, "MEMORY"}}, nil
		}
		return everyLevel(lsn)[:2], nil
	}
	cache := NewLocalCache[string](ObjectStorage)
	stream := server.open(t, StreamOptions{})
	write := send(t, stream, 0, 1)[0]
	cache.Put(write, "precious")
	_, err := write.LSN(timeout(t))
	must(t, err)
	server.crash(t)
	must(t, write.Wait(timeout(t), LocalDisk))
	cache.Observe(Watermarks{Disk: 1100, S3: 1100}) // above the LSN that the crash took, below the new one
	sameText(t, cache.Values(), []string{"precious"})
	cache.Observe(Watermarks{Disk: 1101, S3: 1101})
	equal(t, cache.Len(), 0)
}

func TestACacheDoesNotTrustAWatermarkOverAnLSNInMemory(t *testing.T) {
	server := startFake(t)
	server.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) { return everyLevel(lsn)[:1], nil }
	cache := NewLocalCache[int](ObjectStorage)
	write := send(t, server.open(t, StreamOptions{}), 0, 1)[0]
	cache.Put(write, 1)
	_, err := write.LSN(timeout(t))
	must(t, err)
	cache.Observe(Watermarks{Disk: 2000, S3: 2000})
	equal(t, cache.Len(), 1)
}
