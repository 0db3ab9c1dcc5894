//! The requests and responses of the approval API on the wire, and nothing else: what server and clients both name.
//!
//! Field names are camelCase, times are `YYYY-MM-DDTHH:MM:SSZ`, bytes are base64url without padding. Unknown fields of a
//! request are errors. Values are checked by the server, not here.

mod administration;
mod ceremonies;
mod confirmations;
mod log;
mod me;
mod notifications;
mod webhooks;

pub use administration::{
    ApproverList, ApproverSummary, BackupMade, CreateInvite, CreateKey, CredentialSummary, Invite, InviteCreated,
    InviteList, Key, KeyCreated, KeyList, Revoked,
};
pub use ceremonies::{
    ApproveOptions, ApproveOptionsRequest, Assertion, AssertionResponse, CredentialDescriptor, Decided, DecisionMade,
    DecisionRequest, DecisionSummary, Documents, EarlierRejection, EnrolOptions, EnrolOptionsRequest, EnrolRequest,
    Enrolled, LastApproved, Registration, RegistrationResponse, RejectedBefore, RejectedTitle,
};
pub use confirmations::{
    Confirmation, ConfirmationList, ConfirmationSummary, Consumed, CreateConfirmation, Created, Decision,
    InclusionProof, Status,
};
pub use log::{
    Appended, AppendedEntry, AppendedList, ConsistencyProof, LogEntry, LogEntryList, LogInclusionProof, TreeHead,
};
pub use me::{
    AddPasskeyRequest, AuthorisationOptions, AuthorisationOptionsRequest, MyDecision, MyPage, MyPageRequest, MyPasskey,
    MyReceipt, MyWaiting, PasskeyOptions, RemovalOptions, RemovalRequest, SessionRequest, SignInOptions,
};
pub use notifications::{
    Contact, ContactChange, ContactChangeOptions, ContactChangeRequest, ContactProposal, Notification,
    NotificationList, Notified,
};
pub use webhooks::{SetWebhook, Webhook, WebhookSet};

/// An RFC 9457 problem document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// A stable name of the kind of problem: `urn:countersign:problem:<name>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This problem in words.
    pub detail: String,
    /// The field that a value is wrong in, as a name or a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
