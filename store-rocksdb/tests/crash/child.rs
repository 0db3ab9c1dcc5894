//! The child process: starts a server on a folder, checks it against everything that was ever told of it, and lets
//! callers work on it until it is done, fails, or kills itself.

use std::process;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use log_server::app::App;
use log_server::start::Started;
use log_server::writer::Moment;
use rustix::process::{Signal, getpid, kill_process};

use crate::checks;
use crate::journal::{self, Event, Journal};
use crate::parent::{KillAt, Work};
use crate::server::{Place, log_key};
use crate::told::Told;
use crate::{appends, decisions};

/// The exit status of a child whose server did not start, and of one whose server stopped with an error.
pub(crate) const NOT_STARTED: i32 = 3;
pub(crate) const STOPPED: i32 = 4;

/// What callers and observer share.
#[derive(Clone)]
pub(crate) struct Child {
    place: Place,
    pub(crate) app: Arc<App>,
    pub(crate) journal: Arc<Journal>,
    /// The confirmation that is being decided: until it is published, nobody may see the decision.
    pub(crate) undecided: Arc<Mutex<Option<String>>>,
}

/// Does the work, or dies.
pub(crate) fn run(place: &Place, work: Work, kill_at: Option<KillAt>) {
    let told = Told::new(journal::read(&place.folder), &log_key().verifier_key());
    let journal = Arc::new(Journal::open(&place.folder));
    let cell: Arc<OnceLock<Child>> = Arc::default();
    let started = place.start(observer(cell.clone(), kill_at)).unwrap_or_else(|failure| {
        journal.write(&Event::Fatal(failure.to_string()));
        process::exit(NOT_STARTED);
    });
    let Started { app, writer, .. } = started;
    let child = Child { place: place.clone(), app, journal, undecided: Arc::default() };
    assert!(cell.set(child.clone()).is_ok());

    child.journal.write(&Event::Checkpoint(child.app.log.published().checkpoint.to_string()));
    let checked = checks::compare(&child.app, &told);
    child.journal.write(&Event::Checked(checked));
    checked.require_clean();
    checks::check(place, &child.app, &told);
    child.journal.write(&Event::Ready);

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    match work {
        Work::Append { callers, appends } => runtime.block_on(appends::append(&child, &told, callers, appends)),
        Work::Enrol => runtime.block_on(decisions::enrol(&child)),
        Work::Decide { round } => runtime.block_on(decisions::decide(&child, &told, round)),
    }
    child.app.log.writer.close();
    if let Err(error) = writer.join().unwrap() {
        child.journal.write(&Event::Fatal(error.to_string()));
        process::exit(STOPPED);
    }
    child.journal.write(&Event::Done);
}

/// Writes down every checkpoint at the moment that it is published, and kills the process when it is told to.
fn observer(cell: Arc<OnceLock<Child>>, kill_at: Option<KillAt>) -> log_server::writer::Observer {
    let mut seen = 0;
    Box::new(move |moment| {
        // During a recovery there is no listener, so nobody can see what is published.
        if let Some(child) = cell.get() {
            child.look(moment);
        }
        seen += u32::from(kill_at.is_some_and(|at| at.moment == moment));
        if kill_at.is_some_and(|at| at.moment == moment && at.occurrence == seen) {
            kill_this_process();
        }
    })
}

impl Child {
    fn look(&self, moment: Moment) {
        match moment {
            Moment::Published => {
                let published = self.app.log.published();
                checks::check_anchor(&self.place, published.head.size);
                self.journal.write(&Event::Checkpoint(published.checkpoint.to_string()));
            }
            Moment::Answered => {}
            _ => {
                let undecided = self.undecided.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(id) = undecided {
                    assert_eq!(decisions::status(&self.app, &id), "pending", "told at {moment:?}");
                }
            }
        }
    }
}

fn kill_this_process() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    // The signal ends the other threads a moment later; this one goes no further.
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}
