//! What a start says: after a first start where everything is and what to do next, after any other one line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use log_server::identity::Identity;

use super::{Place, Server};

/// Says that the server is ready.
pub(super) fn ready(server: &Server, place: &Place, identity: &Identity, address: SocketAddr) {
    let url = &identity.public_url;
    if url.starts_with("http://localhost") && !url.ends_with(&format!(":{}", address.port())) {
        // Right for a tunnel; otherwise a forgotten --public-url, and passkeys would be refused for their web origin.
        tracing::warn!(public_url = url, %address, "the public URL names another port than the server listens on");
    }
    let text = if server.is_first_start() {
        first_start(server, place, identity, address)
    } else {
        format!(
            "countersign serves {url} on {address}, data in {}, log key {}\n",
            place.data_dir().display(),
            server.log_key()
        )
    };
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A closed standard output is no reason to stop a server.
        tracing::warn!(%error, "the start could not be announced");
    }
}

fn first_start(server: &Server, place: &Place, identity: &Identity, address: SocketAddr) -> String {
    let Identity { public_url, log_origin, relying_party, .. } = identity;
    format!(
        "\
A new log was made.

  public URL      {public_url} (listening on {address})
  log             {log_origin}
  log key         {key}
  data directory  {data}
                    log.key    the log's private key: keep a copy where nobody else can read it
                    admin.key  the API key that invites people and makes keys
                    db         the database
  anchor folder   {anchor}
                    never restore an old copy of it: it is what tells a restored database from the newest one

The public URL is for ever: passkeys are bound to {rp_id}, and the log is named after it. Another URL later loses every
passkey and forks the log's name, so a start with another one is refused. Is it the right one? If not, stop the server now,
delete both folders and start again with --public-url.

Next:
  invite the first approver; the answer has the link to open in a browser
    curl {public_url}/api/invites -H \"X-Api-Key: $(cat {admin_key})\" \\
      -H 'Content-Type: application/json' -d '{{\"note\":\"Welcome\",\"username\":\"alex\"}}'
  see a whole approval without people or browser
    countersign demo
",
        key = server.log_key(),
        data = place.data_dir().display(),
        anchor = place.anchor().display(),
        rp_id = relying_party.rp_id,
        admin_key = shell_quoted(&place.admin_key()),
    )
}

/// A path as a shell takes it.
pub(crate) fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |symbol: char| symbol.is_ascii_alphanumeric() || "/._-+@%:,".contains(symbol);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}
