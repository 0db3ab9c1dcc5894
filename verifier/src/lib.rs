//! The formats of a Countersign log and the offline verification of its receipts.
//!
//! A receipt says that named people approved or rejected one exact action. [`verify::verify`] checks it against a
//! [`trust::Trust`] file that the caller pins, without network, clock or state, and reports twelve steps in a fixed order:
//! from the receipt's bytes over the signed tree head, the signed document and the approver's WebAuthn signature to the
//! inclusion in the log and what the caller expected.
//!
//! The modules from the bottom up: [`encoding`], [`json`], [`time`], [`names`]; what is logged and signed: [`note`],
//! [`checkpoint`], [`bundle`], [`document`], [`entry`], [`receipt`], [`trust`]; the approver's signature: [`webauthn`];
//! and [`verify`] above them all. Parsers take bytes from outside: they never panic and accept one form of each thing.

pub mod bundle;
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
pub mod document;
pub mod encoding;
pub mod entry;
mod fields;
pub mod json;
pub mod names;
pub mod note;
pub mod receipt;
pub mod time;
pub mod trust;
pub mod verify;
pub mod webauthn;
pub mod words;

pub use fields::FieldError;
