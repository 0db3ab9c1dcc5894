//! What every store must do, whatever it is made of: one function a rule, each on an empty store.

use log_server::store::{Batch, Store};

/// A key and its value.
pub(crate) type Pair = (Vec<u8>, Vec<u8>);

/// One rule, checked on an empty store.
type Rule = fn(&dyn Store);

/// All rules, by name.
const RULES: [(&str, Rule); 10] = [
    ("a value comes back as it was put", a_value_comes_back_as_it_was_put),
    ("a key that is not there has no value", a_key_that_is_not_there_has_no_value),
    ("a deleted key is gone", a_deleted_key_is_gone),
    ("a later commit wins", a_later_commit_wins),
    ("a later change in a batch wins", a_later_change_in_a_batch_wins),
    ("an empty batch changes nothing", an_empty_batch_changes_nothing),
    ("a scan is half open and ascending", a_scan_is_half_open_and_ascending),
    ("a scan stops at its limit", a_scan_stops_at_its_limit),
    ("a range that holds nothing gives nothing", a_range_that_holds_nothing_gives_nothing),
    ("keys are any bytes and order as bytes", keys_are_any_bytes_and_order_as_bytes),
];

/// Checks all rules, each on a store from `empty`, which must return one that holds nothing.
pub(crate) fn check<S: Store>(mut empty: impl FnMut() -> S) {
    for (name, rule) in RULES {
        println!("rule: {name}");
        rule(&empty());
    }
}

/// A batch that puts the pairs.
pub(crate) fn puts(pairs: &[(&[u8], &[u8])]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in pairs {
        batch.put(key.to_vec(), value.to_vec());
    }
    batch
}

fn a_value_comes_back_as_it_was_put(store: &dyn Store) {
    let long: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    store.commit(&puts(&[(b"empty", b""), (b"binary", b"\x00\xff\x00"), (b"long", &long)])).unwrap();
    assert_eq!(store.get(b"empty").unwrap(), Some(Vec::new()), "an empty value is a value");
    assert_eq!(store.get(b"binary").unwrap(), Some(b"\x00\xff\x00".to_vec()));
    assert_eq!(store.get(b"long").unwrap(), Some(long));
}

fn a_key_that_is_not_there_has_no_value(store: &dyn Store) {
    assert_eq!(store.get(b"k").unwrap(), None);
    store.commit(&puts(&[(b"key", b"v")])).unwrap();
    for other in [&b"ke"[..], b"key\x00", b"kez", b""] {
        assert_eq!(store.get(other).unwrap(), None, "{other:?}");
    }
}

fn a_deleted_key_is_gone(store: &dyn Store) {
    store.commit(&puts(&[(b"a", b"1"), (b"b", b"2")])).unwrap();
    let mut batch = Batch::default();
    batch.delete(b"a".to_vec());
    batch.delete(b"never there".to_vec());
    store.commit(&batch).unwrap();
    assert_eq!(store.get(b"a").unwrap(), None);
    assert_eq!(all(store), [pair(b"b", b"2")]);
    store.commit(&puts(&[(b"a", b"3")])).unwrap();
    assert_eq!(store.get(b"a").unwrap(), Some(b"3".to_vec()), "a deleted key can be put again");
}

fn a_later_commit_wins(store: &dyn Store) {
    for value in [&b"1"[..], b"22", b"3"] {
        store.commit(&puts(&[(b"k", value)])).unwrap();
        assert_eq!(store.get(b"k").unwrap().as_deref(), Some(value));
    }
    assert_eq!(all(store), [pair(b"k", b"3")]);
}

fn a_later_change_in_a_batch_wins(store: &dyn Store) {
    let mut batch = Batch::default();
    batch.put(b"put last".to_vec(), b"1".to_vec());
    batch.delete(b"put last".to_vec());
    batch.put(b"put last".to_vec(), b"2".to_vec());
    batch.put(b"deleted last".to_vec(), b"1".to_vec());
    batch.delete(b"deleted last".to_vec());
    store.commit(&batch).unwrap();
    assert_eq!(all(store), [pair(b"put last", b"2")]);
}

fn an_empty_batch_changes_nothing(store: &dyn Store) {
    store.commit(&puts(&[(b"k", b"v")])).unwrap();
    store.commit(&Batch::default()).unwrap();
    assert_eq!(all(store), [pair(b"k", b"v")]);
}

fn a_scan_is_half_open_and_ascending(store: &dyn Store) {
    store.commit(&puts(&[(b"d", b"4"), (b"b", b"2"), (b"a", b"1"), (b"c", b"3")])).unwrap();
    let scan = |from: &[u8], to: &[u8]| store.scan(from, to, usize::MAX).unwrap();
    assert_eq!(scan(b"b", b"d"), [pair(b"b", b"2"), pair(b"c", b"3")], "from is in, to is out");
    assert_eq!(scan(b"aa", b"cc"), [pair(b"b", b"2"), pair(b"c", b"3")], "bounds need not be keys");
    assert_eq!(scan(b"", b"b"), [pair(b"a", b"1")], "the empty key is below all others");
    assert_eq!(scan(b"d", b"d\x00"), [pair(b"d", b"4")], "a range of one key");
}

fn a_scan_stops_at_its_limit(store: &dyn Store) {
    store.commit(&puts(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])).unwrap();
    for (limit, expected) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (usize::MAX, 3)] {
        let found = store.scan(b"a", b"z", limit).unwrap();
        assert_eq!(found, all(store)[..expected], "limit {limit}");
    }
}

fn a_range_that_holds_nothing_gives_nothing(store: &dyn Store) {
    assert_eq!(all(store), [], "an empty store");
    store.commit(&puts(&[(b"a", b"1"), (b"c", b"3")])).unwrap();
    for (from, to) in [(&b"aa"[..], &b"c"[..]), (b"a", b"a"), (b"c", b"a"), (b"d", b"z"), (b"a", b""), (b"", b"")] {
        assert_eq!(store.scan(from, to, usize::MAX).unwrap(), [], "from {from:?} to {to:?}");
    }
}

fn keys_are_any_bytes_and_order_as_bytes(store: &dyn Store) {
    let ascending: [&[u8]; 9] =
        [b"", b"\x00", b"\x00\x00", b"\x00\xff", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff"];
    let mut batch = Batch::default();
    for key in ascending.iter().rev() {
        batch.put(key.to_vec(), key.to_vec());
    }
    store.commit(&batch).unwrap();
    assert_eq!(all(store), ascending.map(|key| pair(key, key)));
    for (n, key) in ascending.iter().enumerate() {
        assert_eq!(store.get(key).unwrap().as_deref(), Some(*key));
        assert_eq!(
            store.scan(b"", key, usize::MAX).unwrap(),
            ascending[..n].iter().map(|k| pair(k, k)).collect::<Vec<_>>()
        );
    }
}

/// Everything in the store, as far as the keys used here reach.
pub(crate) fn all(store: &dyn Store) -> Vec<Pair> {
    store.scan(b"", &[0xff; 9], usize::MAX).unwrap()
}

fn pair(key: &[u8], value: &[u8]) -> Pair {
    (key.to_vec(), value.to_vec())
}
