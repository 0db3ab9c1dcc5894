//! How RocksDB is set up: first so that what was acknowledged survives, then so that an idle server stays small.
//!
//! Speed comes last: a commit waits for the disk whatever is set here, but a look-up of what is not there need not.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, LogLevel, Options, ReadOptions,
    WriteOptions,
};

/// Blocks kept in memory, with the indexes and filters of all tables. Every append looks its leaf hash up, anywhere among
/// all of them: this holds the filters of some ten million.
const BLOCK_CACHE: usize = 32 << 20;

/// One write buffer; each family has two at least, so that one fills while the other is written out.
const WRITE_BUFFER: usize = 8 << 20;

/// What is appended fills its buffer in a fraction of a second when the log is busy, while writing one out waits for the disk:
/// with two of them, commits would wait with it.
const WRITE_BUFFERS_OF_APPENDED: i32 = 4;

/// Entries are mostly read in bundles of 256, so in larger blocks than the 4 KiB of all else.
const BLOCK_OF_APPENDED: usize = 16 << 10;

/// How much of the write-ahead log a start may have to read. The family that fills slowly is written out for this.
const WRITE_AHEAD_LOG: u64 = 32 << 20;

/// The filter over a write buffer, as a part of it.
const FILTER_OF_BUFFER: f64 = 0.02;

/// About one false positive in a hundred for a key that is not there.
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// RocksDB's info log, a file named LOG: how big it grows, and how many old ones stay.
const INFO_LOG_BYTES: usize = 1 << 20;
const INFO_LOGS: usize = 3;

/// The settings of the database.
pub(crate) fn database(create_if_missing: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create_if_missing);
    // A first start may have been killed before it made the second family.
    options.create_missing_column_families(true);
    keep_what_was_acknowledged(&mut options);
    stay_small(&mut options);
    options
}

/// The settings of the column families: everything but entries, then entries. They share one block cache.
pub(crate) fn families() -> [Options; 2] {
    let cache = Cache::new_lru_cache(BLOCK_CACHE);
    let (mut records, mut appended) = (tables(&cache), tables(&cache));
    // The indexes and filters of the newest tables stay: every append looks its leaf hash up, and mostly in vain, so in all
    // of these. Not so for entries: compaction moves their tables as they are, open as they were when they were the newest,
    // and what is pinned in one of them is never let go, and would grow with the log.
    records.set_pin_l0_filter_and_index_blocks_in_cache(true);
    appended.set_block_size(BLOCK_OF_APPENDED);
    [family(2, &records), family(WRITE_BUFFERS_OF_APPENDED, &appended)]
}

fn family(write_buffers: i32, tables: &BlockBasedOptions) -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(WRITE_BUFFER);
    options.set_max_write_buffer_number(write_buffers);
    // A filter over each write buffer too, for the leaf hashes that are looked up and not there.
    options.set_memtable_whole_key_filtering(true);
    options.set_memtable_prefix_bloom_ratio(FILTER_OF_BUFFER);
    // Entries hold hashes and signatures, which do not shrink, and without compression there is less C++ to build.
    options.set_compression_type(DBCompressionType::None);
    options.set_block_based_table_factory(tables);
    options
}

/// Reads that check every block against its checksum.
pub(crate) fn reads() -> ReadOptions {
    let mut reads = ReadOptions::default();
    reads.set_verify_checksums(true);
    reads
}

/// Writes that are on the disk when they return.
pub(crate) fn writes() -> WriteOptions {
    let mut writes = WriteOptions::default();
    writes.set_sync(true);
    writes.disable_wal(false);
    writes
}

fn keep_what_was_acknowledged(options: &mut Options) {
    // RocksDB's default silently drops everything after a bad record in the middle of the write-ahead log, acknowledged
    // or not. This mode forgives a torn tail only, which an ordinary kill can leave, and refuses to open otherwise.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_manual_wal_flush(false);
    // Notices a closed write-ahead log that is missing or short; the live one is not covered.
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_paranoid_checks(true);
    // Without a limit RocksDB opens every table at the start, so a missing or cut one shows then and not in a year.
    options.set_max_open_files(-1);
}

fn stay_small(options: &mut Options) {
    options.set_max_total_wal_size(WRITE_AHEAD_LOG);
    // One thread writes out, one compacts, one opens tables.
    options.set_max_background_jobs(2);
    options.set_max_file_opening_threads(1);
    options.set_log_level(LogLevel::Warn);
    options.set_max_log_file_size(INFO_LOG_BYTES);
    options.set_keep_log_file_num(INFO_LOGS);
    // Nobody reads the periodic statistics, and collecting them wakes an idle process.
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
}

fn tables(cache: &Cache) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(cache);
    tables.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
    // All tables are open all the time. Their indexes and filters, which grow with the log, would stay in memory; cut
    // into parts that live in the cache, they cannot outgrow it.
    tables.set_cache_index_and_filter_blocks(true);
    tables.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    tables.set_partition_filters(true);
    tables.set_pin_top_level_index_and_filter(true);
    tables
}
