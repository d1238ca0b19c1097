package arka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Here is how a stream gets on: one connection after the other, and what it asks the server in between.

// run is the goroutine that writes: one connection after the other, for as long as there is something to
// write or the stream is open.
func (s *Stream) run() {
	defer close(s.ended)
	for attempt := 0; s.awaitWork(); attempt++ {
		err := s.write()
		if err == nil {
			continue
		}
		failed := wireError(s.ctx, err, nil)
		again := s.client.canLogInAgain(failed, s.bearer)
		s.mu.Lock()
		if s.moved {
			attempt, s.moved = 0, false
		}
		if !failed.Retryable && !again {
			s.fail(failed)
		} else {
			s.wait()
			s.reason = failed
			s.leaveBehind()
		}
		s.mu.Unlock()
		select {
		case <-time.After(pause(attempt)):
		case <-s.ctx.Done():
		}
	}
}

// wait has the stream fail when nothing has moved for as long as it may try. Call with the mutex held, when the
// connection was lost or could not be had.
func (s *Stream) wait() {
	s.live = false
	if s.reason == nil {
		s.lostAt = time.Now()
	}
	s.patience.Reset(max(0, s.options.RetryFor-time.Since(s.lostAt)))
}

// giveUp fails the stream because nothing moved for as long as it may try.
func (s *Stream) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := time.Since(s.lostAt)
	if s.reached[LocalDisk] == s.last || s.live || lost < s.options.RetryFor {
		return // something has moved just now
	}
	failed := &Error{Code: DeadlineExceeded, Retryable: true,
		Message: fmt.Sprintf("the connection is lost for %s", lost.Round(time.Millisecond))}
	if s.reason != nil {
		failed.Message += "; the last failure: " + s.reason.Error()
		failed.cause = s.reason
	}
	s.fail(failed)
}

// awaitWork waits until there are writes that are not on the server's disk; false at the stream's end.
func (s *Stream) awaitWork() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && !s.closing && s.reached[LocalDisk] == s.last {
		s.wake.Wait()
	}
	return s.err == nil && s.reached[LocalDisk] < s.last
}

// write sends what there is, for as long as the connection lasts. The steps:
//  1. ask what became of the writes that the last connection left behind,
//  2. ask where the server is with the producer,
//  3. open a new one, and send again what is not on disk, then whatever comes.
func (s *Stream) write() error {
	if err := s.resume(); err != nil {
		return err
	}
	c, err := s.open()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.live = true
	s.patience.Stop()
	s.mu.Unlock()
	finished, unsendable := c.send()
	if unsendable == nil { // then why it ended comes with the acks, unless it cannot come any more
		select {
		case <-c.ended:
		case <-time.After(attemptTimeout):
			unsendable = &Error{Code: Unavailable, Message: "the server does not answer", Retryable: true}
		}
	}
	c.cancel()
	<-c.ended
	switch {
	case finished:
		return nil
	case unsendable != nil:
		return unsendable
	default:
		return c.failed
	}
}

// resume brings the stream up to what the server has, after a connection was lost.
func (s *Stream) resume() error {
	if !s.opened {
		s.opened = true // Open has asked just now
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, attemptTimeout)
	defer cancel()
	if err := s.askLevels(ctx, func(w *Write) bool { return w.level < LocalDisk }); err != nil {
		return err
	}
	last, err := s.client.lastSeq(ctx, s.client.callOnce, s.options.Producer, s.table)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	safe := s.reached[LocalDisk]
	switch {
	case last.LastSeq+s.shift > s.sent:
		return failure(FailedPrecondition, "another program writes as producer %q: the server has its seq %d, "+
			"and this one has sent %d", s.options.Producer, last.LastSeq, s.sent-s.shift)
	case last.LastSeq+s.shift >= safe:
	case last.LastSeq == 0 && last.ForgottenThrough != nil && *last.ForgottenThrough >= s.onDisk:
		// The server made room for others. What was on disk is committed, and the rest begins at 1.
		s.shift = safe
		var acks []Ack
		for len(s.writes) > 0 && s.writes[0].seq <= safe {
			acks = s.raise(s.writes[0], s.options.Follow, acks, Ack{})
		}
		s.tell(acks)
	default:
		return failure(DataLoss, "the server is at seq %d of producer %q, and had acknowledged %d on its disk: "+
			"the table was made anew, or this is another server", last.LastSeq, s.options.Producer, safe-s.shift)
	}
	s.leaveBehind()
	return nil
}

// leaveBehind has the server asked for the levels of all that is on its disk: their acks went with the
// connection, and since they need not be sent again, none will come by another. Call with the mutex held.
func (s *Stream) leaveBehind() {
	s.left = s.reached[LocalDisk]
	if s.err == nil && !s.asking && s.reached[s.options.Follow] < s.left {
		s.asking = true
		s.background.Add(1)
		go s.askOn()
	}
}

// askLevels asks the server for the levels of those writes that have an LSN and for which `wanted` holds.
// Call without the mutex.
func (s *Stream) askLevels(ctx context.Context, wanted func(*Write) bool) error {
	s.mu.Lock()
	var asked []*Write
	var lsns []int64
	for _, write := range s.writes {
		if write.lsn != 0 && wanted(write) {
			asked, lsns = append(asked, write), append(lsns, write.lsn)
		}
	}
	s.mu.Unlock()
	if len(asked) == 0 {
		return nil
	}
	levels, err := s.client.levels(ctx, lsns)
	var failed *Error
	if errors.As(err, &failed) && failed.Code == NotFound {
		return nil // a crash took the last LSNs, and the server has not come as far again
	}
	if err != nil {
		return err
	}
	if len(levels) != len(asked) {
		return violation("%d levels for %d LSNs", len(levels), len(asked))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var acks []Ack
	defer func() { s.tell(acks) }()
	for i, write := range asked {
		if levels[i].Lost && write.level >= LocalDisk {
			return failure(DataLoss, "the server gave up LSN %d, which was on its disk", write.lsn)
		}
		if level := min(levels[i].Level, s.options.Follow); level > write.level && write.lsn == lsns[i] {
			acks = s.raise(write, level, acks, Ack{})
		}
	}
	return nil
}

// askOn asks again and again for the levels of the writes that a lost connection left behind on the
// server's disk: their acks went with it.
func (s *Stream) askOn() {
	defer s.background.Done()
	for {
		began := time.Now()
		ctx, cancel := context.WithTimeout(s.ctx, attemptTimeout)
		err := s.askLevels(ctx, func(w *Write) bool { return w.seq <= s.left })
		cancel()
		s.mu.Lock()
		if failed := (*Error)(nil); errors.As(err, &failed) && !failed.Retryable {
			s.fail(failed)
		}
		if s.err != nil || s.reached[s.options.Follow] >= s.left {
			s.asking = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		select {
		case <-time.After(max(shortestPoll, 4*time.Since(began))):
		case <-s.ctx.Done():
		}
	}
}

// pause is how long to wait before another attempt: longer each time, and never the same for all clients
// of a server that has just come back.
func pause(attempt int) time.Duration {
	full := min(firstBackoff<<min(attempt, 10), longestBackoff)
	return full/2 + rand.N(full/2)
}
