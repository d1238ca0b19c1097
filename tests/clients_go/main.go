// Flight clients in Go, as its users write them, against a real Arka server. -do says what is done:
// write (one-row writes, and what was told of them), calls (every RPC), actions (every action),
// errors (every error that a client can provoke), catalog (what tools ask about tables), adbc (SQL by
// ADBC's driver). All of them print what the server told as lines of JSON; what that has to be is the
// caller's to say.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

// given is the command line.
type given struct {
	address, certificate   string
	user, password         string
	reader                 string // a token with the right to read, and no other
	table, until, producer string // of write
	writes                 int
}

func main() {
	programs := map[string]func(context.Context, given) error{
		"write": write, "calls": calls, "actions": actions, "errors": provoke,
		"catalog": catalog, "adbc": adbcCalls}
	var options given
	program := flag.String("do", "write", "write, calls, actions, errors, catalog or adbc")
	flag.StringVar(&options.address, "address", "", "host:port")
	flag.StringVar(&options.certificate, "certificate", "", "trust this certificate and use TLS")
	flag.StringVar(&options.user, "user", "", "who logs in")
	flag.StringVar(&options.password, "password", "", "and by what")
	flag.StringVar(&options.reader, "reader", "", "the token of somebody who may only read")
	flag.StringVar(&options.table, "table", "from_go", "the table's name")
	flag.StringVar(&options.until, "until", "COMMITTED", "the level to wait for")
	flag.StringVar(&options.producer, "producer", "", "number the writes under this name")
	flag.IntVar(&options.writes, "writes", 1000, "one-row writes to send")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	run, known := programs[*program]
	if !known {
		fmt.Fprintln(os.Stderr, "-do:", *program)
		os.Exit(2)
	}
	if err := run(ctx, options); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
