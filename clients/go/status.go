package arka

import (
	"context"
	"encoding/json"
	"time"
)

// Event is one level that a write of a session has reached.
type Event struct {
	LSN        int64     `json:"lsn"`
	Level      Tier      `json:"-"`
	Time       time.Time `json:"timestamp"`
	SnapshotID int64     `json:"snapshot_id"` // 0 unless committed
}

// DurabilityStatus is what became of the writes of a session above `after`, the last LSN that the caller
// knows of, and what of the others may have been missed while a connection was lost. An empty session is
// the client's own. A session that the server does not know (any more) is NOT_FOUND.
func (c *Client) DurabilityStatus(ctx context.Context, session string, after int64) ([]Event, error) {
	if session == "" {
		session = c.options.Session
	}
	body := map[string]any{"session": session, "after_lsn": after}
	var events []Event
	err := c.again(ctx, func() error {
		events = nil // of an attempt that broke off
		return c.action(ctx, c.callOnce, "durability_status", body, func(text []byte) error {
			var answer struct {
				Events []struct {
					Event
					Name string `json:"durability_level"`
				} `json:"events"`
			}
			if err := json.Unmarshal(text, &answer); err != nil {
				return err
			}
			for _, told := range answer.Events {
				level, err := ParseTier(told.Name)
				if err != nil {
					return err
				}
				told.Event.Level = level
				events = append(events, told.Event)
			}
			return nil
		})
	})
	return events, err
}

// Level is the durability of one LSN.
type Level struct {
	LSN   int64
	Level Tier
	// Lost: a crash took the LSN before it was on disk, or the write was given up with its table.
	Lost bool
}

// levelsAtOnce is how many LSNs the server answers for in one call.
const levelsAtOnce = 10_000

// Levels asks for the levels of LSNs, whoever wrote them, in their order. An LSN that the server never
// gave is NOT_FOUND.
func (c *Client) Levels(ctx context.Context, lsns ...int64) ([]Level, error) {
	var levels []Level
	err := c.again(ctx, func() (err error) {
		levels, err = c.levels(ctx, lsns)
		return err
	})
	return levels, err
}

func (c *Client) levels(ctx context.Context, lsns []int64) ([]Level, error) {
	levels := make([]Level, 0, len(lsns))
	for len(lsns) > 0 {
		part := lsns[:min(len(lsns), levelsAtOnce)]
		lsns = lsns[len(part):]
		err := c.action(ctx, c.callOnce, "durability_status", map[string]any{"lsns": part}, func(text []byte) error {
			var answer struct {
				Levels []struct {
					LSN   int64  `json:"lsn"`
					Level string `json:"durability_level"`
					Lost  bool   `json:"lost"`
				} `json:"levels"`
			}
			if err := json.Unmarshal(text, &answer); err != nil {
				return err
			}
			for _, told := range answer.Levels {
				level := none
				if !told.Lost {
					var err error
					if level, err = ParseTier(told.Level); err != nil {
						return err
					}
				}
				levels = append(levels, Level{told.LSN, level, told.Lost})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return levels, nil
}

// Status is how the server is. What it says beyond this is in Text, the JSON that the wire contract
// describes.
type Status struct {
	Version      string        `json:"version"`
	Node         string        `json:"node"`
	Ready        bool          `json:"ready"`
	Problem      string        `json:"problem"` // empty: none
	LastLSN      int64         `json:"last_lsn"`
	DiskLSN      int64         `json:"disk_lsn"`
	S3LSN        int64         `json:"s3_lsn"`
	CommittedLSN int64         `json:"committed_lsn"`
	LagSeconds   float64       `json:"lag_seconds"` // the age of the oldest write not in the object store
	Tables       []TableStatus `json:"tables"`

	Text json.RawMessage `json:"-"`
}

// TableStatus is how a table is.
type TableStatus struct {
	Name          string `json:"name"`
	CommittedLSN  int64  `json:"committed_lsn"`
	PendingWrites int64  `json:"pending_writes"`
	PendingBytes  int64  `json:"pending_bytes"`
	Problem       string `json:"problem"`
}

// Watermarks are those of this moment.
func (s *Status) Watermarks() Watermarks {
	return Watermarks{Disk: s.DiskLSN, S3: s.S3LSN, Committed: s.CommittedLSN}
}

// Status asks the server how it is.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	status := &Status{}
	err := c.action(ctx, c.call, "status", struct{}{}, func(text []byte) error {
		status.Text = append([]byte(nil), text...)
		return json.Unmarshal(text, status)
	})
	if err != nil {
		return nil, err
	}
	return status, nil
}
