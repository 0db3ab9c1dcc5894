//! The rules of a start: what keeps a copied, restored or foreign data directory from signing.

use super::{Settings, StartError};
use crate::anchor::{Anchor, AnchorFolder};
use crate::api_keys::Scope;
use crate::approvals::key_record;
use crate::contents::{self, Owner, SCHEMA};
use crate::keyspace;
use crate::random;
use crate::store::{Batch, Store, StoreError};
use crate::tree::TreeHead;
use crate::writer::record_to;

/// The locked anchor folder, the stored head, and whether a new log was made.
pub(super) struct Opened {
    pub(super) anchor: AnchorFolder,
    pub(super) head: TreeHead,
    pub(super) first_start: bool,
}

/// Takes the lock and applies the rules; at a first start, makes the anchor and the store's first records.
pub(super) fn open(settings: &Settings) -> Result<Opened, StartError> {
    let store = &*settings.store;
    let first_start = store.get(keyspace::IDENTITY)?.is_none();
    if !first_start && !settings.anchor.is_dir() {
        // Before the folder would be made: its owner is about to bring it back.
        return Err(anchor_missing(contents::head(store)?));
    }
    let mut anchor = AnchorFolder::open(&settings.anchor)?;
    let ours = owner_of(settings)?;
    if first_start {
        begin(settings, &ours, &mut anchor)?;
    }
    let head = check_owner(store, &ours, &anchor)?;
    Ok(Opened { anchor, head, first_start })
}

/// Who this server is. The log key's name is the log origin, and so is what the public URL makes of it.
fn owner_of(settings: &Settings) -> Result<Owner, StartError> {
    let key = settings.key.verifier_key();
    let log_origin = settings.identity.log_origin.clone();
    if key.name() != log_origin {
        return Err(StartError::Refused(format!(
            "the log key is named {}, but the public URL makes the log {log_origin}; start with the public URL that \
                 the log was made with",
            key.name()
        )));
    }
    let public_url = settings.identity.public_url.clone();
    Ok(Owner { schema: SCHEMA, log_origin, public_url, key_id: key.id() })
}

/// The first start: an anchor of the empty tree, then the store.
///
/// In this order, because a store without an anchor is refused for ever, while an anchor of size 0 promises nothing: a
/// crash between the two is finished by the next start.
fn begin(settings: &Settings, ours: &Owner, anchor: &mut AnchorFolder) -> Result<(), StartError> {
    let empty = Anchor { log_origin: ours.log_origin.clone(), key_id: ours.key_id, head: TreeHead::EMPTY };
    match anchor.anchor() {
        None => anchor.replace(empty)?,
        Some(found) if *found == empty => {}
        Some(found) => {
            return Err(StartError::Refused(format!(
                "the data directory is empty, but the anchor says that the log {} has {} entries; bring back its data \
                 directory, or start a new log with another public URL, data directory and anchor",
                found.log_origin, found.head.size
            )));
        }
    }
    let mut batch = Batch::default();
    batch.put(keyspace::IDENTITY.to_vec(), record_to(ours));
    batch.put(keyspace::HEAD.to_vec(), TreeHead::EMPTY.to_bytes());
    let id = random::id(&*settings.random, "key");
    let record = key_record(id.clone(), "admin".to_owned(), vec![Scope::Admin], &settings.admin_key);
    batch.put(keyspace::api_key_hash(&settings.admin_key.hash()), id.clone().into_bytes());
    batch.put(keyspace::api_key(&id), record_to(&record));
    Ok(settings.store.commit(&batch)?)
}

/// The rules between store, anchor, key and public URL. Returns the stored head.
fn check_owner(store: &dyn Store, ours: &Owner, anchor: &AnchorFolder) -> Result<TreeHead, StartError> {
    let refuse = |words: String| Err(StartError::Refused(words));
    let owner = Owner::read(store)?;
    let owner = owner.ok_or_else(|| StoreError("the identity is missing from the store".to_owned()))?;
    owner.require_known_schema()?;
    if owner.public_url != ours.public_url {
        return refuse(format!(
            "this log was made for the public URL {}, not {}; another URL would lose every passkey and fork the log's \
             name, so start with the first one or make a new log",
            owner.public_url, ours.public_url
        ));
    }
    if owner.key_id != ours.key_id || owner.log_origin != ours.log_origin {
        return refuse(format!(
            "the log key has the id {:08x}, the store was made with {:08x}; bring back the log key of this store",
            ours.key_id, owner.key_id
        ));
    }
    let head = contents::head(store)?;
    let Some(anchor) = anchor.anchor() else { return Err(anchor_missing(head)) };
    if anchor.log_origin != ours.log_origin || anchor.key_id != ours.key_id {
        return refuse(format!(
            "the anchor belongs to the log {} with the key id {:08x}, this is {} with {:08x}; give the anchor folder of \
             this log",
            anchor.log_origin, anchor.key_id, ours.log_origin, ours.key_id
        ));
    }
    contents::require_anchored(store, head, anchor.head)?;
    Ok(head)
}

fn anchor_missing(head: TreeHead) -> StartError {
    StartError::Refused(format!(
        "the store has {} entries, but the anchor is missing; bring back the anchor folder of this store, because without \
         it nobody knows whether a newer copy has signed already",
        head.size
    ))
}
