//! What callers of a server were told, in a file that outlives it: a line for each try, answer and checkpoint.
//!
//! ```text
//! ready .
//! try <entry> <entry> .
//! answer 17=<entry> 18=<entry> .
//! ```
//!
//! Each line is one write, so what a caller knew when the process was killed is in the file. A line without the dot at
//! its end was cut by the kill and was not told to anybody.

use std::fs::{File, OpenOptions};
use std::io::{IoSlice, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use verifier::encoding::{base64url, from_base64url};

use crate::told::Checked;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A server was started, checked, and takes work.
    Ready,
    /// Somebody asks for these entries.
    Try(Vec<Vec<u8>>),
    /// Somebody was told that these entries are at these indexes.
    Answer(Vec<(u64, Vec<u8>)>),
    /// This checkpoint was published.
    Checkpoint(String),
    /// A confirmation with this id and core was made for this round.
    Asked { round: u32, id: String, core: String },
    /// How a confirmation stood when the server came up.
    Found { id: String, status: String },
    /// The approver was told that the decision on this confirmation is in the log.
    Decided { id: String, index: u64 },
    /// The requester was told that the approval is used.
    Consumed { id: String, index: u64 },
    /// A server that came up was compared with everything that was told before.
    Checked(Checked),
    /// The server ended because of an error.
    Fatal(String),
    /// The work was done and the server ended.
    Done,
}

/// The file, open for writing.
pub(crate) struct Journal(Mutex<File>);

impl Journal {
    pub(crate) fn open(folder: &Path) -> Self {
        let journal = Self(Mutex::new(OpenOptions::new().create(true).append(true).open(path(folder)).unwrap()));
        // Ends a line that the last kill may have cut.
        journal.append("\n");
        journal
    }

    pub(crate) fn write(&self, event: &Event) {
        self.append(&format!("{} .\n", event.to_line()));
    }

    fn append(&self, line: &str) {
        // As a vector, so that a system call that the tests of single calls let fail is never this one.
        let written = self.0.lock().unwrap().write_vectored(&[IoSlice::new(line.as_bytes())]).unwrap();
        assert_eq!(written, line.len(), "the journal was cut");
    }
}

/// Everything that was told so far.
pub(crate) fn read(folder: &Path) -> Vec<Event> {
    let text = std::fs::read_to_string(path(folder)).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_suffix(" .")).map(Event::from_line).collect()
}

fn path(folder: &Path) -> PathBuf {
    folder.join("journal")
}

impl Event {
    fn to_line(&self) -> String {
        let blobs = |blobs: &[Vec<u8>]| blobs.iter().map(|blob| base64url(blob)).collect::<Vec<_>>().join(" ");
        match self {
            Self::Ready => "ready".to_owned(),
            Self::Try(entries) => format!("try {}", blobs(entries)),
            Self::Answer(places) => {
                let places = places.iter().map(|(index, entry)| format!("{index}={}", base64url(entry)));
                format!("answer {}", places.collect::<Vec<_>>().join(" "))
            }
            Self::Checkpoint(text) => format!("checkpoint {}", base64url(text.as_bytes())),
            Self::Asked { round, id, core } => format!("asked {round} {id} {}", base64url(core.as_bytes())),
            Self::Found { id, status } => format!("found {id} {status}"),
            Self::Decided { id, index } => format!("decided {id} {index}"),
            Self::Consumed { id, index } => format!("consumed {id} {index}"),
            Self::Checked(Checked { answers, lost, checkpoints, inconsistent }) => {
                format!("checked {answers} {lost} {checkpoints} {inconsistent}")
            }
            Self::Fatal(why) => format!("fatal {}", why.replace('\n', " ")),
            Self::Done => "done".to_owned(),
        }
    }

    fn from_line(line: &str) -> Self {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words: Vec<&str> = rest.split(' ').collect();
        match (kind, &words[..]) {
            ("ready", _) => Self::Ready,
            ("try", entries) => Self::Try(entries.iter().map(|entry| from_base64url(entry).unwrap()).collect()),
            ("answer", places) => Self::Answer(places.iter().map(|place| place_from(place)).collect()),
            ("checkpoint", [text]) => Self::Checkpoint(text_from(text)),
            ("asked", [round, id, core]) => {
                Self::Asked { round: round.parse().unwrap(), id: (*id).to_owned(), core: text_from(core) }
            }
            ("found", [id, status]) => Self::Found { id: (*id).to_owned(), status: (*status).to_owned() },
            ("decided", [id, index]) => Self::Decided { id: (*id).to_owned(), index: index.parse().unwrap() },
            ("consumed", [id, index]) => Self::Consumed { id: (*id).to_owned(), index: index.parse().unwrap() },
            ("checked", [answers, lost, checkpoints, inconsistent]) => Self::Checked(Checked {
                answers: answers.parse().unwrap(),
                lost: lost.parse().unwrap(),
                checkpoints: checkpoints.parse().unwrap(),
                inconsistent: inconsistent.parse().unwrap(),
            }),
            ("fatal", _) => Self::Fatal(rest.to_owned()),
            ("done", _) => Self::Done,
            _ => panic!("a line of the journal that nobody writes: {line}"),
        }
    }
}

fn place_from(text: &str) -> (u64, Vec<u8>) {
    let (index, entry) = text.split_once('=').unwrap();
    (index.parse().unwrap(), from_base64url(entry).unwrap())
}

fn text_from(encoded: &str) -> String {
    String::from_utf8(from_base64url(encoded).unwrap()).unwrap()
}
