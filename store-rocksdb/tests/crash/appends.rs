//! Callers that append raw entries, many at a time, so that the writer takes several into one batch.

use log_server::problem::Problem;

use crate::child::Child;
use crate::journal::Event;
use crate::told::Told;

/// First what was tried before and not answered, as a caller who never heard would do; then new entries.
pub(crate) async fn append(child: &Child, told: &Told, callers: u32, appends: u32) {
    for entries in &told.unanswered {
        let before = child.app.log.find(&merkle::leaf_hash(&entries[0])).unwrap();
        let Some(places) = ask(child, entries.clone()).await else { return };
        if let Some(before) = before {
            assert_eq!(places[0], before.get(), "an entry that was there has moved");
        }
    }
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            let (child, run) = (child.clone(), told.runs);
            tokio::spawn(async move {
                for n in 0..appends {
                    if ask(&child, request(run, caller, n)).await.is_none() {
                        return;
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

/// Appends, and writes down what was asked and answered; none when the server stopped before it answered.
async fn ask(child: &Child, entries: Vec<Vec<u8>>) -> Option<Vec<u64>> {
    child.journal.write(&Event::Try(entries.clone()));
    let places = match child.app.log.append(entries.clone()).await {
        Ok(places) => places,
        Err(Problem::Unknown) => return None,
        Err(other) => panic!("an append was refused: {other}"),
    };
    let indexes: Vec<u64> = places.iter().map(|(index, _)| index.get()).collect();
    child.journal.write(&Event::Answer(indexes.iter().copied().zip(entries).collect()));
    Some(indexes)
}

/// One entry of some length; now and then three at once, or one that every caller appends.
fn request(run: u32, caller: u32, n: u32) -> Vec<Vec<u8>> {
    match n % 4 {
        1 => (0..3).map(|part| format!("run {run}, caller {caller}, append {n}, part {part}").into_bytes()).collect(),
        3 => vec![format!("run {run}, everybody, append {n}").into_bytes()],
        _ => {
            let filling = "-".repeat(((run * 7 + caller * 31 + n * 17) % 400) as usize);
            vec![format!("run {run}, caller {caller}, append {n} {filling}").into_bytes()]
        }
    }
}
