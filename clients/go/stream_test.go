package arka

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func upTo(count int64) []int64 {
	all := []int64{}
	for number := range count {
		all = append(all, number)
	}
	return all
}

// failsWith checks that the error is an *Error of that code.
func failsWith(t *testing.T, err error, code Code, retryable bool) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("%v is no *Error", err)
	}
	if failed.Code != code || failed.Retryable != retryable {
		t.Fatalf("%v (retryable: %v), wanted %s (%v)", failed, failed.Retryable, code, retryable)
	}
	return failed
}

func TestEveryLevelOfEveryWriteIsToldOnceAndInOrder(t *testing.T) {
	var mu sync.Mutex
	levels := map[int64][]Tier{}
	stream := startFake(t).open(t, StreamOptions{OnAck: func(ack Ack) {
		mu.Lock()
		defer mu.Unlock()
		levels[ack.LSN] = append(levels[ack.LSN], ack.Level)
	}})
	writes := send(t, stream, 0, 100)
	for i, write := range writes {
		must(t, write.Wait(timeout(t), Committed))
		lsn, err := write.LSN(timeout(t))
		must(t, err)
		equal(t, lsn, int64(1000+i))
	}
	must(t, stream.Close(timeout(t)))
	equal(t, len(levels), 100)
	for lsn, told := range levels {
		if !slices.Equal(told, []Tier{Memory, LocalDisk, ObjectStorage, Committed}) {
			t.Fatalf("LSN %d was told as %v", lsn, told)
		}
	}
}

func TestWhatALostConnectionTookIsSentAgainAndWrittenOnce(t *testing.T) {
	server := startFake(t)
	server.answer = func(connection, nth int, _, lsn int64) ([]ackRow, error) {
		if connection <= 5 && nth == 10 { // written, but never acknowledged
			return nil, status.Error(codes.Unavailable, "cut")
		}
		return everyLevel(lsn), nil
	}
	stream := server.open(t, StreamOptions{})
	send(t, stream, 0, 200)
	must(t, stream.Close(timeout(t)))
	sameText(t, server.written(), upTo(200))
	if server.connections != 6 {
		t.Fatalf("%d connections", server.connections)
	}
}

func TestAWriteThatACrashTookIsWrittenAgainUnderANewLSN(t *testing.T) {
	server := startFake(t)
	server.answer = func(connection, _ int, _, lsn int64) ([]ackRow, error) {
		if connection == 1 {
			return []ackRow{{lsn, "MEMORY"}}, nil
		}
		return everyLevel(lsn), nil
	}
	acks := make(chan Ack, 100)
	stream := server.open(t, StreamOptions{OnAck: func(ack Ack) { acks <- ack }})
	write := send(t, stream, 0, 1)[0]
	before, err := write.LSN(timeout(t))
	must(t, err)
	server.crash(t)
	must(t, write.Wait(timeout(t), Committed))
	after, err := write.LSN(timeout(t))
	must(t, err)
	equal(t, before, 1000)
	equal(t, after, 1101)
	must(t, stream.Close(timeout(t)))
	equal(t, (<-acks).LSN, before)
	replacing := <-acks
	sameText(t, []any{replacing.LSN, replacing.Replaces, replacing.Level}, []any{after, before, Memory})
	sameText(t, server.written(), upTo(1))
}

func TestTheOldLSNOfAWriteThatACrashTookIsStillUnderstood(t *testing.T) {
	server := startFake(t)
	server.answer = func(connection, _ int, _, lsn int64) ([]ackRow, error) {
		return everyLevel(lsn)[:connection], nil
	}
	stream := server.open(t, StreamOptions{})
	lsn, err := send(t, stream, 0, 1)[0].LSN(timeout(t))
	must(t, err)
	server.crash(t)
	must(t, stream.WaitForDurability(timeout(t), lsn, LocalDisk))
}

func TestWhatIsOnDiskWhenTheConnectionGoesIsNotSentAgainAndStillFollowed(t *testing.T) {
	server := startFake(t)
	server.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) { return everyLevel(lsn)[:2], nil }
	stream := server.open(t, StreamOptions{})
	first := send(t, stream, 0, 1)[0]
	must(t, first.Wait(timeout(t), LocalDisk))
	server.crash(t)
	second := send(t, stream, 1, 1)[0]
	must(t, second.Wait(timeout(t), LocalDisk))
	server.setLevel(1000, Committed) // what no stream tells any more
	must(t, first.Wait(timeout(t), Committed))
	if level, _ := second.Level(); level != LocalDisk {
		t.Fatalf("the second is at %v", level)
	}
	sameText(t, server.written(), upTo(2))
}

func TestAnIdleStreamThatLosesItsConnectionStillFollowsItsWrites(t *testing.T) {
	server := startFake(t)
	server.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) { return everyLevel(lsn)[:2], nil }
	write := send(t, server.open(t, StreamOptions{}), 0, 1)[0]
	must(t, write.Wait(timeout(t), LocalDisk))
	server.crash(t)
	server.setLevel(1000, Committed)
	must(t, write.Wait(timeout(t), Committed))
	equal(t, server.connections, 1)
}

func TestAcksThatWereLostOnTheWayAreAskedForInsteadOfSendingAgain(t *testing.T) {
	server := startFake(t)
	resent := 0
	server.answer = func(connection, nth int, seq, lsn int64) ([]ackRow, error) {
		if connection == 1 && seq == 1 {
			return []ackRow{{lsn, "MEMORY"}}, nil
		}
		if connection == 1 {
			return nil, status.Error(codes.Unavailable, "cut")
		}
		if seq == 1 {
			resent++
		}
		return everyLevel(lsn), nil
	}
	stream := server.open(t, StreamOptions{})
	write := send(t, stream, 0, 1)[0]
	_, err := write.LSN(timeout(t))
	must(t, err)
	server.setLevel(1000, LocalDisk)
	send(t, stream, 1, 1)
	must(t, stream.Close(timeout(t)))
	equal(t, resent, 0)
	sameText(t, server.written(), upTo(2))
}

func TestAProducerThatWasForgottenBeginsAtOneAgain(t *testing.T) {
	server := startFake(t)
	stream := server.open(t, StreamOptions{})
	must(t, send(t, stream, 0, 3)[2].Wait(timeout(t), Committed))
	server.mu.Lock()
	server.lsns = nil
	through := int64(1002)
	server.forgotten = &through
	server.mu.Unlock()
	server.crash(t)
	must(t, send(t, stream, 3, 2)[1].Wait(timeout(t), Committed))
	sameText(t, server.written(), upTo(5))
	equal(t, stream.LastSeq(), 2)
}

func TestAServerThatLostWhatItAcknowledgedIsDataLoss(t *testing.T) {
	server := startFake(t)
	stream := server.open(t, StreamOptions{})
	must(t, send(t, stream, 0, 3)[2].Wait(timeout(t), LocalDisk))
	server.mu.Lock()
	server.lsns = nil
	server.mu.Unlock()
	server.crash(t)
	failsWith(t, send(t, stream, 3, 1)[0].Wait(timeout(t), LocalDisk), DataLoss, false)
	sameText(t, server.written(), upTo(3))
}

func TestAnotherProgramOfTheSameNameIsNoticed(t *testing.T) {
	server := startFake(t)
	stream := server.open(t, StreamOptions{Producer: "till 4"})
	must(t, send(t, stream, 0, 1)[0].Wait(timeout(t), Committed))
	other := server.open(t, StreamOptions{Producer: "till 4"})
	equal(t, other.LastSeq(), 1)
	must(t, send(t, other, 1, 5)[4].Wait(timeout(t), Committed))
	server.crash(t)
	failed := failsWith(t, send(t, stream, 1, 1)[0].Wait(timeout(t), LocalDisk), FailedPrecondition, false)
	if !strings.Contains(failed.Message, "till 4") {
		t.Fatal(failed)
	}
}

func TestAStreamWhoseNameWasClaimedByAnotherFailsAndHasWhatItKeeps(t *testing.T) {
	server := startFake(t)
	elder := server.open(t, StreamOptions{Producer: "till 4"})
	must(t, send(t, elder, 0, 1)[0].Wait(timeout(t), LocalDisk))
	younger := server.open(t, StreamOptions{Producer: "till 4"})
	write := send(t, elder, 100, 1)[0]
	failed := failsWith(t, write.Wait(timeout(t), LocalDisk), FailedPrecondition, false)
	if !strings.Contains(failed.Message, "claimed since") {
		t.Fatal(failed)
	}
	_, err := elder.Write(timeout(t), numbers(101, 1))
	failsWith(t, err, FailedPrecondition, false)
	equal(t, len(elder.Pending()), 1)
	must(t, send(t, younger, 1, 2)[1].Wait(timeout(t), LocalDisk))
	sameText(t, server.written(), upTo(3))
	equal(t, server.connections, 2)
}

func TestANameIsClaimedOnceForAStreamAndItsConnectionsSaySo(t *testing.T) {
	server := startFake(t)
	server.answer = func(connection, nth int, _, lsn int64) ([]ackRow, error) {
		if connection <= 3 && nth == 2 {
			return nil, status.Error(codes.Unavailable, "cut")
		}
		return everyLevel(lsn), nil
	}
	stream := server.open(t, StreamOptions{Producer: "till 4"})
	send(t, stream, 0, 20)
	must(t, stream.Close(timeout(t)))
	sameText(t, server.written(), upTo(20))
	sameText(t, []any{server.actions["claim_producer"], server.connections}, []any{1, 4})
}

func TestARandomNameIsNotClaimed(t *testing.T) {
	server := startFake(t)
	must(t, send(t, server.open(t, StreamOptions{}), 0, 1)[0].Wait(timeout(t), LocalDisk))
	equal(t, server.actions["claim_producer"], 0)
}

func TestAProducerThatIsKnownGoesOnOnlyAfterWhatIsOnDisk(t *testing.T) {
	server := startFake(t)
	must(t, send(t, server.open(t, StreamOptions{Producer: "till 4"}), 0, 3)[2].Wait(timeout(t), Committed))
	equal(t, server.actions["flush"], 0)
	stream := server.open(t, StreamOptions{Producer: "till 4"})
	equal(t, server.actions["flush"], 1)
	must(t, send(t, stream, 3, 1)[0].Wait(timeout(t), Committed))
	sameText(t, server.written(), upTo(4))
}

func TestAProducerThatIsKnownGoesOnAfterWhatACrashHasLeft(t *testing.T) {
	server := startFake(t)
	must(t, send(t, server.open(t, StreamOptions{Producer: "till 4"}), 0, 3)[2].Wait(timeout(t), Committed))
	server.unsafe = 2
	stream := server.open(t, StreamOptions{Producer: "till 4"})
	equal(t, stream.LastSeq(), 1)
	must(t, send(t, stream, 1, 1)[0].Wait(timeout(t), Committed))
	sameText(t, server.written(), upTo(2))
}

func TestAServerThatLiesIsNotBelieved(t *testing.T) {
	lies := map[string][]ackRow{
		"an ack of what was not sent":      {{1000, "MEMORY"}, {1001, "MEMORY"}},
		"an LSN that goes back":            {{999, "MEMORY"}},
		"a level that is skipped":          {{1000, "MEMORY"}, {1000, "OBJECT_STORAGE"}},
		"a level without the first ack":    {{1000, "LOCAL_DISK"}},
		"a level of another write":         {{1000, "MEMORY"}, {777, "LOCAL_DISK"}},
		"a level twice":                    {{1000, "MEMORY"}, {1000, "LOCAL_DISK"}, {1000, "LOCAL_DISK"}},
		"a level that there is not":        {{1000, "MEMORY"}, {1000, "PAPER"}},
		"a level that was not asked for":   everyLevel(1000),
		"a level of what is done with all": append(everyLevel(1000)[:3:3], ackRow{1000, "OBJECT_STORAGE"}),
	}
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			server := startFake(t)
			server.nextLSN = 999
			server.answer = func(_, _ int, seq, lsn int64) ([]ackRow, error) {
				if seq == 1 {
					return everyLevel(lsn)[:3], nil
				}
				return lie, nil
			}
			stream := server.open(t, StreamOptions{Follow: ObjectStorage})
			must(t, send(t, stream, 0, 1)[0].Wait(timeout(t), ObjectStorage))
			write := send(t, stream, 1, 1)[0]
			_ = write.Wait(timeout(t), ObjectStorage)
			// Some lies come after the write has reached its last level.
			_ = stream.waitForFailure(timeout(t))
			_, err := stream.Write(timeout(t), numbers(2, 1))
			failsWith(t, err, Internal, false)
		})
	}
}

// waitForFailure returns when the stream has failed.
func (s *Stream) waitForFailure(ctx context.Context) error {
	select {
	case <-s.ctx.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAnErrorThatDoesNotPassEndsTheStreamForAllWhoWait(t *testing.T) {
	server := startFake(t)
	server.retryable = "false"
	server.answer = func(_, nth int, _, lsn int64) ([]ackRow, error) {
		if nth == 3 {
			return nil, status.Error(codes.ResourceExhausted, "too large")
		}
		return everyLevel(lsn), nil
	}
	stream := server.open(t, StreamOptions{})
	writes := send(t, stream, 0, 4)
	must(t, writes[1].Wait(timeout(t), LocalDisk))
	for _, write := range writes[2:] {
		failsWith(t, write.Wait(timeout(t), Memory), ResourceExhausted, false)
	}
	failsWith(t, stream.Flush(timeout(t), LocalDisk), ResourceExhausted, false)
	failed := failsWith(t, stream.Close(timeout(t)), ResourceExhausted, false)
	if !strings.Contains(failed.Message, "2 writes are not known to be on disk") {
		t.Fatal(failed)
	}
	equal(t, server.connections, 1)
}

func TestTheServersWordOnRetriesIsBelievedOverTheCode(t *testing.T) {
	server := startFake(t)
	server.retryable = "true"
	server.answer = func(connection, _ int, _, lsn int64) ([]ackRow, error) {
		if connection == 1 {
			return nil, status.Error(codes.ResourceExhausted, "not now")
		}
		return everyLevel(lsn), nil
	}
	stream := server.open(t, StreamOptions{})
	must(t, send(t, stream, 0, 1)[0].Wait(timeout(t), LocalDisk))
}

func TestAServerThatIsGoneIsOneTypedErrorWhenTheDeadlinePasses(t *testing.T) {
	server := startFake(t)
	stream := server.open(t, StreamOptions{RetryFor: 500 * time.Millisecond})
	must(t, send(t, stream, 0, 1)[0].Wait(timeout(t), LocalDisk))
	server.server.Stop()
	began := time.Now()
	failed := failsWith(t, send(t, stream, 1, 1)[0].Wait(timeout(t), LocalDisk), DeadlineExceeded, true)
	if took := time.Since(began); took < 500*time.Millisecond || took > 10*time.Second {
		t.Fatalf("after %s", took)
	}
	if !strings.Contains(failed.Message, "UNAVAILABLE") {
		t.Fatalf("without the reason: %v", failed)
	}
}

func TestAServerThatStandsStillCostsNothingButTime(t *testing.T) {
	server := startFake(t)
	release := server.holding()
	stream := server.open(t, StreamOptions{RetryFor: 100 * time.Millisecond})
	write := send(t, stream, 0, 1)[0]
	short, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	failsWith(t, write.Wait(short, Memory), DeadlineExceeded, true)
	close(release)
	must(t, write.Wait(timeout(t), Committed))
}

func TestACallIsMadeAgainWhileWhatItFailsByMayPass(t *testing.T) {
	server := startFake(t)
	client := server.client(t)
	server.server.Stop()
	answered := make(chan error, 1)
	go func() {
		levels, err := client.Levels(timeout(t), 1000)
		if err == nil && len(levels) != 1 {
			err = errors.New("no level")
		}
		answered <- err
	}()
	server.mu.Lock()
	server.levels[1000] = "COMMITTED"
	server.mu.Unlock()
	server.listen(t, server.address)
	must(t, <-answered)
}

func TestACallThatNobodyAnswersFailsWithTheReason(t *testing.T) {
	server := startFake(t)
	client, err := Connect("grpc://"+server.address, Options{RetryFor: 200 * time.Millisecond})
	must(t, err)
	defer client.Close()
	server.server.Stop()
	_, err = client.Open(timeout(t), "sales.orders", StreamOptions{})
	failsWith(t, err, Unavailable, true)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = client.Status(short)
	failsWith(t, err, DeadlineExceeded, true)
}

func TestCloseReturnsWhenItsContextEnds(t *testing.T) {
	server := startFake(t)
	server.answer = func(int, int, int64, int64) ([]ackRow, error) { return nil, nil }
	stream := server.open(t, StreamOptions{})
	write := send(t, stream, 0, 2)[0]
	short, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := stream.Close(short)
	failsWith(t, err, DeadlineExceeded, true)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("the context's error is not underneath")
	}
	failsWith(t, write.Wait(timeout(t), Memory), FailedPrecondition, false)
	equal(t, len(stream.Pending()), 2)
	_, err = stream.Write(timeout(t), numbers(0, 1))
	failsWith(t, err, FailedPrecondition, false)
}

func TestNothingIsLeftBehindByAClosedStream(t *testing.T) {
	server := startFake(t)
	client := server.client(t)
	warm := func() {
		stream, err := client.Open(timeout(t), "sales.orders", StreamOptions{OnAck: func(Ack) {}})
		must(t, err)
		send(t, stream, 0, 10)
		must(t, stream.Flush(timeout(t), Committed))
		must(t, stream.Close(timeout(t)))
		server.mu.Lock()
		server.lsns = nil
		server.mu.Unlock()
	}
	warm()
	before := runtime.NumGoroutine()
	for range 20 {
		warm()
	}
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+3 && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before+3 {
		t.Fatalf("%d goroutines before, %d after", before, after)
	}
}

func TestTheBudgetHoldsWritesBackUntilBatchesAreOnDisk(t *testing.T) {
	server := startFake(t)
	release := make(chan struct{})
	server.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) {
		<-release
		return everyLevel(lsn), nil
	}
	batch := numbers(0, 1000)
	size := batchSize(batch)
	stream := server.open(t, StreamOptions{Budget: 3 * size})
	for range 3 {
		_, err := stream.Write(timeout(t), batch)
		must(t, err)
	}
	equal(t, stream.Held(), 3*size)
	_, err := stream.TryWrite(batch)
	failsWith(t, err, ResourceExhausted, true)
	short, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = stream.Write(short, batch)
	failsWith(t, err, DeadlineExceeded, true)

	close(release)
	_, err = stream.Write(timeout(t), batch)
	must(t, err)
	must(t, stream.Flush(timeout(t), LocalDisk))
	equal(t, stream.Held(), 0)
	writes, oldest := stream.Lag(LocalDisk)
	sameText(t, []any{writes, oldest}, []any{0, time.Duration(0)})
}

func TestABatchLargerThanTheBudgetIsTakenAlone(t *testing.T) {
	stream := startFake(t).open(t, StreamOptions{Budget: 10})
	for range 3 {
		_, err := stream.Write(timeout(t), numbers(0, 1000))
		must(t, err)
	}
	must(t, stream.Close(timeout(t)))
}

func TestABatchOfAnotherSchemaIsRefusedAndTheStreamGoesOn(t *testing.T) {
	stream := startFake(t).open(t, StreamOptions{})
	send(t, stream, 0, 1)
	_, err := stream.Write(timeout(t), ackBatch(nil))
	failsWith(t, err, InvalidArgument, false)
	must(t, send(t, stream, 1, 1)[0].Wait(timeout(t), Committed))
}

func TestNoLevelAboveTheFollowedOneCanBeWaitedFor(t *testing.T) {
	server := startFake(t)
	server.answer = func(_, _ int, _, lsn int64) ([]ackRow, error) { return everyLevel(lsn)[:2], nil }
	stream := server.open(t, StreamOptions{Follow: LocalDisk})
	write := send(t, stream, 0, 1)[0]
	must(t, write.Wait(timeout(t), LocalDisk))
	failsWith(t, write.Wait(timeout(t), Committed), InvalidArgument, false)
}

func TestAReaderOfAcksWhoStopsHoldsNothingUp(t *testing.T) {
	stream := startFake(t).open(t, StreamOptions{})
	never := stream.Acks(timeout(t))
	send(t, stream, 0, 1)
	must(t, stream.Flush(timeout(t), LocalDisk))
	stream.mu.Lock()
	feed := stream.feeds[0]
	stream.mu.Unlock()
	feed.put(make([]Ack, 2*feedLimit))
	if len(feed.waiting) > feedLimit {
		t.Fatalf("%d acks are kept", len(feed.waiting))
	}
	must(t, send(t, stream, 1, 1)[0].Wait(timeout(t), Committed))
	must(t, stream.Close(timeout(t)))
	count := 0
	for range never {
		count++
	}
	if count == 0 || count > feedLimit {
		t.Fatalf("%d acks in the end", count)
	}
}

func TestWritesOfManyGoroutinesAreEachWrittenOnce(t *testing.T) {
	server := startFake(t)
	stream := server.open(t, StreamOptions{Budget: 10_000})
	var group sync.WaitGroup
	for worker := range int64(8) {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range int64(50) {
				write, err := stream.Write(context.Background(), numbers(worker*50+i, 1))
				if err == nil && i%10 == 0 {
					err = write.Wait(context.Background(), LocalDisk)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	group.Wait()
	must(t, stream.Close(timeout(t)))
	written := server.written()
	slices.Sort(written)
	sameText(t, written, upTo(400))
}
