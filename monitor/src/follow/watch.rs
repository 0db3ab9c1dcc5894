//! Whom and what somebody wants to hear of.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use verifier::encoding::array_from_base64url;
use verifier::entry::CredentialHash;
use verifier::names::{Label, Username};

use crate::rules::{Authoriser, Event};

/// One thing to watch, as it is typed: `all`, `approver=NAME` or `credential=BASE64URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// Every event.
    All,
    /// What concerns this person: enrolments, revocations, decisions, and the use of an approval.
    Approver(Username),
    /// What concerns this key, and every enrolment that it authorised.
    Credential(CredentialHash),
}

/// Why a text is nothing to watch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// Another form.
    #[error("{0:?} is not all, approver=NAME or credential=BASE64URL")]
    Form(String),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] verifier::names::NameError),
    /// Not a credential.
    #[error("a credential is 32 bytes in base64url: {0}")]
    Credential(#[from] verifier::encoding::Error),
}

impl FromStr for Watch {
    type Err = WatchError;

    fn from_str(text: &str) -> Result<Self, WatchError> {
        match text.split_once('=') {
            None if text == "all" => Ok(Self::All),
            Some(("approver", name)) => Ok(Self::Approver(Username::new(name)?)),
            Some(("credential", credential)) => Ok(Self::Credential(array_from_base64url(credential)?)),
            _ => Err(WatchError::Form(text.to_owned())),
        }
    }
}

/// What to watch in one log, in which names stand as labels.
#[derive(Debug, Default)]
pub(super) struct Watched {
    all: bool,
    names: HashMap<Label, Username>,
    credentials: HashSet<CredentialHash>,
}

impl Watched {
    pub(super) fn new(watches: &[Watch], log_origin: &str) -> Self {
        let mut watched = Self::default();
        for watch in watches {
            match watch {
                Watch::All => watched.all = true,
                Watch::Approver(name) => _ = watched.names.insert(name.label(log_origin), name.clone()),
                Watch::Credential(credential) => _ = watched.credentials.insert(*credential),
            }
        }
        watched
    }

    /// Whether to tell of an event. An alarm is told to everybody.
    pub(super) fn covers(&self, event: &Event) -> bool {
        let authoriser = match event {
            Event::Enrolled { authorised: Authoriser::Credential(by), .. } => self.credentials.contains(by),
            _ => false,
        };
        let concerns = |subject: &crate::rules::Subject| {
            self.names.contains_key(&subject.label) || self.credentials.contains(&subject.credential)
        };
        self.all || event.is_alarm() || authoriser || event.subjects().iter().any(concerns)
    }

    /// The name of a label that is watched by its name.
    pub(super) fn name(&self, label: &Label) -> Option<&str> {
        self.names.get(label).map(Username::as_str)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]
    use super::*;

    #[test]
    fn what_can_be_typed() {
        assert_eq!("all".parse(), Ok(Watch::All));
        assert_eq!("approver=alex".parse(), Ok(Watch::Approver(Username::new("alex").unwrap())));
        let credential = format!("credential={}", verifier::encoding::base64url(&[7; 32]));
        assert_eq!(credential.parse(), Ok(Watch::Credential([7; 32])));
        for wrong in ["", "alex", "approver", "approver=Alex", "approver=", "credential=AA", "name=alex", "all=1"] {
            assert!(wrong.parse::<Watch>().is_err(), "{wrong:?}");
        }
    }
}
