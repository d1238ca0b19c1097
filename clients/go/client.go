// Package arka writes Arrow record batches to an Arka server, exactly once, and tells how durable each
// write is.
//
// A Client is a connection to one server. Client.Open opens a Stream, which writes batches to one table:
// it numbers them, keeps them until the server has them on its disk, and sends them again after a lost
// connection or a crash of the server, without writing any of them twice. Client.Appender does the same
// for rows.
//
// Every error is an *Error, with the code that the wire contract has for it.
package arka

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// Options are how a Client reaches its server. The zero value is a server without credentials.
type Options struct {
	// Username and Password log in once; the token that the server answers goes with every call.
	Username, Password string
	// Token goes with every call as it is.
	Token string

	// TLSRoot is a PEM file of the authorities to trust, instead of the system's.
	TLSRoot string
	// ClientCertificate and ClientKey are PEM files to show to the server.
	ClientCertificate, ClientKey string

	// Session is the name that DurabilityStatus asks by; random where it is empty.
	Session string
	// RetryFor is for how long a call is made again that failed by something that may pass, such as a server
	// that is just being started; a minute where it is 0. Streams have it from here.
	RetryFor time.Duration
}

const defaultRetryFor = time.Minute

// Client is a connection to an Arka server. It may be used by many goroutines at once.
type Client struct {
	options    Options
	connection *grpc.ClientConn
	flight     flight.FlightServiceClient

	mu     sync.Mutex
	bearer string // the value of the header authorization, empty: none (yet)
}

// Connect makes a client for a URL such as grpc://localhost:8815, or grpc+tls:// where the server has a
// certificate. Nothing is sent before the first call.
func Connect(location string, options Options) (*Client, error) {
	where, err := url.Parse(location)
	if err != nil || where.Host == "" {
		return nil, failure(InvalidArgument, "%q is no location such as grpc://localhost:8815", location)
	}
	security, err := transport(where.Scheme, options)
	if err != nil {
		return nil, err
	}
	retries := backoff.DefaultConfig
	retries.BaseDelay, retries.MaxDelay = 50*time.Millisecond, time.Second
	connection, err := grpc.NewClient(where.Host,
		grpc.WithTransportCredentials(security),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		// By default it would wait up to two minutes before it tries again.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retries, MinConnectTimeout: 5 * time.Second}),
		// Notices a peer that is gone without a word.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 20 * time.Second}))
	if err != nil {
		return nil, &Error{Code: InvalidArgument, Message: err.Error(), cause: err}
	}
	if options.Session == "" {
		options.Session = "go-" + randomName()
	}
	if options.RetryFor == 0 {
		options.RetryFor = defaultRetryFor
	}
	client := &Client{options: options, connection: connection, flight: flight.NewFlightServiceClient(connection)}
	if options.Token != "" {
		client.bearer = "Bearer " + options.Token
	}
	return client, nil
}

func transport(scheme string, options Options) (credentials.TransportCredentials, error) {
	switch scheme {
	case "grpc", "grpc+tcp":
		return insecure.NewCredentials(), nil
	case "grpc+tls":
	default:
		return nil, failure(InvalidArgument, "the scheme %q is neither grpc nor grpc+tls", scheme)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if options.TLSRoot != "" {
		text, err := os.ReadFile(options.TLSRoot)
		if err != nil {
			return nil, &Error{Code: InvalidArgument, Message: err.Error(), cause: err}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, failure(InvalidArgument, "%s: no certificate in it", options.TLSRoot)
		}
	}
	if options.ClientCertificate != "" {
		pair, err := tls.LoadX509KeyPair(options.ClientCertificate, options.ClientKey)
		if err != nil {
			return nil, &Error{Code: InvalidArgument, Message: err.Error(), cause: err}
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(config), nil
}

func randomName() string {
	var bytes [12]byte
	_, _ = rand.Read(bytes[:]) // never fails: see crypto/rand
	return hex.EncodeToString(bytes[:])
}

// Close ends the connection. Close streams and appenders before.
func (c *Client) Close() error { return c.connection.Close() }

// Session is the name by which the server knows this client's writes.
func (c *Client) Session() string { return c.options.Session }

// authorized adds the credentials to a call's context, logging in first where that is needed.
func (c *Client) authorized(ctx context.Context) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bearer == "" && c.options.Username != "" {
		bearer, err := c.logIn(ctx)
		if err != nil {
			return nil, err
		}
		c.bearer = bearer
	}
	if c.bearer == "" {
		return ctx, nil
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", c.bearer), nil
}

// logIn exchanges the password for a token.
func (c *Client) logIn(ctx context.Context) (string, error) {
	pair := base64.StdEncoding.EncodeToString([]byte(c.options.Username + ":" + c.options.Password))
	ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(ctx, "authorization", "Basic "+pair))
	defer cancel()
	handshake, err := c.flight.Handshake(ctx)
	if err != nil {
		return "", wireError(ctx, err, nil)
	}
	_ = handshake.CloseSend()
	if _, err := handshake.Recv(); err != nil && !errors.Is(err, io.EOF) {
		return "", wireError(ctx, err, handshake.Trailer())
	}
	header, err := handshake.Header()
	if err != nil {
		return "", wireError(ctx, err, nil)
	}
	if given := header.Get("authorization"); len(given) == 1 {
		return given[0], nil
	}
	return "", violation("a log-in without a token")
}

// canLogInAgain says whether a call that was refused may succeed with a fresh log-in: tokens expire, and
// a server that was started again may not know them.
func (c *Client) canLogInAgain(err *Error) bool {
	if err.Code != Unauthenticated || c.options.Username == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.bearer != ""
	c.bearer = ""
	return had
}

// again tries once more while what it fails by may pass. What is tried only asks, or may be done twice.
func (c *Client) again(ctx context.Context, try func() error) error {
	until := time.Now().Add(c.options.RetryFor)
	for attempt := 0; ; attempt++ {
		err := try()
		if err == nil {
			return nil
		}
		failed := wireError(ctx, err, nil)
		if !failed.Retryable || ctx.Err() != nil || time.Now().After(until) {
			return failed
		}
		select {
		case <-time.After(pause(attempt)):
		case <-ctx.Done():
			late := contextError(ctx, "a call that failed at last with "+failed.Error())
			late.cause = errors.Join(late.cause, failed)
			return late
		}
	}
}

// call is callOnce, tried again.
func (c *Client) call(ctx context.Context, run func(ctx context.Context, trailer grpc.CallOption) error) error {
	return c.again(ctx, func() error { return c.callOnce(ctx, run) })
}

// callOnce makes one call with credentials; once more where they had expired.
func (c *Client) callOnce(ctx context.Context, run func(ctx context.Context, trailer grpc.CallOption) error) error {
	for {
		authorized, err := c.authorized(ctx)
		if err != nil {
			return err
		}
		var trailer metadata.MD
		err = run(authorized, grpc.Trailer(&trailer))
		if err == nil {
			return nil
		}
		failed := wireError(ctx, err, trailer)
		if !c.canLogInAgain(failed) {
			return failed
		}
	}
}

// caller is call or callOnce.
type caller func(ctx context.Context, run func(ctx context.Context, trailer grpc.CallOption) error) error

// action does one action and hands each of its answers to `each`.
func (c *Client) action(ctx context.Context, call caller, name string, body any, each func([]byte) error) error {
	text, err := json.Marshal(body)
	if err != nil {
		return failure(InvalidArgument, "%s: %v", name, err)
	}
	return call(ctx, func(ctx context.Context, trailer grpc.CallOption) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		answers, err := c.flight.DoAction(ctx, &flight.Action{Type: name, Body: text}, trailer)
		if err != nil {
			return err
		}
		for {
			answer, err := answers.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := each(answer.Body); err != nil {
				return violation("%s answered %q: %v", name, answer.Body, err)
			}
		}
	})
}

// lastSeq is where the server is with a producer.
type lastSeq struct {
	LastSeq          int64  `json:"last_seq"`
	LSN              int64  `json:"lsn"`
	ForgottenThrough *int64 `json:"forgotten_through"`
}

// claim takes a producer's name over: under the epochs of before nothing is written any more.
func (c *Client) claim(ctx context.Context, producer, table string) (epoch int64, last lastSeq, err error) {
	var claimed struct {
		lastSeq
		Epoch int64 `json:"epoch"`
	}
	err = c.action(ctx, c.call, "claim_producer", map[string]string{"producer": producer, "table": table},
		func(answer []byte) error { return json.Unmarshal(answer, &claimed) })
	return claimed.Epoch, claimed.lastSeq, err
}

func (c *Client) lastSeq(ctx context.Context, call caller, producer, table string) (lastSeq, error) {
	var last lastSeq
	err := c.action(ctx, call, "last_seq", map[string]string{"producer": producer, "table": table},
		func(answer []byte) error { return json.Unmarshal(answer, &last) })
	var refused *Error
	if errors.As(err, &refused) && refused.Code == NotFound {
		return lastSeq{}, nil // the table is made by the first write
	}
	return last, err
}

// Flush returns once every write to the table that was in the server's memory before the call has
// reached the level, whoever wrote it; with an empty name, every write to any table. Upload and commit are
// begun at once. The answer is the last LSN that the server had given before the call.
func (c *Client) Flush(ctx context.Context, table string, level Tier) (int64, error) {
	body := map[string]string{"level": level.String()}
	if table != "" {
		body["table"] = table
	}
	var answer struct {
		LSN int64 `json:"lsn"`
	}
	err := c.action(ctx, c.call, "flush", body, func(text []byte) error { return json.Unmarshal(text, &answer) })
	return answer.LSN, err
}

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

// Schema is the schema of a table.
func (c *Client) Schema(ctx context.Context, table string) (*arrow.Schema, error) {
	path, err := tablePath(table)
	if err != nil {
		return nil, err
	}
	var schema *arrow.Schema
	err = c.call(ctx, func(ctx context.Context, trailer grpc.CallOption) error {
		answer, err := c.flight.GetSchema(ctx,
			&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: path}, trailer)
		if err != nil {
			return err
		}
		schema, err = flight.DeserializeSchema(answer.Schema, memory.DefaultAllocator)
		return err
	})
	return schema, err
}

// tablePath is a table's name as a path: sales.orders as sales, orders.
func tablePath(table string) ([]string, error) {
	path := strings.Split(table, ".")
	for _, part := range path {
		if part == "" {
			return nil, failure(InvalidArgument, "%q is no table's name such as sales.orders", table)
		}
	}
	return path, nil
}

// Rows are the answer to a query: an array.RecordReader whose errors are *Error. Release it.
type Rows struct {
	*flight.Reader
	ctx    context.Context
	cancel context.CancelFunc
	stream grpc.ClientStream
}

// Err is why Next returned false; nil at the end of the rows.
func (r *Rows) Err() error {
	if err := r.Reader.Err(); err != nil {
		return wireError(r.ctx, err, r.stream.Trailer())
	}
	return nil
}

// Release ends the query where it still runs.
func (r *Rows) Release() {
	r.Reader.Release()
	r.cancel()
}

// Query runs a SELECT over every row that was acknowledged before, committed or not.
func (c *Client) Query(ctx context.Context, sql string) (*Rows, error) {
	rows := &Rows{}
	rows.ctx, rows.cancel = context.WithCancel(ctx)
	err := c.call(rows.ctx, func(ctx context.Context, trailer grpc.CallOption) error {
		info, err := c.flight.GetFlightInfo(ctx,
			&flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: []byte(sql)}, trailer)
		if err != nil {
			return err
		}
		if len(info.Endpoint) != 1 {
			return violation("a query has %d endpoints", len(info.Endpoint))
		}
		answer, err := c.flight.DoGet(ctx, info.Endpoint[0].Ticket, trailer)
		if err != nil {
			return err
		}
		rows.stream = answer
		rows.Reader, err = flight.NewRecordReader(answer)
		return err
	})
	if err != nil {
		rows.cancel()
		return nil, err
	}
	return rows, nil
}
