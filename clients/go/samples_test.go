package arka_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What every sample prints, against the server of ARKA_URL.
var printed = map[string]string{
	"quickstart": "in the object store: true\nrows: 3\n",
	"durable": "on disk: 10\nlag is known: true\nthe last one reached MEMORY\n" +
		"the last one reached LOCAL_DISK\nthe last one reached OBJECT_STORAGE\n" +
		"the last one reached COMMITTED\nstill to be kept: 0\nthe server is ready: true\n",
	"exactly_once": "lines: [50] different: [50] last: [50]\n",
	"backpressure": "some may be dropped: true\nrefused: true\nall rows are committed\n",
}

func TestTheSamplesDoWhatTheySay(t *testing.T) {
	location := os.Getenv("ARKA_URL")
	if location == "" {
		t.Skip("ARKA_URL names no server")
	}
	folders, err := filepath.Glob("samples/*")
	if err != nil || len(folders) != len(printed) {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "sample")
			if said, err := exec.Command("go", "build", "-o", program, "./"+folder).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			var out, wrong bytes.Buffer
			sample := exec.Command(program, location)
			sample.Stdout, sample.Stderr = &out, &wrong
			if err := sample.Run(); err != nil {
				t.Fatalf("%v\n%s", err, wrong.String())
			}
			if out.String() != printed[filepath.Base(folder)] {
				t.Fatalf("printed\n%s", out.String())
			}
		})
	}
}

// Every Go block of the documents is in a sample, word for word but for the indentation.
func TestTheDocumentsSayWhatTheSamplesDo(t *testing.T) {
	sources, err := filepath.Glob("samples/*/main.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	sources = append(sources, "../../examples/go/flight_client.go")
	var code strings.Builder
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		code.WriteString(unindented(string(text)))
	}
	fence := regexp.MustCompile("(?s)```go\n(.*?)```")
	for _, document := range []string{"README.md", "../../docs/guide/go.md"} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		blocks := fence.FindAllStringSubmatch(string(text), -1)
		if len(blocks) < 5 {
			t.Fatalf("%s has %d blocks of Go", document, len(blocks))
		}
		for _, block := range blocks {
			if !strings.Contains(code.String(), unindented(block[1])) {
				t.Errorf("%s: no sample has\n%s", document, block[1])
			}
		}
	}
}

func unindented(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}
