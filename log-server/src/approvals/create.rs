//! Asking for a confirmation.

use std::collections::BTreeSet;

use api::{CreateConfirmation, Created, Status};
use sha2::{Digest as _, Sha256};
use verifier::document::{Core, MAX_APPROVERS, WINDOW, parse_payload};
use verifier::encoding::base64url;
use verifier::json::{Object, Value};
use verifier::names::{self, Username};
use verifier::time::Timestamp;

use super::cool_down::Rows;
use super::notify::Notify;
use super::records::{ApproverRecord, ApproverSlot, ConfirmationRecord, IdempotencyRecord, RawJson};
use super::{Approvals, notify, pending, seconds, shown, username, webhooks};
use crate::api_keys::KeyRecord;
use crate::keyspace;
use crate::limits::Limits;
use crate::notifications::Couriers;
use crate::problem::Problem;
use crate::random::{self, bytes32};
use crate::store::StoreError;
use crate::writer::{Command, Failed, Transaction};

/// How long an idempotency key is remembered at least, in seconds.
const IDEMPOTENCY: u64 = 72 * 3600;
/// Seconds for a decision, and for using an approval, if the request does not say.
const DEFAULT_WINDOW: (u64, u64) = (300, 3600);

/// The `Idempotency-Key` of a request, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey([u8; 32]);

impl IdempotencyKey {
    /// Takes a key of 1 to 255 visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, Problem> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Sha256::digest(text).into()))
        } else {
            Err(Problem::Malformed("Idempotency-Key must be 1 to 255 visible ASCII characters".to_owned()))
        }
    }

    pub(super) fn text(self) -> String {
        base64url(&self.0)
    }
}

/// A checked request, and everything that is random about it. Only the times are missing.
struct Create {
    key: KeyRecord,
    idempotency: Option<IdempotencyKey>,
    request_hash: [u8; 32],
    /// A core whose times are the writer's to set.
    draft: Core,
    salts: Vec<[u8; 32]>,
    expires_in: u64,
    use_within: u64,
    metadata: Option<RawJson>,
    public_url: String,
    weight: usize,
    notify: Notify,
    couriers: Couriers,
    /// Where rejections by its approvers are counted.
    rows: Rows,
    limits: Limits,
}

impl Approvals {
    /// Creates a confirmation, or finds the one that the same request made before, if `admit` agrees to ask these approvers.
    ///
    /// `admit` is called once the request is found to be good and allowed: whoever may not ask somebody cannot use up how
    /// often they may be asked.
    pub async fn create(
        &self,
        key: &KeyRecord,
        idempotency: Option<IdempotencyKey>,
        request: CreateConfirmation,
        admit: impl FnOnce(&[Username]) -> Result<(), Problem>,
    ) -> Result<Created, Problem> {
        let command = self.check_request(key, idempotency, request)?;
        admit(&command.draft.approvers)?;
        self.submit_by(&key.id, command).await
    }

    fn check_request(
        &self,
        key: &KeyRecord,
        idempotency: Option<IdempotencyKey>,
        request: CreateConfirmation,
    ) -> Result<Create, Problem> {
        shown("action", &request.action, names::check_action)?;
        let notify = Notify::read(request.notify.as_deref(), &self.couriers)?;
        let notify_word = request.notify.filter(|_| !notify.is_none());
        let weight = 4096 + request.payload.get().len() + request.metadata.as_ref().map_or(0, |m| m.get().len());
        let payload = parse_payload(request.payload.get().as_bytes()).map_err(|error| Problem::Invalid {
            field: format!("/payload{}", error.path),
            reason: error.kind.to_string(),
        })?;
        let metadata = request.metadata.map(RawJson::new).transpose();
        let metadata = metadata.map_err(|error| Problem::Invalid {
            field: format!("/metadata{}", error.path),
            reason: error.kind.to_string(),
        })?;
        let (approvers, quorum) = approvers(request.username, request.approvers, request.quorum)?;
        check_separation(key, &approvers)?;
        let expires_in = seconds("expiresIn", request.expires_in, WINDOW, DEFAULT_WINDOW.0)?;
        let use_within = seconds("useWithin", request.use_within, WINDOW, DEFAULT_WINDOW.1)?;
        let reveal = request.reveal.unwrap_or(false);
        let Ok(id) = random::id(&*self.random, "cnf").parse() else {
            unreachable!("our ids are of the form that we accept")
        };
        let epoch = Timestamp::from_unix(0);
        let draft = Core {
            action: request.action,
            approvers,
            expires_at: epoch,
            id,
            issued_at: epoch,
            log: self.identity.log_origin.clone(),
            nonce: bytes32(&*self.random),
            payload,
            quorum,
            requester: key.name.clone(),
            reveal,
            use_by: epoch,
        };
        Ok(Create {
            key: key.clone(),
            idempotency,
            request_hash: request_hash(&draft, expires_in, use_within, metadata.as_ref(), notify_word.as_deref()),
            salts: draft.approvers.iter().map(|_| bytes32(&*self.random)).collect(),
            rows: Rows::of(&draft),
            limits: self.limits,
            draft,
            expires_in,
            use_within,
            metadata,
            notify,
            couriers: self.couriers.clone(),
            public_url: self.identity.public_url.clone(),
            weight,
        })
    }
}

/// Who is asked, ascending, and how many must approve.
fn approvers(
    one: Option<String>,
    several: Option<Vec<String>>,
    quorum: Option<u32>,
) -> Result<(Vec<Username>, u32), Problem> {
    let (field, names) = match (one, several) {
        (Some(name), None) => ("username", vec![name]),
        (None, Some(names)) => ("approvers", names),
        _ => return Err(Problem::invalid("username", "give either username or approvers")),
    };
    if !(1..=MAX_APPROVERS).contains(&names.len()) {
        return Err(Problem::invalid(field, format!("{} names, 1 to {MAX_APPROVERS} are allowed", names.len())));
    }
    let set = names.iter().map(|name| username(field, name)).collect::<Result<BTreeSet<_>, _>>()?;
    if set.len() < names.len() {
        return Err(Problem::invalid(field, "a name stands twice"));
    }
    let quorum = quorum.unwrap_or(1);
    if quorum == 0 || quorum as usize > set.len() {
        return Err(Problem::invalid("quorum", format!("{quorum}, 1 to {} are allowed", set.len())));
    }
    Ok((set.into_iter().collect(), quorum))
}

fn check_separation(key: &KeyRecord, approvers: &[Username]) -> Result<(), Problem> {
    for approver in approvers {
        if let Some(allowed) = &key.approvers
            && !allowed.iter().any(|name| name == approver.as_str())
        {
            return Err(Problem::Forbidden(format!("this API key may not ask {approver}")));
        }
        if key.separate && key.owner.as_deref() == Some(approver.as_str()) {
            return Err(Problem::Forbidden(format!("{approver} owns this API key and may not approve what it asks")));
        }
    }
    Ok(())
}

/// What makes two requests the same: everything that the requester chose, in canonical form.
fn request_hash(
    draft: &Core,
    expires_in: u64,
    use_within: u64,
    metadata: Option<&RawJson>,
    notify: Option<&str>,
) -> [u8; 32] {
    let chosen = [
        ("action", draft.action.as_str().into()),
        ("approvers", draft.approvers.iter().map(|name| name.as_str().into()).collect()),
        ("expires_in", expires_in.to_string().into()),
        ("metadata", metadata.map_or(Value::Null, |metadata| metadata.0.get().into())),
        ("payload", draft.payload.clone().into()),
        ("quorum", draft.quorum.into()),
        ("reveal", draft.reveal.into()),
        ("use_within", use_within.to_string().into()),
    ];
    // Only where it says something, so that requests of before it was known keep their hashes.
    let notify = notify.map(|word| ("notify", word.into()));
    Sha256::digest(Value::from(Object::new(chosen.into_iter().chain(notify))).to_canonical()).into()
}

impl Command for Create {
    type Answer = Created;
    type Refusal = Problem;

    fn weight(&self) -> usize {
        self.weight
    }

    fn run(self, tx: &mut Transaction<'_>) -> Result<Created, Failed<Problem>> {
        if let Some(earlier) = self.earlier(tx)? {
            return Ok(earlier);
        }
        for approver in &self.draft.approvers {
            if !can_decide(tx, approver)? {
                let reason = format!("{approver} is not enrolled with a passkey");
                return Err(Failed::Refused(Problem::invalid("approvers", reason)));
            }
        }
        self.rows.check(tx, &self.key.id, &self.draft, self.limits.cool_down_seconds)?;
        let issued_at = tx.now();
        let expires_at = issued_at.plus(self.expires_in);
        let use_by = expires_at.plus(self.use_within);
        let core = Core { issued_at, expires_at, use_by, ..self.draft };
        let id = core.id.to_string();
        let slots = core.approvers.iter().zip(&self.salts).map(|(approver, salt)| ApproverSlot {
            username: approver.to_string(),
            salt: base64url(salt),
            decision: None,
        });
        let called = webhooks::is_on(tx, &self.key.id)?;
        let record = ConfirmationRecord {
            id: id.clone(),
            key_id: self.key.id.clone(),
            core: core.to_canonical(),
            approvers: slots.collect(),
            quorum: core.quorum,
            expires_at: expires_at.unix(),
            use_by: use_by.unix(),
            cancelled_at: None,
            consumed: None,
            metadata: self.metadata,
            told: !self.notify.is_none() || called,
        };
        pending::open(tx, &record, &self.limits)?;
        if called {
            webhooks::prepare(tx, &record);
        }
        notify::tell(tx, &record, self.notify, &self.couriers)?;
        tx.put(keyspace::confirmation(&id), &record);
        for listing in [self.key.id.as_str(), super::list::EVERYBODY] {
            tx.put_bytes(keyspace::listing(listing, u64::MAX - issued_at.unix(), &id), Vec::new());
        }
        if let Some(idempotency) = self.idempotency {
            let memory = IdempotencyRecord {
                request: base64url(&self.request_hash),
                confirmation: id,
                keep_until: issued_at.plus(IDEMPOTENCY).max(use_by).unix(),
            };
            tx.put(keyspace::idempotency(&self.key.id, &idempotency.0), &memory);
        }
        Ok(created(&core, &self.public_url))
    }
}

impl Create {
    /// The answer that the same request got before.
    fn earlier(&self, tx: &Transaction<'_>) -> Result<Option<Created>, Failed<Problem>> {
        let Some(idempotency) = self.idempotency else { return Ok(None) };
        let memory: Option<IdempotencyRecord> = tx.get(&keyspace::idempotency(&self.key.id, &idempotency.0))?;
        let Some(memory) = memory.filter(|memory| memory.keep_until >= tx.now().unix()) else { return Ok(None) };
        if memory.request != base64url(&self.request_hash) {
            let reason = "this key was used for another request";
            return Err(Failed::Refused(Problem::invalid("Idempotency-Key", reason)));
        }
        let record: Option<ConfirmationRecord> = tx.get(&keyspace::confirmation(&memory.confirmation))?;
        let record = record.ok_or(Failed::Refused(Problem::NotFound))?;
        Ok(Some(created(&record.parsed_core()?, &self.public_url)))
    }
}

/// Whether somebody is enrolled with a key that is active.
fn can_decide(tx: &Transaction<'_>, approver: &Username) -> Result<bool, StoreError> {
    let person = tx.get::<ApproverRecord>(&keyspace::approver(approver.as_str()))?;
    person.map_or(Ok(false), |person| person.has_active_key(tx))
}

fn created(core: &Core, public_url: &str) -> Created {
    Created {
        id: core.id.to_string(),
        url: format!("{public_url}/approve/{}", core.id),
        status: Status::Pending,
        core: core.to_canonical(),
        payload_hash: base64url(&core.payload_hash()),
        compare_code: core.compare_code(),
        expires_at: core.expires_at.to_string(),
        use_by: core.use_by.to_string(),
    }
}
