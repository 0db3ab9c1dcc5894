// golang.org/x/mod/sumdb: `note` opens the checkpoint, `tlog` authenticates the tiles and checks proofs that it made from
// them. This is the code by which every `go` command checks the checksum database.

package interop

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// note opens the checkpoint with the key that the server printed, and with no other.
func (r reading) note(t *testing.T) {
	var trust struct {
		Logs []string `json:"logs"`
	}
	r.getJSON(t, "/trust.json", &trust)
	if len(trust.Logs) != 1 || trust.Logs[0] != r.verifierKey {
		t.Fatalf("the server printed the log key %s, and /trust.json has %q", r.verifierKey, trust.Logs)
	}
	opened, err := note.Open(r.checkpoint, note.VerifierList(newVerifier(t, r.verifierKey)))
	must(t, err)
	want := fmt.Sprintf("%s\n%d\n%s\n", logOrigin, r.size, base64.StdEncoding.EncodeToString(r.root[:]))
	if opened.Text != want {
		t.Fatalf("the checkpoint says %q, not %q", opened.Text, want)
	}
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 0 {
		t.Fatalf("%d signatures, and %d by other keys", len(opened.Sigs), len(opened.UnverifiedSigs))
	}

	var unverified *note.UnverifiedNoteError
	_, wrongKey, err := note.GenerateKey(rand.Reader, logOrigin)
	must(t, err)
	if _, err := note.Open(r.checkpoint, note.VerifierList(newVerifier(t, wrongKey))); !errors.As(err, &unverified) {
		t.Fatalf("another key of the same name: %v", err)
	}
	var invalid *note.InvalidSignatureError
	changed := bytes.Replace(r.checkpoint, fmt.Appendf(nil, "\n%d\n", r.size), fmt.Appendf(nil, "\n%d\n", r.size+1), 1)
	if _, err := note.Open(changed, note.VerifierList(newVerifier(t, r.verifierKey))); !errors.As(err, &invalid) {
		t.Fatalf("another size: %v", err)
	}

	again, err := note.Sign(&note.Note{Text: opened.Text}, r.signer(t))
	must(t, err)
	if !bytes.Equal(again, r.checkpoint) {
		t.Fatalf("signed again with log.key it is %q, not %q", again, r.checkpoint)
	}
}

// tlogRecords proves entries from the tiles and checks the proofs.
func (r reading) tlogRecords(t *testing.T) {
	tiles := tlog.TileHashReader(tlog.Tree{N: r.size, Hash: r.root}, &tileReader{server: r.server})
	for _, index := range someIndexes(r.size) {
		proof, err := tlog.ProveRecord(r.size, index, tiles)
		must(t, err)
		leaf := tlog.RecordHash(r.entries[index])
		if err := tlog.CheckRecord(proof, r.size, r.root, index, leaf); err != nil {
			t.Fatalf("entry %d: %v", index, err)
		}
		if tlog.CheckRecord(proof, r.size, r.root, index, tlog.RecordHash([]byte("another"))) == nil {
			t.Fatalf("another entry passed as entry %d", index)
		}
	}
}

// tlogTrees proves that earlier trees are beginnings of this one, and checks the proofs.
func (r reading) tlogTrees(t *testing.T) {
	tiles := tlog.TileHashReader(tlog.Tree{N: r.size, Hash: r.root}, &tileReader{server: r.server})
	for _, size := range someSizes(r.size) {
		before, err := tlog.TreeHash(size, r.hashes)
		must(t, err)
		proof, err := tlog.ProveTree(r.size, size, tiles)
		must(t, err)
		if err := tlog.CheckTree(proof, r.size, r.root, size, before); err != nil {
			t.Fatalf("the tree of %d: %v", size, err)
		}
		if tlog.CheckTree(proof, r.size, r.root, size, tlog.RecordHash(before[:])) == nil {
			t.Fatalf("another tree of %d passed", size)
		}
	}
}

// tlogEarlier reads the trees that the log was, each by its own tiles: a client that holds an older checkpoint asks for the
// partial tiles of that size, also when they are full by now.
func (r reading) tlogEarlier(t *testing.T) {
	for _, was := range r.earlier {
		reader := &tileReader{server: r.server}
		tiles := tlog.TileHashReader(tlog.Tree{N: was.size, Hash: was.root}, reader)
		for _, index := range someIndexes(was.size) {
			proof, err := tlog.ProveRecord(was.size, index, tiles)
			must(t, err)
			must(t, tlog.CheckRecord(proof, was.size, was.root, index, tlog.RecordHash(r.entries[index])))
		}
		partial := strings.Contains(strings.Join(reader.read, " "), ".p/")
		if want := was.size > 1; partial != want { // a proof in a tree of one entry is empty
			t.Fatalf("of the tree of %d these tiles were read: %v", was.size, reader.read)
		}
	}
}

// tlogFlippedBit changes one bit of one tile after the other: nothing may be proved with it.
func (r reading) tlogFlippedBit(t *testing.T) {
	tree := tlog.Tree{N: r.size, Hash: r.root}
	for index := int64(0); index < r.size; index += 256 {
		honest := &tileReader{server: r.server}
		_, err := tlog.ProveRecord(r.size, index, tlog.TileHashReader(tree, honest))
		must(t, err)
		if r.size > 1 && len(honest.read) == 0 {
			t.Fatal("no tile was read")
		}
		for _, path := range honest.read {
			for _, last := range []bool{false, true} {
				hostile := &tileReader{server: r.server, change: path, last: last}
				if _, err := tlog.ProveRecord(r.size, index, tlog.TileHashReader(tree, hostile)); err == nil {
					t.Fatalf("entry %d was proved with a bit of %s flipped", index, path)
				}
			}
		}
	}
}

// tlogJSON checks the proofs that the server makes itself.
func (r reading) tlogJSON(t *testing.T) {
	for _, index := range someIndexes(r.size) {
		var inclusion struct {
			LeafHash tlog.Hash   `json:"leaf_hash"`
			Hashes   []tlog.Hash `json:"hashes"`
		}
		r.getJSON(t, fmt.Sprintf("/log/proof/inclusion?index=%d&size=%d", index, r.size), &inclusion)
		if inclusion.LeafHash != tlog.RecordHash(r.entries[index]) {
			t.Fatalf("the leaf hash of entry %d is %v", index, inclusion.LeafHash)
		}
		must(t, tlog.CheckRecord(inclusion.Hashes, r.size, r.root, index, inclusion.LeafHash))
	}
	for _, was := range r.earlier {
		if was.size == 0 {
			continue // tlog has no proofs for the empty tree
		}
		var consistency struct {
			Hashes []tlog.Hash `json:"hashes"`
		}
		query := url.Values{"from": {fmt.Sprint(was.size)}, "to": {fmt.Sprint(r.size)}}
		r.getJSON(t, "/log/proof/consistency?"+query.Encode(), &consistency)
		must(t, tlog.CheckTree(consistency.Hashes, r.size, r.root, was.size, was.root))
	}
}

// tileReader is what tlog wants from a log, over HTTP and without a cache. It never reads a full tile where it was asked
// for a partial one.
type tileReader struct {
	*server
	read   []string // the paths asked for
	change string   // the path of a tile in which a bit flips on its way
	last   bool     // in its last byte
}

func (*tileReader) Height() int { return 8 }

func (*tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := tilePath(tile)
		r.read = append(r.read, path)
		data, err := fetch(r.base + path)
		if err != nil {
			return nil, err
		}
		if path == r.change {
			data = flipped(data, r.last)
		}
		all = append(all, data)
	}
	return all, nil
}

// tilePath is a tile's place under /log. The checksum database has the height in its paths; in C2SP tlog-tiles it is
// always 8 and left out.
func tilePath(tile tlog.Tile) string {
	return "/log/" + strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

// tlogHashes holds the hashes of a tree in tlog's own order.
type tlogHashes []tlog.Hash

func (h tlogHashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		hashes = append(hashes, h[index])
	}
	return hashes, nil
}

// grown is the tree of all entries, of which this is the tree of the first ones.
func (h tlogHashes) grown(t *testing.T, first int, entries [][]byte) tlogHashes {
	t.Helper()
	for index := first; index < len(entries); index++ {
		more, err := tlog.StoredHashes(int64(index), entries[index], h)
		must(t, err)
		h = append(h, more...)
	}
	return h
}

func newVerifier(t *testing.T, key string) note.Verifier {
	t.Helper()
	verifier, err := note.NewVerifier(key)
	must(t, err)
	return verifier
}

// signer is the log's own key, which the server keeps in the form of signed notes.
func (s *server) signer(t *testing.T) note.Signer {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dataDir, "log.key"))
	must(t, err)
	signer, err := note.NewSigner(strings.TrimSpace(string(text)))
	must(t, err)
	return signer
}
