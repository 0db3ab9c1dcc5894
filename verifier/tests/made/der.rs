//! DER (ITU-T X.690) by hand: the parts of a key, so that each can be made in a form that no library would write.

/// One element, its length in the shortest form.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match content.len() {
        short @ 0..=0x7f => [&[tag, u8::try_from(short).unwrap()], content].concat(),
        _ => [&[tag, 0x80 | u8::try_from(length.len()).unwrap()], length, content].concat(),
    }
}

/// A number that is not negative.
pub(crate) fn unsigned(big_endian: &[u8]) -> Vec<u8> {
    let sign = if big_endian[0] & 0x80 == 0 { &[][..] } else { &[0] };
    element(0x02, &[sign, big_endian].concat())
}

/// `AlgorithmIdentifier` of rsaEncryption with NULL.
pub(crate) const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The SPKI of an RSA key; the modulus is an element already.
pub(crate) fn rsa_spki(modulus: &[u8], exponent: u32) -> Vec<u8> {
    let exponent = exponent.to_be_bytes();
    let exponent = unsigned(&exponent[exponent.iter().take_while(|byte| **byte == 0).count()..]);
    spki(&RSA_ENCRYPTION, &element(0x30, &[modulus, &exponent].concat()))
}

/// SubjectPublicKeyInfo of an algorithm and a key.
pub(crate) fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    element(0x30, &[algorithm, &element(0x03, &[&[0], key].concat())].concat())
}

/// The modulus of an RSA key in its one encoding, as an element.
pub(crate) fn modulus_of(spki: &[u8]) -> &[u8] {
    &spki[28..spki.len() - 5]
}
