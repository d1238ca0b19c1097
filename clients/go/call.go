package arka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// authorized adds the credentials to a call's context, logging in first where that is needed, and answers the
// bearer token among them.
func (c *Client) authorized(ctx context.Context) (context.Context, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bearer == "" && c.options.Username != "" {
		bearer, err := c.logIn(ctx)
		if err != nil {
			return nil, "", err
		}
		c.bearer = bearer
	}
	if c.bearer == "" {
		return ctx, "", nil
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", c.bearer), c.bearer, nil
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
// a server that was started again may not know them. `bearer` is what it was made with; another call may
// have got a new one meanwhile.
func (c *Client) canLogInAgain(err *Error, bearer string) bool {
	if err.Code != Unauthenticated || c.options.Username == "" || bearer == "" {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bearer == bearer {
		c.bearer = ""
	}
	return true
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
	for again := false; ; again = true {
		authorized, bearer, err := c.authorized(ctx)
		if err != nil {
			return err
		}
		var trailer metadata.MD
		err = run(authorized, grpc.Trailer(&trailer))
		if err == nil {
			return nil
		}
		failed := wireError(ctx, err, trailer)
		if again || !c.canLogInAgain(failed, bearer) {
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
