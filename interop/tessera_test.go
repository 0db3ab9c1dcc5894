// github.com/transparency-dev/tessera: its HTTP fetcher, entry bundles, proof builder, state tracker, and fsck, the check
// of a whole log. Proofs are verified with github.com/transparency-dev/merkle, as Tessera's own clients do.

package interop

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// fsckWorkers is more than a log of 1,000 entries has tiles, so that a worker that fails never leaves fsck waiting.
const fsckWorkers = 8

// tesseraEntries reads the entries, one bundle after the other and as a stream.
func (r reading) tesseraEntries(t *testing.T) {
	source := newFetcher(t, r.server)
	var read [][]byte
	for index := uint64(0); index*layout.EntryBundleWidth < uint64(r.size); index++ {
		bundle, err := client.GetEntryBundle(t.Context(), source.ReadEntryBundle, index, uint64(r.size))
		must(t, err)
		read = append(read, bundle.Entries...)
	}
	if !slices.EqualFunc(read, r.entries, bytes.Equal) {
		t.Fatalf("the bundles hold %d entries that are not the %d appended", len(read), len(r.entries))
	}

	size := func(context.Context) (uint64, error) { return uint64(r.size), nil }
	bundles := client.EntryBundles(t.Context(), 2, size, source.ReadEntryBundle, 0, uint64(r.size))
	next := 0
	for streamed, err := range client.Entries(bundles, entriesOf) {
		must(t, err)
		if streamed.Index != uint64(next) || !bytes.Equal(streamed.Entry, r.entries[next]) {
			t.Fatalf("entry %d of the stream is not what was appended", next)
		}
		next++
	}
	if next != len(r.entries) {
		t.Fatalf("the stream has %d entries of %d", next, len(r.entries))
	}
}

// tesseraProofs builds proofs from tiles and verifies them, in this tree and in all that the log was before.
func (r reading) tesseraProofs(t *testing.T) {
	trees := append(slices.Clone(r.earlier), earlierTree{size: r.size, root: r.root})
	for at, tree := range trees {
		size := uint64(tree.size)
		builder, err := client.NewProofBuilder(t.Context(), size, newFetcher(t, r.server).ReadTile)
		must(t, err)
		for _, index := range someIndexes(tree.size) {
			path, err := builder.InclusionProof(t.Context(), uint64(index))
			must(t, err)
			leaf := rfc6962.DefaultHasher.HashLeaf(r.entries[index])
			must(t, proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), size, leaf, path, tree.root[:]))
			leaf[0] ^= 1
			if proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), size, leaf, path, tree.root[:]) == nil {
				t.Fatalf("another entry passed as entry %d of %d", index, size)
			}
		}
		for _, before := range trees[:at] {
			path, err := builder.ConsistencyProof(t.Context(), uint64(before.size), size)
			must(t, err)
			must(t, proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(before.size), size, path, before.root[:], tree.root[:]))
		}
	}
}

// tracker is Tessera's state tracker, which follows the log through all its sizes.
type tracker struct {
	*client.LogStateTracker
}

func newTracker(t *testing.T, log *server) tracker {
	t.Helper()
	source := newFetcher(t, log)
	state, err := client.NewLogStateTracker(t.Context(), source.ReadTile, nil, newVerifier(t, log.verifierKey), logOrigin,
		client.UnilateralConsensus(source.ReadCheckpoint))
	must(t, err)
	return tracker{state}
}

// follow takes the tracker from the size that it saw last to this one.
func (f tracker) follow(t *testing.T, r reading) {
	was := f.Latest()
	_, path, raw, err := f.Update(t.Context())
	must(t, err)
	if !bytes.Equal(raw, r.checkpoint) || f.Latest().Size != uint64(r.size) {
		t.Fatalf("the tracker is at %q", raw)
	}
	if grew := was.Size > 0; grew != (r.size > 1) {
		t.Fatalf("the tracker came from %d to %d with a proof of %d hashes", was.Size, r.size, len(path))
	}
}

// tesseraFork shows a tracker a checkpoint that the log's own key signed and that does not continue the tree.
func (r reading) tesseraFork(t *testing.T) {
	for _, was := range r.earlier {
		if was.size == 0 {
			continue // every tree continues the empty one
		}
		other := tlog.RecordHash(r.root[:])
		text := fmt.Sprintf("%s\n%d\n%s\n", logOrigin, r.size, base64.StdEncoding.EncodeToString(other[:]))
		fork, err := note.Sign(&note.Note{Text: text}, r.signer(t))
		must(t, err)
		source := newFetcher(t, r.server)
		forked := func(context.Context) ([]byte, error) { return fork, nil }
		state, err := client.NewLogStateTracker(t.Context(), source.ReadTile, was.checkpoint,
			newVerifier(t, r.verifierKey), logOrigin, client.UnilateralConsensus(forked))
		must(t, err)
		var inconsistent client.ErrInconsistency
		if _, _, _, err := state.Update(t.Context()); !errors.As(err, &inconsistent) {
			t.Fatalf("a fork after %d: %v", was.size, err)
		}
	}
}

// tesseraFsck rebuilds the log from its entries and compares every tile and the root.
func (r reading) tesseraFsck(t *testing.T) {
	source := &hostileFetcher{HTTPFetcher: newFetcher(t, r.server)}
	must(t, r.fsck(t, source))
	if len(source.read) < int(r.size+255)/256*2 {
		t.Fatalf("fsck read only %v", source.read)
	}
}

// tesseraFsckFlippedBit flips a bit in one tile or bundle after the other, each of which fsck must find.
func (r reading) tesseraFsckFlippedBit(t *testing.T) {
	honest := &hostileFetcher{HTTPFetcher: newFetcher(t, r.server)}
	must(t, r.fsck(t, honest))
	for _, path := range honest.read {
		hostile := &hostileFetcher{HTTPFetcher: newFetcher(t, r.server), change: path}
		if r.fsck(t, hostile) == nil {
			t.Fatalf("fsck accepts a log with a bit of %s flipped", path)
		}
	}
}

func (r reading) fsck(t *testing.T, source fsck.Fetcher) error {
	t.Helper()
	check := fsck.New(logOrigin, newVerifier(t, r.verifierKey), source, leafHashesOf, fsck.Opts{N: fsckWorkers})
	return check.Check(t.Context())
}

func newFetcher(t *testing.T, log *server) *client.HTTPFetcher {
	t.Helper()
	fetcher, err := client.NewHTTPFetcher(log.logURL(t), nil)
	must(t, err)
	return fetcher
}

// hostileFetcher is Tessera's own, except that a bit of one resource flips on its way.
type hostileFetcher struct {
	*client.HTTPFetcher
	change string
	lock   sync.Mutex
	read   []string // the tiles and bundles asked for
}

func (f *hostileFetcher) ReadTile(ctx context.Context, level, index uint64, partial uint8) ([]byte, error) {
	data, err := f.HTTPFetcher.ReadTile(ctx, level, index, partial)
	return f.pass(layout.TilePath(level, index, partial), data, err)
}

func (f *hostileFetcher) ReadEntryBundle(ctx context.Context, index uint64, partial uint8) ([]byte, error) {
	data, err := f.HTTPFetcher.ReadEntryBundle(ctx, index, partial)
	return f.pass(layout.EntriesPath(index, partial), data, err)
}

func (f *hostileFetcher) pass(path string, data []byte, err error) ([]byte, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.read = append(f.read, path)
	if err != nil || path != f.change {
		return data, err
	}
	// The last byte of a bundle belongs to an entry and not to a length, which fsck relies on.
	return flipped(data, strings.Contains(path, "entries")), nil
}

// leafHashesOf hashes the entries of a bundle as RFC 6962 says, with no rule of our own.
func leafHashesOf(bundle []byte) ([][]byte, error) {
	entries, err := entriesOf(bundle)
	if err != nil {
		return nil, err
	}
	var hashes [][]byte
	for _, entry := range entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// entriesOf takes a bundle apart.
func entriesOf(bundle []byte) ([][]byte, error) {
	var parsed api.EntryBundle
	if err := parsed.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	return parsed.Entries, nil
}
