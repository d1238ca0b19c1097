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
	"encoding/hex"
	"encoding/json"
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
