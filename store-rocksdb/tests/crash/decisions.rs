//! A confirmation from the request to its use, taken up where the last server was killed.

use std::sync::PoisonError;

use api::{
    ApproveOptionsRequest, AssertionResponse, CreateConfirmation, DecisionRequest, EnrolRequest, RegistrationResponse,
};
use log_server::app::App;
use log_server::approvals::IdempotencyKey;
use log_server::problem::Problem;
use serde_json::json;
use verifier::document::Document;
use verifier::encoding::{base64url, from_base64url};
use verifier::verify::{Expectation, Verdict, verify};
use verifier::webauthn::PureRust;

use crate::authenticator;
use crate::child::Child;
use crate::journal::Event;
use crate::server::{PUBLIC_URL, admin_key};
use crate::told::Told;

const APPROVER: &str = "alex";

/// Invites and enrols the approver.
pub(crate) async fn enrol(child: &Child) {
    let approvals = &child.app.approvals;
    let invite = serde_json::from_value(json!({"note": "for the crash tests"})).unwrap();
    let by = approvals.authenticate(&admin_key()).unwrap().id;
    let code = approvals.create_invite(&by, invite).await.unwrap().code;
    let options = approvals.enrol_options(&code, Some(APPROVER)).unwrap().public_key.unwrap();
    let challenge = from_base64url(options["challenge"].as_str().unwrap()).unwrap();
    let (attestation_object, client_data) = authenticator::register(&challenge, PUBLIC_URL);
    let credential = api::Registration {
        id: base64url(&authenticator::CREDENTIAL_ID),
        raw_id: base64url(&authenticator::CREDENTIAL_ID),
        kind: "public-key".to_owned(),
        response: RegistrationResponse {
            attestation_object: base64url(&attestation_object),
            client_data_json: base64url(&client_data),
            transports: Vec::new(),
        },
    };
    approvals.enrol(&code, EnrolRequest { credential }).await.unwrap();
}

/// Asks, decides and consumes; each step as often as it takes, each with one effect.
pub(crate) async fn decide(child: &Child, told: &Told, round: u32) {
    let id = ask(child, told, round).await;
    check_told(child, told);
    child.journal.write(&Event::Found { id: id.clone(), status: status(&child.app, &id) });
    if status(&child.app, &id) == "pending" {
        set_undecided(child, Some(&id));
        let made = child.app.approvals.decide(&id, approval(&child.app, &id)).await.unwrap();
        set_undecided(child, None);
        child.journal.write(&Event::Decided { id: id.clone(), index: made.log_index });
    }
    check_approved(&child.app, &id);
    consume(child, told, &id).await;
}

/// The same request with the same idempotency key gets the same confirmation.
async fn ask(child: &Child, told: &Told, round: u32) -> String {
    let key = child.app.approvals.authenticate(&admin_key()).unwrap();
    let idempotency = IdempotencyKey::new(&format!("round-{round}")).unwrap();
    let request: CreateConfirmation =
        serde_json::from_str(&format!(r#"{{"username":"{APPROVER}","action":"Pay","payload":{{"round":{round}}}}}"#))
            .unwrap();
    let created = child.app.approvals.create(&key, Some(idempotency), request, |_| Ok(())).await.unwrap();
    for event in &told.confirmations {
        if let Event::Asked { round: earlier, id, core } = event
            && *earlier == round
        {
            assert_eq!((id, core), (&created.id, &created.core), "another confirmation for the same request");
        }
    }
    child.journal.write(&Event::Asked { round, id: created.id.clone(), core: created.core });
    created.id
}

/// The status that the requester is told.
pub(crate) fn status(app: &App, id: &str) -> String {
    let key = app.approvals.authenticate(&admin_key()).unwrap();
    app.approvals.confirmation(&key.id, id).unwrap().status.as_str().to_owned()
}

fn set_undecided(child: &Child, id: Option<&str>) {
    *child.undecided.lock().unwrap_or_else(PoisonError::into_inner) = id.map(str::to_owned);
}

fn approval(app: &App, id: &str) -> DecisionRequest {
    let documents = app
        .approvals
        .approve_options(id, &ApproveOptionsRequest { approver: Some(APPROVER.to_owned()), salt: None })
        .unwrap()
        .documents
        .unwrap();
    let challenge = Document::parse(&documents.approve).unwrap().challenge();
    let (authenticator_data, client_data, signature) = authenticator::sign(&challenge, PUBLIC_URL);
    DecisionRequest {
        approver: APPROVER.to_owned(),
        decision: "approve".to_owned(),
        assertion: api::Assertion {
            id: base64url(&authenticator::CREDENTIAL_ID),
            raw_id: base64url(&authenticator::CREDENTIAL_ID),
            kind: "public-key".to_owned(),
            response: AssertionResponse {
                authenticator_data: base64url(&authenticator_data),
                client_data_json: base64url(&client_data),
                signature: base64url(&signature),
                user_handle: None,
            },
        },
        note: None,
    }
}

/// What people were told of confirmations before is still so.
fn check_told(child: &Child, told: &Told) {
    let logged = |index: u64| child.app.log.entries(index..index + 1).unwrap().remove(0).bytes;
    for event in &told.confirmations {
        match event {
            Event::Decided { id, index } => {
                assert!(logged(*index).starts_with(b"countersign/decision/v1\n"));
                check_approved(&child.app, id);
            }
            Event::Consumed { index, .. } => {
                assert!(logged(*index).starts_with(b"countersign/consumption/v1\n"));
            }
            Event::Found { id, status: earlier } if earlier == "approved" => check_approved(&child.app, id),
            _ => {}
        }
    }
}

/// Approved, with a receipt that verifies, under the published checkpoint; and not to be decided again.
fn check_approved(app: &App, id: &str) {
    let key = app.approvals.authenticate(&admin_key()).unwrap();
    let confirmation = app.approvals.confirmation(&key.id, id).unwrap();
    assert_eq!(confirmation.status.as_str(), "approved");
    assert!(confirmation.decisions[0].log_index < app.log.published().head.size.get());
    let expectation = Expectation { core: Some(confirmation.core), ..Expectation::default() };
    let report = verify(confirmation.receipt.unwrap().as_bytes(), &app.trust(), &expectation, &PureRust);
    assert_eq!((report.verdict, report.as_expected), (Verdict::Approved, true), "{:?}", report.failure());
}

/// Used once: the same idempotency key gets the same answer, any other is refused.
async fn consume(child: &Child, told: &Told, id: &str) {
    let approvals = &child.app.approvals;
    let key = approvals.authenticate(&admin_key()).unwrap();
    let idempotency = |text: &str| Some(IdempotencyKey::new(text).unwrap());
    let consumed = approvals.consume(&key.id, id, idempotency("use")).await.unwrap();
    for event in &told.confirmations {
        if let Event::Consumed { id: earlier, index } = event
            && earlier == id
        {
            assert_eq!(*index, consumed.log_index, "used twice");
        }
    }
    child.journal.write(&Event::Consumed { id: id.to_owned(), index: consumed.log_index });
    assert_eq!(approvals.consume(&key.id, id, idempotency("use")).await.unwrap().log_index, consumed.log_index);
    let other = approvals.consume(&key.id, id, idempotency("another-use")).await;
    assert!(matches!(other, Err(Problem::Conflict(_))), "{other:?}");
}
