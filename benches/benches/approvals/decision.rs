//! One decision from end to end: a program asks and waits, a person reads, signs and sends, the program has the receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{
    ApproveOptions, ApproveOptionsRequest, Confirmation, CreateConfirmation, Created, DecisionMade, DecisionRequest,
};
use benches::connection::Connection;
use serde_json::value::RawValue;
use verifier::document::Document;

use crate::client::{self, Person, post};
use crate::evidence::Receipts;
use crate::server::Server;

/// A program that asks, and the person whom it asks, each with a connection.
pub(crate) struct Pair {
    key: Arc<str>,
    program: Connection,
    browser: Connection,
    person: Person,
}

/// What one decision came to.
pub(crate) struct Made {
    /// From sending the decision to the answer.
    pub(crate) decision: Duration,
    /// What the program and the person were given.
    pub(crate) receipts: Receipts,
}

impl Pair {
    /// Enrols the person.
    pub(crate) async fn new(server: &Server, number: usize) -> Result<Self, String> {
        Ok(Self {
            key: server.keys[number % server.keys.len()].clone(),
            program: Connection::new(server.place.clone()),
            browser: Connection::new(server.place.clone()),
            person: Person::enrol(server, format!("person-{number}")).await?,
        })
    }

    /// Asks, waits and decides. The program waits before the person looks.
    pub(crate) async fn decide(&mut self, number: u64) -> Result<Made, String> {
        let created = ask(&mut self.program, &self.key, &self.person.name, number).await?;
        let path = format!("/api/confirmations/{}?wait=60", created.id);
        let waiting = client::get(&mut self.program, &path, &self.key);
        let deciding = approve(&mut self.browser, &self.person, &created.id);
        let (told, (made, decision)) = tokio::try_join!(waiting, deciding)?;
        let confirmation: Confirmation = client::parsed(&path, &told)?;
        let receipts = [confirmation.receipt, made.receipt].map(Option::unwrap_or_default).into();
        Ok(Made { decision, receipts: Receipts { core: created.core, receipts } })
    }
}

/// Asks one person for something that was never asked before.
pub(crate) async fn ask(connection: &mut Connection, key: &str, name: &str, number: u64) -> Result<Created, String> {
    let payload = format!(r#"{{"service":"api-gateway","env":"production","commit":"{number:016x}","replicas":12}}"#);
    let asked = CreateConfirmation {
        username: Some(name.to_owned()),
        approvers: None,
        quorum: None,
        action: "Deploy api-gateway to production".to_owned(),
        payload: RawValue::from_string(payload).map_err(|error| error.to_string())?,
        notify: None,
        expires_in: None,
        use_within: None,
        reveal: None,
        metadata: None,
    };
    post(connection, "/api/confirmations", Some(key), &asked).await
}

/// Reads what is asked, signs it and sends the signature: the answer, and how long it took.
pub(crate) async fn approve(
    connection: &mut Connection,
    person: &Person,
    id: &str,
) -> Result<(DecisionMade, Duration), String> {
    let asked = ApproveOptionsRequest { approver: Some(person.name.clone()), salt: None };
    let options: ApproveOptions = post(connection, &format!("/approve/{id}/options"), None, &asked).await?;
    let documents = options.documents.ok_or("there is nothing to sign")?;
    let document = Document::parse(&documents.approve).map_err(|error| error.to_string())?;
    let assertion = person.passkey.sign(&document.challenge()).map_err(|error| error.to_string())?;
    let request =
        DecisionRequest { approver: person.name.clone(), decision: "approve".to_owned(), assertion, note: None };
    let begun = Instant::now();
    let made = post(connection, &format!("/approve/{id}/decision"), None, &request).await?;
    Ok((made, begun.elapsed()))
}
