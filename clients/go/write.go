package arka

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// Write is one batch that was handed to a stream.
type Write struct {
	stream *Stream
	seq    int64
	sentAt time.Time

	// Guarded by the stream's mutex.
	lsn     int64
	level   Tier
	told    Tier // on the present connection, which begins anew with each
	batch   arrow.RecordBatch
	size    int64
	changed chan struct{} // nil, or closed at the next level, or when the stream fails
	twin    *Write        // another with the same LSN: of retries the server may have forgotten the own one
}

// LSN waits for the server to name the write. A crash of the server may take a write that is below
// LocalDisk; it is written again, and its LSN is another one then.
func (w *Write) LSN(ctx context.Context) (int64, error) {
	if err := w.Wait(ctx, Memory); err != nil {
		return 0, err
	}
	lsn, _ := w.state()
	return lsn, nil
}

// Level is how durable the write is by now; false: not acknowledged at all.
func (w *Write) Level() (Tier, bool) {
	_, level := w.state()
	return level, level != none
}

func (w *Write) state() (int64, Tier) {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	return w.lsn, w.level
}

// Wait returns when the write has reached the level.
func (w *Write) Wait(ctx context.Context, level Tier) error {
	for s := w.stream; ; {
		s.mu.Lock()
		if w.level >= level {
			s.mu.Unlock()
			return nil
		}
		if err := s.cannotReach(level); err != nil {
			s.mu.Unlock()
			return err
		}
		changed := w.nextChange()
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return contextError(ctx, level.String())
		}
	}
}

func (w *Write) nextChange() <-chan struct{} {
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed
}

func (w *Write) notify() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}
