package arka

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Here is what a stream knows of the writes that it follows: how far each has come, and what it keeps of
// them meanwhile. All with the stream's mutex held.

// at is the write with that seq, which has not reached the last level.
func (s *Stream) at(seq int64) *Write { return s.writes[seq-s.writes[0].seq] }

// raise notes that a write has reached a level, and all below it. Call with the mutex held.
func (s *Stream) raise(write *Write, level Tier, acks []Ack, told Ack) []Ack {
	for write.level < level {
		write.level++
		told.LSN, told.Level = write.lsn, write.level
		acks = append(acks, told)
	}
	write.notify()
	for tier := Memory; tier <= level; tier++ {
		s.advance(tier)
	}
	return acks
}

// advance moves reached[tier] over all writes that are there.
func (s *Stream) advance(tier Tier) {
	before := s.reached[tier]
	for s.reached[tier] < s.last {
		write := s.at(s.reached[tier] + 1)
		if write.level < tier {
			break
		}
		s.reached[tier]++
		if tier == LocalDisk {
			s.keepNoLonger(write)
		}
		write.notify()
	}
	if s.reached[tier] == before {
		return
	}
	if tier == LocalDisk {
		close(s.room)
		s.room = make(chan struct{})
		if s.closing {
			s.wake.Broadcast()
		}
	}
	if tier == s.options.Follow {
		done := s.reached[tier] - before
		for i, write := range s.writes[:done] {
			s.unlink(write)
			s.writes[i] = nil
		}
		s.writes = s.writes[done:]
	}
}

func (s *Stream) keepNoLonger(write *Write) {
	s.onDisk = max(s.onDisk, write.lsn)
	s.held -= write.size
	write.batch.Release()
	write.batch = nil
}

// link makes a write known by its LSN.
func (s *Stream) link(write *Write, lsn int64) {
	write.lsn = lsn
	write.twin = s.byLSN[lsn]
	s.byLSN[lsn] = write
}

func (s *Stream) unlink(write *Write) {
	at := s.byLSN[write.lsn]
	if at == write {
		if write.twin == nil {
			delete(s.byLSN, write.lsn)
		} else {
			s.byLSN[write.lsn] = write.twin
		}
	}
	for ; at != nil; at = at.twin {
		if at.twin == write {
			at.twin = write.twin
		}
	}
	write.twin = nil
}

// settle notes that something moved, so that whatever was wrong is over.
func (s *Stream) settle() {
	s.moved, s.reason = true, nil
	s.patience.Stop()
}

// tell takes note of acks and hands them on. Call with the mutex held, so that they stay in order.
func (s *Stream) tell(acks []Ack) {
	if len(acks) == 0 {
		return
	}
	s.settle()
	for _, feed := range s.feeds {
		feed.put(acks)
	}
}

// columnOverhead is what a column of a small batch takes beside its values: about 900 bytes in arrow-go, and
// as much again because the garbage collector lets the heap grow to twice what is used. Without it very
// many batches of one row would take many times the budget.
const columnOverhead = 1800

// batchSize is about how many bytes it takes to keep a batch; of a slice only its own part.
func batchSize(batch arrow.RecordBatch) int64 {
	var sum int64
	for _, column := range batch.Columns() {
		sum += columnOverhead + dataSize(column.Data())
	}
	return sum
}

func dataSize(data arrow.ArrayData) int64 {
	switch kind := data.DataType().(type) {
	case *arrow.DictionaryType:
	case arrow.FixedWidthDataType:
		return int64(data.Len()*kind.BitWidth()+7)/8 + int64(data.Len()+7)/8
	case *arrow.StringType, *arrow.BinaryType:
		if offsets := data.Buffers()[1]; offsets != nil && data.Len() > 0 {
			of := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
			return int64(of[data.Offset()+data.Len()]-of[data.Offset()]) + int64(4*data.Len())
		}
	}
	var sum int64
	for _, buffer := range data.Buffers() {
		if buffer != nil {
			sum += int64(buffer.Len())
		}
	}
	for _, child := range data.Children() {
		sum += dataSize(child)
	}
	if dictionary, ok := data.Dictionary().(*array.Data); ok && dictionary != nil {
		sum += dataSize(dictionary)
	}
	return sum
}
