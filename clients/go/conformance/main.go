// The conformance driver: reads one JSON object a line, does what it says by the client, and answers each
// with one JSON line, in order. What the operations are is described in clients/conformance.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	arka "github.com/arka/arka-core/clients/go"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// request is one line of the runner. Which fields there are depends on the operation.
type request struct {
	Op      string `json:"op"`
	URL     string `json:"url"`
	Options struct {
		Username    string `json:"username"`
		Password    string `json:"password"`
		Token       string `json:"token"`
		TLSRoot     string `json:"tls_root"`
		ClientCert  string `json:"client_cert"`
		ClientKey   string `json:"client_key"`
		DeadlineMS  int64  `json:"deadline_ms"`
		BudgetBytes int64  `json:"budget_bytes"`
	} `json:"options"`
	Table     string `json:"table"`
	Producer  string `json:"producer"`
	Session   string `json:"session"`
	Columns   string `json:"columns"`
	First     int64  `json:"first"`
	Batches   int    `json:"batches"`
	Rows      int    `json:"rows"`
	TextBytes int    `json:"text_bytes"`
	Level     string `json:"level"`
	TimeoutMS int64  `json:"timeout_ms"`
	SQL       string `json:"sql"`
	After     *int64 `json:"after"`
}

var numbered = arrow.NewSchema([]arrow.Field{
	{Name: "number", Type: arrow.PrimitiveTypes.Int64},
	{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func numberText(number int64, textBytes int) string { return fmt.Sprintf("%0*d", textBytes, number) }

func numberedBatch(first int64, rows, textBytes int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.DefaultAllocator, numbered)
	defer builder.Release()
	for number := first; number < first+int64(rows); number++ {
		builder.Field(0).(*array.Int64Builder).Append(number)
		builder.Field(1).(*array.StringBuilder).Append(numberText(number, textBytes))
	}
	return builder.NewRecordBatch()
}

func main() {
	var d driver
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var asked request
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil && asked.Op == "quit" {
			fmt.Println(`{"ok": {}}`)
			return
		}
		var told any
		if err == nil {
			told, err = d.do(asked)
		}
		if err == nil {
			tell(map[string]any{"ok": told})
			continue
		}
		var failed *arka.Error
		if !errors.As(err, &failed) {
			failed = &arka.Error{Code: "UNTYPED", Message: err.Error()} // never of the client
		}
		tell(map[string]any{"error": map[string]any{
			"code": failed.Code, "message": failed.Message, "retryable": failed.Retryable}})
	}
}

func tell(answer any) {
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// context ends after the request's timeout, or after the time that others have as their deadline.
func (r request) context(deadline time.Duration) (context.Context, context.CancelFunc) {
	if r.TimeoutMS != 0 {
		deadline = time.Duration(r.TimeoutMS) * time.Millisecond
	}
	return context.WithTimeout(context.Background(), deadline)
}
