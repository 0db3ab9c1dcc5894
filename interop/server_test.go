// A log to read: `countersign serve` in a process of its own, and the entries that these tests append to it.

package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binaryVariable names the program under test.
const binaryVariable = "COUNTERSIGN_BIN"

// What the server calls itself. Its clients reach it by the address that it listens on.
const publicURL = "https://log.example.org"
const logOrigin = "log.example.org/log"

// deadline separates slow from stuck; nothing here takes nearly as long.
const deadline = 60 * time.Second

// The largest list that the server appends at once.
const maxBatch = 256

var announced = regexp.MustCompile(`(?s)\(listening on ([0-9.:]+)\).*log key +(\S+)\n`)

// server is a running `countersign serve`.
type server struct {
	base        string // where it listens: http://127.0.0.1:port
	verifierKey string // as its first start printed it
	dataDir     string
	appendKey   string // an API key with the scope "append"
}

// startServer starts a new log on a free port. It is stopped when the test ends, and must then end well.
func startServer(t *testing.T) *server {
	t.Helper()
	binary := os.Getenv(binaryVariable)
	if binary == "" {
		t.Fatalf("%s does not name the program to test; `make interop` builds it and sets this", binaryVariable)
	}
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	command := exec.Command(binary, "serve", "--data-dir", data, "--anchor", filepath.Join(folder, "anchor"),
		"--listen", "127.0.0.1:0", "--public-url", publicURL)
	command.Dir = folder
	command.Env = withoutSettings(os.Environ())
	var complaints bytes.Buffer
	command.Stderr = &complaints
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	words := make(chan []string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		readAnnouncement(stdout, words)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		stuck := time.AfterFunc(deadline, func() { _ = command.Process.Kill() })
		defer stuck.Stop()
		<-drained
		if err := command.Wait(); err != nil {
			t.Errorf("countersign serve ended with %v:\n%s", err, complaints.String())
		}
	})
	select {
	case said := <-words:
		if said == nil {
			t.Fatal("countersign serve did not announce itself")
		}
		s := &server{base: "http://" + said[1], verifierKey: said[2], dataDir: data}
		s.appendKey = s.makeKey(t, "append")
		return s
	case <-time.After(deadline):
		t.Fatalf("countersign serve is not ready after %v", deadline)
		return nil
	}
}

// readAnnouncement sends the address and the log key as soon as they are printed (nil if they never are), and reads on
// until the server ends, so that it never waits for its reader.
func readAnnouncement(stdout io.Reader, words chan<- []string) {
	var printed strings.Builder
	found := false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if found {
			continue
		}
		printed.WriteString(lines.Text() + "\n")
		if said := announced.FindStringSubmatch(printed.String()); said != nil {
			found = true
			words <- said
		}
	}
	if !found {
		words <- nil
	}
}

// withoutSettings takes the server's own settings out of an environment.
func withoutSettings(environment []string) []string {
	var kept []string
	for _, setting := range environment {
		if !strings.HasPrefix(setting, "COUNTERSIGN_") {
			kept = append(kept, setting)
		}
	}
	return kept
}

// makeKey makes an API key with one scope, with the admin key that the first start made.
func (s *server) makeKey(t *testing.T, scope string) string {
	t.Helper()
	admin, err := os.ReadFile(filepath.Join(s.dataDir, "admin.key"))
	must(t, err)
	var made struct {
		Key string `json:"key"`
	}
	wanted := map[string]any{"name": "interop", "scopes": []string{scope}}
	s.post(t, "/api/keys", strings.TrimSpace(string(admin)), wanted, &made)
	return made.Key
}

// grow appends entries until the log has so many of them. It returns all that the log then holds.
func (s *server) grow(t *testing.T, entries [][]byte, size int) [][]byte {
	t.Helper()
	for len(entries) < size {
		var batch [][]byte
		for len(entries)+len(batch) < min(size, len(entries)+maxBatch) {
			batch = append(batch, entry(len(entries)+len(batch)))
		}
		var answer struct {
			Entries []struct {
				Index uint64 `json:"index"`
			} `json:"entries"`
		}
		s.post(t, "/log/entries", s.appendKey, batch, &answer)
		if len(answer.Entries) != len(batch) || answer.Entries[0].Index != uint64(len(entries)) {
			t.Fatalf("%d entries appended at %d are at %+v", len(batch), len(entries), answer.Entries)
		}
		entries = append(entries, batch...)
	}
	return entries
}

// entry is what stands at an index: bytes of any kind, among them the shortest and the longest entry there can be.
func entry(index int) []byte {
	switch index {
	case 100:
		return []byte{}
	case 300:
		return bytes.Repeat([]byte{0xff, 0x00, '\n'}, 65535/3)
	default:
		return fmt.Appendf(nil, "entry %d\n\x00\xff%s", index, strings.Repeat("-", index%97))
	}
}

// get reads a page that must be there.
func (s *server) get(t *testing.T, path string) []byte {
	t.Helper()
	body, err := fetch(s.base + path)
	must(t, err)
	return body
}

// fetch reads a page; anything but 200 is an error.
func fetch(address string) ([]byte, error) {
	answer, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", address, answer.Status, body)
	}
	return body, err
}

// getJSON reads JSON into a value.
func (s *server) getJSON(t *testing.T, path string, into any) {
	t.Helper()
	must(t, json.Unmarshal(s.get(t, path), into))
}

// post sends JSON with an API key and reads the JSON of a success.
func (s *server) post(t *testing.T, path, key string, body, into any) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequest(http.MethodPost, s.base+path, bytes.NewReader(text))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Api-Key", key)
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	must(t, err)
	if answer.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s: %s", path, answer.Status, said)
	}
	must(t, json.Unmarshal(said, into))
}

// logURL is the prefix of the log, as a client of C2SP tlog-tiles is told it.
func (s *server) logURL(t *testing.T) *url.URL {
	t.Helper()
	address, err := url.Parse(s.base + "/log/")
	must(t, err)
	return address
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
