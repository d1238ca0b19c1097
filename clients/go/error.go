package arka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Code names a kind of error as the wire contract spells it.
type Code string

// The codes of the wire contract. The client uses them for its own errors too: INVALID_ARGUMENT for
// what it refuses to send, DEADLINE_EXCEEDED and CANCELLED for a context or a deadline of its own that
// ended, RESOURCE_EXHAUSTED for a full budget, FAILED_PRECONDITION for a closed stream and for a producer's
// name that somebody else uses, DATA_LOSS for a server that no longer has what it acknowledged on its disk,
// INTERNAL for a server that breaks the contract.
const (
	InvalidArgument    Code = "INVALID_ARGUMENT"
	Unauthenticated    Code = "UNAUTHENTICATED"
	PermissionDenied   Code = "PERMISSION_DENIED"
	NotFound           Code = "NOT_FOUND"
	AlreadyExists      Code = "ALREADY_EXISTS"
	FailedPrecondition Code = "FAILED_PRECONDITION"
	Unimplemented      Code = "UNIMPLEMENTED"
	ResourceExhausted  Code = "RESOURCE_EXHAUSTED"
	Unavailable        Code = "UNAVAILABLE"
	DeadlineExceeded   Code = "DEADLINE_EXCEEDED"
	Cancelled          Code = "CANCELLED"
	DataLoss           Code = "DATA_LOSS"
	Internal           Code = "INTERNAL"
)

// Error is what every call of this package fails with; errors.As finds it.
type Error struct {
	Code    Code
	Message string
	// Retryable says that the same call may succeed later. A Stream has then retried already, for as
	// long as its options allow.
	Retryable bool

	cause error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Unwrap is the error underneath, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

func failure(code Code, format string, values ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, values...)}
}

// violation is the error for a server that breaks the wire contract.
func violation(format string, values ...any) *Error {
	return failure(Internal, "the server broke the contract: "+format, values...)
}

var innerCapital = regexp.MustCompile(`([a-z])([A-Z])`)

func codeOf(code codes.Code) Code {
	if code == codes.Canceled { // Go's spelling is its own
		return Cancelled
	}
	return Code(strings.ToUpper(innerCapital.ReplaceAllString(code.String(), "${1}_${2}")))
}

// unlikelyToPass are the codes after which the same call fails again, where the server did not say.
// What is not here and came without its word was made on the way: a cut connection, a proxy.
var unlikelyToPass = map[Code]bool{
	InvalidArgument: true, Unauthenticated: true, PermissionDenied: true, NotFound: true,
	AlreadyExists: true, FailedPrecondition: true, Unimplemented: true, ResourceExhausted: true,
	DataLoss: true, "OUT_OF_RANGE": true,
}

// wireError makes an *Error of what a call ended with. The trailer may be nil where there was none.
func wireError(ctx context.Context, err error, trailer metadata.MD) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if ctx.Err() != nil {
		return contextError(ctx, "")
	}
	if errors.Is(err, io.EOF) {
		return &Error{Code: Unavailable, Message: "the server ended the stream", Retryable: true, cause: err}
	}
	from, spoken := status.FromError(err)
	if !spoken {
		return &Error{Code: Internal, Message: err.Error(), cause: err}
	}
	code := codeOf(from.Code())
	retryable := !unlikelyToPass[code]
	if said := trailer.Get("arka-retryable"); len(said) > 0 {
		retryable = said[0] == "true"
	} else if strings.Contains(from.Message(), "x509:") || strings.Contains(from.Message(), "tls: ") {
		retryable = false // certificates do not heal
	}
	return &Error{Code: code, Message: from.Message(), Retryable: retryable, cause: err}
}

// contextError is the error for a context that ended while `waiting` for something.
func contextError(ctx context.Context, waiting string) *Error {
	code := Cancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		code = DeadlineExceeded
	}
	message := ctx.Err().Error()
	if waiting != "" {
		message += " while waiting for " + waiting
	}
	return &Error{Code: code, Message: message, Retryable: code == DeadlineExceeded, cause: ctx.Err()}
}
