//! JSON over one connection, and people with passkeys.

use api::{EnrolOptions, EnrolOptionsRequest, EnrolRequest, Enrolled};
use benches::connection::{Call, Connection};
use benches::passkey::Passkey;
use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use verifier::encoding::from_base64url;

use crate::server::Server;

const JSON: &str = "application/json";

/// Somebody who may be asked.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) passkey: Passkey,
}

/// Sends JSON, with an API key or without.
pub(crate) async fn post<T: DeserializeOwned>(
    connection: &mut Connection,
    path: &str,
    key: Option<&str>,
    body: &impl Serialize,
) -> Result<T, String> {
    let body = serde_json::to_vec(body).map_err(|error| format!("{path}: {error}"))?;
    let call = Call { method: Method::POST, path, key, content_type: Some(JSON), body: body.into() };
    parsed(path, &send(connection, &call).await?)
}

/// Reads with an API key.
pub(crate) async fn get(connection: &mut Connection, path: &str, key: &str) -> Result<Bytes, String> {
    send(connection, &Call { key: Some(key), ..Call::get(path) }).await
}

pub(crate) fn parsed<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("{path}: {error}"))
}

async fn send(connection: &mut Connection, call: &Call<'_>) -> Result<Bytes, String> {
    let reply = connection.send(call).await.map_err(|error| format!("{}: {error}", call.path))?;
    if reply.status.is_success() {
        return Ok(reply.body);
    }
    Err(format!("{}: status {}: {}", call.path, reply.status, String::from_utf8_lossy(&reply.body)))
}

impl Person {
    /// Enrols somebody with a passkey, over the routes that the enrol page uses.
    pub(crate) async fn enrol(server: &Server, name: String) -> Result<Self, String> {
        Self::enrol_by(server, &server.invite, name).await
    }

    /// Enrols somebody with this invite.
    pub(crate) async fn enrol_by(server: &Server, invite: &str, name: String) -> Result<Self, String> {
        let mut connection = Connection::new(server.place.clone());
        let path = format!("/enrol/{invite}");
        let asked = EnrolOptionsRequest { username: Some(name.clone()) };
        let options: EnrolOptions = post(&mut connection, &format!("{path}/options"), None, &asked).await?;
        let options = options.public_key.unwrap_or_default();
        let challenge = options.pointer("/challenge").and_then(|value| value.as_str()).unwrap_or_default();
        let challenge = from_base64url(challenge).map_err(|error| error.to_string())?;
        let site = &server.trust.relying_party;
        let passkey = Passkey::new(&site.rp_id, &site.web_origins[0]).map_err(|error| error.to_string())?;
        let credential = passkey.register(&challenge);
        let _: Enrolled = post(&mut connection, &path, None, &EnrolRequest { credential }).await?;
        Ok(Self { name, passkey })
    }
}
