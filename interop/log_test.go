// Package interop reads a log of Countersign with clients that others wrote, each unmodified: the modules of Go's own
// checksum database, and Tessera's client and whole-log check. It holds tests alone; README.md says how to run them.
//
// This file grows one log and has every client read it at every size. What a client checks stands in its own file.
package interop

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// The sizes at which the log is read: nothing, one entry, a tile less one, a full tile, one more, and several tiles with
// two levels and a partial tile on each.
var sizes = []int{0, 1, 255, 256, 257, 1000}

// reading is a log at one size, as the clients get to know it.
type reading struct {
	*server
	entries    [][]byte // all that were appended so far
	checkpoint []byte   // the signed note
	size       int64
	root       tlog.Hash     // from the entries, not from the server
	hashes     tlogHashes    // the same tree, in memory
	earlier    []earlierTree // the trees before
}

// earlierTree is a tree that the log was.
type earlierTree struct {
	checkpoint []byte
	size       int64
	root       tlog.Hash
}

func TestALogThatGrows(t *testing.T) {
	log := startServer(t)
	tracker := newTracker(t, log)
	var entries [][]byte
	var hashes tlogHashes
	var earlier []earlierTree
	for _, size := range sizes {
		had := len(entries)
		entries = log.grow(t, entries, size)
		hashes = hashes.grown(t, had, entries)
		root, err := tlog.TreeHash(int64(size), hashes)
		must(t, err)
		now := earlierTree{checkpoint: log.get(t, "/log/checkpoint"), size: int64(size), root: root}
		r := reading{log, entries, now.checkpoint, now.size, root, hashes, earlier}
		t.Run(fmt.Sprintf("size %d", size), func(t *testing.T) {
			t.Run("note", r.note)
			t.Run("tlog records", r.tlogRecords)
			t.Run("tlog trees", r.tlogTrees)
			t.Run("tlog of earlier sizes", r.tlogEarlier)
			t.Run("tlog finds a flipped bit", r.tlogFlippedBit)
			t.Run("tlog on the proofs as JSON", r.tlogJSON)
			t.Run("tessera entries", r.tesseraEntries)
			t.Run("tessera proofs", r.tesseraProofs)
			t.Run("tessera tracker", func(t *testing.T) { tracker.follow(t, r) })
			t.Run("tessera tracker finds a fork", r.tesseraFork)
			t.Run("tessera fsck", r.tesseraFsck)
			t.Run("tessera fsck finds a flipped bit", r.tesseraFsckFlippedBit)
		})
		earlier = append(earlier, now)
	}
}

// someIndexes are entries of a tree: all of a small one, otherwise those around the edges of tiles and every 37th.
func someIndexes(size int64) []int64 {
	var indexes []int64
	for index := range size {
		edge := index%256 < 2 || index%256 > 253
		if size < 20 || edge || index%37 == 0 || index == size-1 {
			indexes = append(indexes, index)
		}
	}
	return indexes
}

// someSizes are the sizes of trees before a size, and the size itself.
func someSizes(size int64) []int64 {
	var before []int64
	for _, index := range someIndexes(size) {
		before = append(before, index+1)
	}
	return before
}

// flipped is a copy of some bytes with one bit changed: in the middle, or in the last byte.
func flipped(data []byte, last bool) []byte {
	changed := append([]byte(nil), data...)
	place := len(changed) / 2
	if last {
		place = len(changed) - 1
	}
	changed[place] ^= 0x10
	return changed
}
