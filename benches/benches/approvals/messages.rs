//! A thousand messages that wait for a mail server which answers slowly, while people decide. The server is the one that is
//! measured, with a channel of its own: it takes half a second for each message.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::{CreateConfirmation, Created};
use benches::connection::Connection;
use log_server::notifications::{Channel, Courier, Couriers, Delivery, Message};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::{Person, post};
use crate::server::Server;

/// How many people are told.
pub(crate) const PEOPLE: usize = 10;
/// Of how much each.
const OF_EACH: usize = 100;
/// How long the other side takes for one message, and how many it takes at a time.
const SLOW: (Duration, usize) = (Duration::from_millis(500), 4);
/// In the server's folder: the links that were sent, and a line for each message.
const LINKS: &str = "links";
const SENT: &str = "sent";

/// The other side: it keeps what it is sent in two files.
struct SlowServer(PathBuf);

impl Courier for SlowServer {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        let link = message.words.link.as_ref().and_then(|(_, url)| Some(url.split_once("/contact/")?.1.to_owned()));
        Box::pin(async move {
            if let Some(token) = link {
                append(&self.0.join(LINKS), &token);
            } else {
                tokio::time::sleep(SLOW.0).await;
                append(&self.0.join(SENT), &message.id);
            }
            Ok(None)
        })
    }
}

/// The channels of the server that is measured.
pub(crate) fn couriers(folder: &Path) -> Couriers {
    Couriers::default().with(Channel::Email, Arc::new(SlowServer(folder.to_owned())), SLOW.1)
}

/// The secrets of the links that were sent.
pub(crate) fn links(folder: &Path) -> Vec<String> {
    lines(&folder.join(LINKS))
}

/// Enrols people with addresses, confirms these, and asks all of them at once.
pub(crate) async fn write(server: &Server) -> Result<(), String> {
    let mut connection = Connection::new(server.place.clone());
    let mut people = Vec::new();
    for (number, invite) in server.addressed.iter().enumerate() {
        people.push(Person::enrol_by(server, invite, format!("told-{number}")).await?);
    }
    while server.links().len() < PEOPLE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for token in server.links() {
        let _: Value = post(&mut connection, &format!("/contact/{token}"), None, &Value::Null).await?;
    }
    for number in 0..OF_EACH {
        // Another key each time: one alone may not ask somebody so much.
        for (person, key) in people.iter().zip(server.keys.iter().cycle().skip(number)) {
            let payload = RawValue::from_string(format!("{{\"step\":{number}}}")).map_err(|error| error.to_string())?;
            let asked = CreateConfirmation {
                username: Some(person.name.clone()),
                approvers: None,
                quorum: None,
                action: "Deploy api-gateway to production".to_owned(),
                payload,
                notify: Some("email".to_owned()),
                expires_in: Some(3600),
                use_within: None,
                reveal: None,
                metadata: None,
            };
            let _: Created = post(&mut connection, "/api/confirmations", Some(key), &asked).await?;
        }
    }
    Ok(())
}

/// How many messages still wait.
pub(crate) fn count(server: &Server) -> usize {
    (PEOPLE * OF_EACH).saturating_sub(lines(&server.folder().join(SENT)).len())
}

fn append(path: &Path, line: &str) {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.expect("a file beside the store");
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
