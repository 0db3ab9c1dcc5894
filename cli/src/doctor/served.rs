//! What a running server serves: whether it is there and ready, whether its checkpoint agrees with the anchor, what it says
//! the time is.

use log_server::anchor;
use log_server::identity::Identity;
use merkle::Hash;
use verifier::checkpoint::Checkpoint;
use verifier::encoding;
use verifier::note::VerifierKey;
use verifier::time::Timestamp;

use super::Findings;
use crate::client::{Client, ClientError};
use crate::serve::Place;

/// Seconds between the two clocks that the way of an answer explains.
const SKEW: u64 = 5;
const CHECKPOINT: &str = "checkpoint";

/// Asks the server.
pub(super) fn look(url: &str, place: Option<&Place>, log_key: Option<&VerifierKey>, findings: &mut Findings) {
    const CHECK: &str = "address";
    match Identity::from_public_url(url) {
        Ok(identity) => findings.ok("URL", identity.public_url),
        Err(error) => findings.problem("URL", error.to_string()),
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return findings.problem(CHECK, format!("the operating system refuses what is needed: {error}")),
    };
    let asked = runtime.block_on(async {
        let client = Client::new(url)?;
        let (_, date) = client.bytes_and_date("/readyz").await?;
        findings.ok(CHECK, "the server answers and is ready");
        clock(date.as_deref(), findings);
        checkpoint(&client, place, log_key, findings).await
    });
    if let Err(error) = asked {
        findings.problem(CHECK, error.to_string());
    }
}

/// The server's clock against this machine's.
fn clock(date: Option<&str>, findings: &mut Findings) {
    const CHECK: &str = "server's clock";
    let Some(theirs) = date.and_then(from_http) else {
        return findings.warning(CHECK, "its answers say no time");
    };
    let skew = crate::now().unix().abs_diff(theirs.unix());
    if skew > SKEW {
        findings.problem(CHECK, format!("{skew} seconds from this machine's; set the one that is wrong"));
    } else {
        findings.ok(CHECK, format!("{skew} seconds from this machine's"));
    }
}

async fn checkpoint(
    client: &Client,
    place: Option<&Place>,
    log_key: Option<&VerifierKey>,
    findings: &mut Findings,
) -> Result<(), ClientError> {
    let note = client.bytes("/log/checkpoint").await?;
    let Some(key) = log_key else {
        findings.ok(CHECKPOINT, "served; without --data-dir it is compared with nothing");
        return Ok(());
    };
    let served = match Checkpoint::open(&note, key) {
        Ok(served) => served,
        Err(error) => {
            findings.problem(CHECKPOINT, format!("it is not by the log key of this data directory: {error}"));
            return Ok(());
        }
    };
    // Read after the answer: an anchor never lies behind what is served.
    let anchor = place.map(|place| anchor::read(place.anchor()));
    let Some(Ok(Some(anchor))) = anchor else {
        findings.ok(CHECKPOINT, format!("{} entries, by the log key", served.size));
        return Ok(());
    };
    let (size, anchored) = (served.size, anchor.head);
    if size > anchored.size {
        let words = format!("{size} entries are served and {} anchored; name the anchor of this server", anchored.size);
        findings.problem(CHECKPOINT, words);
    } else if size == anchored.size && served.root == anchored.root {
        findings.ok(CHECKPOINT, format!("{size} entries, as the anchor says"));
    } else if size < anchored.size {
        grown(client, &served, anchored, findings).await?;
    } else {
        let words = format!("the root of {size} entries is {} served and {} anchored", served.root, anchored.root);
        findings.problem(CHECKPOINT, format!("{words}; stop the server: this is another log's data"));
    }
    Ok(())
}

/// The log has grown between the two looks: the anchor must be of a tree that extends what was served.
async fn grown(
    client: &Client,
    served: &Checkpoint,
    anchored: log_server::tree::TreeHead,
    findings: &mut Findings,
) -> Result<(), ClientError> {
    let path = format!("/log/proof/consistency?from={}&to={}", served.size, anchored.size);
    let proof: api::ConsistencyProof = match client.json(&path).await {
        Ok(proof) => proof,
        Err(ClientError::Refused { .. }) => {
            let words = format!("{} entries are served, {} anchored; look again", served.size, anchored.size);
            findings.warning(CHECKPOINT, words);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let hashes: Option<Vec<Hash>> =
        proof.hashes.iter().map(|hash| encoding::array_from_base64(hash).ok().map(Hash::from_bytes)).collect();
    let consistent = hashes.is_some_and(|hashes| {
        merkle::verify_consistency(served.size, anchored.size, &served.root, &anchored.root, &hashes).is_ok()
    });
    if consistent {
        findings.ok(CHECKPOINT, format!("{} entries, and the anchor's {} extend them", served.size, anchored.size));
    } else {
        findings.problem(CHECKPOINT, "what is served and what is anchored are of two trees; stop the server");
    }
    Ok(())
}

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn from_http(date: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = date.split_once(", ")?;
    let [day, month, year, time, "GMT"] = date.split(' ').collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_time_of_an_answer_is_read_and_nothing_else() {
        let time = from_http("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(time.to_string(), "1994-11-06T08:49:37Z");
        for text in ["", "06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 nov 1994 08:49:37 GMT"] {
            assert_eq!(from_http(text), None, "{text}");
        }
    }
}
