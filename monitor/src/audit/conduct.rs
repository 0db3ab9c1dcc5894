//! The thread in the middle: hands out the work, and puts what comes back into the order of the log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use merkle::{CompactRange, Tile, TreeSize};
use verifier::names::Label;

use super::bundle::Bundle;
use super::finding::{Finding, Findings, What};
use super::pool::{Done, Task, work};
use super::report::{Kinds, Report, Stop};
use super::tree::Tree;
use super::{Audit, Progress};
use crate::reader::bundles;
use crate::rules::{Applied, Fact, Happened, Prepared, SignatureJob, State};

/// Signatures that one thread verifies in one go: few enough that a single bundle keeps several threads busy.
const SIGNATURES: usize = 32;
/// Resources that cannot be read before nothing further is asked for.
const MAX_UNREADABLE: usize = 1_000;

/// Runs an audit on threads that end with it.
pub(super) fn conduct(audit: &Audit<'_>, progress: &mut dyn FnMut(Progress)) -> Report {
    let (tasks, to_do) = channel();
    let (done, results) = channel();
    let (to_do, stop) = (Mutex::new(to_do), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..audit.options.threads.get() {
            let (to_do, stop, done) = (&to_do, &stop, done.clone());
            scope.spawn(move || work(audit, to_do, &done, stop));
        }
        drop(done);
        let mut course = Course::new(audit, tasks);
        let mut unasked = bundles(TreeSize::ZERO, audit.head.size);
        loop {
            while course.has_room()
                && let Some(tile) = unasked.next()
            {
                course.ask(Task::Bundle(tile));
            }
            if course.under_way == 0 {
                break;
            }
            let Ok(result) = results.recv() else { break };
            if matches!(result, Done::Died) {
                // Dropping the course ends the other threads, and the scope passes the panic on.
                break;
            }
            course.under_way -= 1;
            course.take(result, progress);
            stop.store(course.stopped.is_some(), Ordering::Relaxed);
        }
        course.finish()
    })
}

/// Where an audit is.
struct Course<'a> {
    audit: &'a Audit<'a>,
    tasks: Sender<Task>,
    /// Tasks that were handed out and did not come back.
    under_way: usize,
    /// Bundles that were handed out and not taken into the log's order yet.
    bundles: usize,
    /// Those that came back before their turn.
    waiting: BTreeMap<u64, Bundle>,
    /// The index of the bundle whose turn it is.
    next: u64,
    /// None after entries that could not be read.
    state: Option<State>,
    rules: TreeSize,
    /// The trees by entries and by the tiles of level 0; none if neither could be read somewhere.
    trees: Option<(Tree, Tree)>,
    findings: Findings,
    unreadable: usize,
    stopped: Option<Stop>,
    kinds: Kinds,
    approvers: HashSet<Label>,
    entries: u64,
    signatures: u64,
    tiles: u64,
    bytes: u64,
}

impl<'a> Course<'a> {
    fn new(audit: &'a Audit<'a>, tasks: Sender<Task>) -> Self {
        let mut course = Self {
            audit,
            tasks,
            under_way: 0,
            bundles: 0,
            waiting: BTreeMap::new(),
            next: 0,
            state: Some(State::new(audit.pins.clone())),
            rules: TreeSize::ZERO,
            trees: Some(Default::default()),
            findings: Findings::new(audit.options.max_findings),
            unreadable: 0,
            stopped: None,
            kinds: Kinds::default(),
            approvers: HashSet::new(),
            entries: 0,
            signatures: 0,
            tiles: 0,
            bytes: 0,
        };
        course.end_of_tree();
        course
    }

    /// Whether another bundle may be asked for. Other tasks come out of bundles, so their number is bounded by waiting too.
    fn has_room(&self) -> bool {
        let limit = self.audit.options.in_flight.get();
        self.stopped.is_none() && self.bundles < limit && self.under_way < 2 * limit
    }

    fn ask(&mut self, task: Task) {
        self.bundles += usize::from(matches!(task, Task::Bundle(_)));
        // The receiver lives as long as the threads' scope, so this cannot fail while a result is still awaited.
        self.under_way += usize::from(self.tasks.send(task).is_ok());
    }

    fn take(&mut self, result: Done, progress: &mut dyn FnMut(Progress)) {
        match result {
            Done::Bundle(bundle) => {
                _ = self.waiting.insert(bundle.tile.index, bundle);
                while let Some(bundle) = self.waiting.remove(&self.next) {
                    self.next += 1;
                    self.bundles -= 1;
                    self.take_bundle(bundle);
                    progress(Progress { entries: self.entries, bytes: self.bytes });
                }
            }
            Done::Compared { finding, bytes } => {
                self.bytes += bytes;
                self.tiles += u64::from(bytes > 0);
                self.find_all(finding);
            }
            Done::Signatures { findings, count } => {
                self.signatures += count;
                self.find_all(findings);
            }
            Done::Unavailable(error) => _ = self.stopped.get_or_insert(Stop::Unavailable(error)),
            Done::Skipped | Done::Died => {}
        }
    }

    fn find_all(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.unreadable += usize::from(matches!(finding.what, What::Unreadable { .. } | What::Bundle { .. }));
            self.findings.add(finding);
        }
        if self.unreadable >= MAX_UNREADABLE {
            self.stopped.get_or_insert(Stop::TooManyUnreadable(MAX_UNREADABLE));
        }
    }

    fn take_bundle(&mut self, bundle: Bundle) {
        let Bundle { tile, entries, by_entries, by_tile, findings, bytes, unavailable } = bundle;
        self.bytes += bytes;
        self.tiles += u64::from(by_tile.is_some());
        self.find_all(findings);
        if let Some(error) = unavailable {
            self.stopped.get_or_insert(Stop::Unavailable(error));
            return;
        }
        self.entries += u64::from(tile.width);
        match entries {
            Some(entries) => self.apply(entries),
            None => self.state = None,
        }
        self.grow(by_entries.as_ref().or(by_tile.as_ref()), by_tile.as_ref().or(by_entries.as_ref()));
        self.end_of_tree();
    }

    /// The rules, entry by entry.
    fn apply(&mut self, entries: Vec<Prepared>) {
        let Some(mut state) = self.state.take() else { return };
        let mut jobs = Vec::new();
        for entry in entries {
            let applied = state.apply(entry);
            self.count(&applied);
            self.find_all(applied.findings.into_iter().map(Finding::from));
            jobs.extend(applied.signature);
        }
        self.rules = state.size();
        self.state = Some(state);
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(SIGNATURES));
            self.ask(Task::Signatures(std::mem::replace(&mut jobs, rest)));
        }
    }

    fn count(&mut self, applied: &Applied) {
        let kinds = &mut self.kinds;
        let kind = match &applied.fact {
            Some(Fact { happened: Happened::Enrolled { label, .. }, .. }) => {
                self.approvers.insert(*label);
                &mut kinds.credentials
            }
            Some(Fact { happened: Happened::Revoked(_), .. }) => &mut kinds.revocations,
            // Nothing counts of a decision whose signed part cannot be read.
            Some(Fact { happened: Happened::Decided { .. } | Happened::Nothing, .. }) => &mut kinds.decisions,
            Some(Fact { happened: Happened::Consumed(_), .. }) => &mut kinds.consumptions,
            None if applied.findings.is_empty() => &mut kinds.raw,
            None => &mut kinds.malformed,
        };
        *kind += 1;
    }

    /// The tree, bundle by bundle.
    fn grow(&mut self, by_entries: Option<&CompactRange>, by_tile: Option<&CompactRange>) {
        let (Some(by_entries), Some(by_tile)) = (by_entries, by_tile) else {
            self.trees = None;
            return;
        };
        let Some((entries, tiles)) = &mut self.trees else { return };
        let full = entries.add(by_entries).into_iter().zip(tiles.add(by_tile));
        for (expected, below) in full.collect::<Vec<_>>() {
            self.ask(Task::Compare(expected, below.hashes));
        }
    }

    /// After the last bundle: the partial tiles, and the root.
    fn end_of_tree(&mut self) {
        let size = self.audit.head.size.get();
        if self.next != size.div_ceil(u64::from(Tile::WIDTH)) || self.stopped.is_some() {
            return;
        }
        let Some((entries, tiles)) = &mut self.trees else { return };
        let last: Vec<_> = entries.last_tiles().into_iter().zip(tiles.last_tiles()).collect();
        for (expected, below) in last {
            self.ask(Task::Compare(expected, below.hashes));
        }
    }

    fn finish(mut self) -> Report {
        let Audit { head, pins, .. } = self.audit;
        let complete = self.stopped.is_none() && self.entries == head.size.get();
        let roots = self.trees.take().filter(|_| complete).map(|(entries, tiles)| (entries.root(), tiles.root()));
        if let Some((computed, by_tiles)) = roots.filter(|(computed, _)| *computed != head.root) {
            let what = What::Root { size: head.size, computed, claimed: head.root, tiles_agree: by_tiles == head.root };
            self.findings.add(Finding { index: head.size.get(), what });
        }
        let tree_findings = self.findings.of_tree();
        let (findings, more_findings) = self.findings.finish();
        Report {
            log_origin: pins.log_origin().to_owned(),
            head: *head,
            findings,
            more_findings,
            tree_findings,
            stopped: self.stopped,
            root: roots.map(|(computed, _)| computed),
            rules: self.rules,
            kinds: self.kinds,
            approvers: self.approvers.len() as u64,
            signatures: self.signatures,
            tiles: self.tiles,
            bytes: self.bytes,
        }
    }
}

/// What is handed from here to other threads.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<SignatureJob>();
    is_send::<Bundle>();
};
