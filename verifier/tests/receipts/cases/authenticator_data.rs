//! Authenticator data of another site, without the user, or out of form.

use sha2::{Digest as _, Sha256};
use verifier::verify::Step;

use super::{Case, changed, none};
use crate::made::{Changes, Story, WEB_ORIGIN};

pub(super) fn cases() -> Vec<Case> {
    [claims(), form(), extensions()].into_iter().flatten().collect()
}

fn data(name: &str, authenticator_data: fn(Vec<u8>) -> Vec<u8>) -> Case {
    Case::fails(Step::AuthenticatorData, name, &changed(Changes { authenticator_data, ..none() }))
}

fn claims() -> Vec<Case> {
    let other_site = [("rp_id", "example.com".into())];
    vec![
        data("another relying party", |mut it| (it[0] ^= 1, it).1),
        data("the relying party above", |it| [&Sha256::digest("example.com")[..], &it[32..]].concat()),
        data("the hash of the web origin", |it| [&Sha256::digest(WEB_ORIGIN)[..], &it[32..]].concat()),
        data("no flags", |mut it| (it[32] = 0x00, it).1),
        data("no user presence", |mut it| (it[32] = 0x04, it).1),
        data("no user verification", |mut it| (it[32] = 0x01, it).1),
        data("no user verification, synced", |mut it| (it[32] = 0x19, it).1),
        data("backed up but not eligible", |mut it| (it[32] = 0x15, it).1),
        Case::fails(Step::AuthenticatorData, "trusted: the relying party above", &Story::one()).trusting(other_site),
    ]
}

fn form() -> Vec<Case> {
    vec![
        data("nothing", |_| Vec::new()),
        data("a byte short", |mut it| (it.pop(), it).1),
        data("a trailing byte", |it| [it, vec![0]].concat()),
        data("trailing extensions without their flag", |it| [it, vec![0xa0]].concat()),
        data("with the flag of a registration", |mut it| (it[32] |= 0x40, it).1),
        data("with an attested credential", |mut it| {
            it[32] |= 0x40;
            let cose = [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(), &[1; 32], b"\x22\x58\x20", &[2; 32]];
            [it, vec![0; 16], vec![0, 1, 7], cose.concat()].concat()
        }),
        data("1025 bytes", |it| with_extensions(it, &[b"\xa1\x61x\x59\x03\xd6", &[7; 982][..]].concat())),
    ]
}

fn extensions() -> Vec<Case> {
    vec![
        data("extensions that are not there", |it| with_extensions(it, b"")),
        data("extensions that are an array", |it| with_extensions(it, b"\x80")),
        data("extensions that are bytes", |it| with_extensions(it, b"\x41\xa0")),
        data("extensions that end early", |it| with_extensions(it, b"\xa1\x61a")),
        data("a byte after the extensions", |it| with_extensions(it, b"\xa0\x00")),
        data("two extension maps", |it| with_extensions(it, b"\xa0\xa0")),
        data("a repeated extension", |it| with_extensions(it, b"\xa2\x61a\xf5\x61a\xf5")),
        data("extensions of indefinite length", |it| with_extensions(it, b"\xbf\xff")),
        data("an extension in a long form", |it| with_extensions(it, b"\xa1\x78\x01a\xf5")),
        data("a number in a long form", |it| with_extensions(it, b"\xa1\x61a\x18\x01")),
        data("a float", |it| with_extensions(it, b"\xa1\x61a\xf9\x3c\x00")),
        data("a tag", |it| with_extensions(it, b"\xa1\x61a\xc1\x00")),
        data("undefined", |it| with_extensions(it, b"\xa1\x61a\xf7")),
        data("a name that is not UTF-8", |it| with_extensions(it, b"\xa1\x61\xff\xf5")),
        data("a name that is bytes", |it| with_extensions(it, b"\xa1\x41a\xf5")),
        data("extensions of nine levels", |it| with_extensions(it, b"\xa1\x61a\x81\x81\x81\x81\x81\x81\x81\x80")),
        data("extensions of 2 to the 64 members", |it| with_extensions(it, b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff")),
    ]
}

fn with_extensions(mut data: Vec<u8>, extensions: &[u8]) -> Vec<u8> {
    data[32] |= 0x80;
    [data, extensions.to_vec()].concat()
}
