//! An approver's public key: COSE from the authenticator becomes SPKI DER once, at registration, and SPKI DER in one
//! encoding is what the log and every verifier hold (docs/protocol.md; RFC 9053 §2.1 and §7.1 for COSE, RFC 5480 for
//! SPKI).
//!
//! ```text
//! ES256, 91 bytes:  30 59  30 13  06 07 id-ecPublicKey  06 08 prime256v1  03 42 00  04 ‖ x (32) ‖ y (32)
//! RS256:            drawn in rs256.rs
//! ```

use std::fmt;
use std::str::FromStr;

use p256::ecdsa::VerifyingKey;
use sha2::{Digest, Sha256};

use super::cbor::{self, CborError, Map, Value};
use super::rs256;

/// The signature algorithms that an approver's key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256, COSE -7.
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, COSE -257: what some machines with Windows Hello make, and nothing else.
    Rs256,
}

impl Algorithm {
    /// The name in log entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    /// The COSE algorithm number.
    pub fn cose(self) -> i64 {
        match self {
            Self::Es256 => COSE_ES256,
            Self::Rs256 => COSE_RS256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            "ES256" => Ok(Self::Es256),
            "RS256" => Ok(Self::Rs256),
            _ => Err(UnknownAlgorithm(name.to_owned())),
        }
    }
}

/// A name that is none of [`Algorithm`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alg is {0:?}, expected \"ES256\" or \"RS256\"")]
pub struct UnknownAlgorithm(pub String);

/// A public key that was checked: its algorithm is accepted; a point is on the curve and not the identity; a modulus is
/// odd and of an accepted length, its exponent is 65537.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    algorithm: Algorithm,
    spki_der: Vec<u8>,
}

impl PublicKey {
    /// Reads SPKI DER in the one accepted encoding.
    pub fn from_spki_der(spki_der: &[u8]) -> Result<Self, PublicKeyError> {
        match spki_der.len() {
            ES256_SPKI_LENGTH => Self::from_es256_spki(spki_der),
            length if rs256::SPKI_LENGTHS.contains(&length) => Self::from_modulus(rs256::modulus_of_spki(spki_der)?),
            found => Err(PublicKeyError::SpkiLength { found }),
        }
    }

    fn from_es256_spki(spki_der: &[u8]) -> Result<Self, PublicKeyError> {
        let Some(point) = spki_der.strip_prefix(&ES256_SPKI_PREFIX) else {
            return Err(PublicKeyError::SpkiEncoding);
        };
        Self::from_point(point)
    }

    /// Reads a COSE key that is the whole input.
    pub fn from_cose(cose_key: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_cose_value(&cbor::decode(cose_key)?)
    }

    /// Reads a decoded COSE key. Parameters beyond those of the algorithm are ignored: only x and y, or n and e, go on.
    pub(crate) fn from_cose_value(cose_key: &Value<'_>) -> Result<Self, PublicKeyError> {
        let map = cose_key.as_map().ok_or(PublicKeyError::NotAMap)?;
        match int_parameter(map, COSE_ALG, "alg")? {
            alg if alg == i128::from(COSE_ES256) => Self::from_cose_es256(map),
            alg if alg == i128::from(COSE_RS256) => Self::from_cose_rs256(map),
            alg => Err(PublicKeyError::AlgorithmRefused { alg }),
        }
    }

    fn from_cose_es256(map: Map<'_, '_>) -> Result<Self, PublicKeyError> {
        expect_parameter(map, Algorithm::Es256, COSE_KTY, "kty", 2)?;
        expect_parameter(map, Algorithm::Es256, COSE_CRV, "crv", 1)?;
        let mut point = vec![UNCOMPRESSED];
        point.extend_from_slice(coordinate(map, COSE_X, "x")?);
        point.extend_from_slice(coordinate(map, COSE_Y, "y")?);
        Self::from_point(&point)
    }

    fn from_cose_rs256(map: Map<'_, '_>) -> Result<Self, PublicKeyError> {
        expect_parameter(map, Algorithm::Rs256, COSE_KTY, "kty", 3)?;
        if bytes_parameter(map, COSE_E, "e")? != rs256::EXPONENT {
            return Err(PublicKeyError::RsaExponent);
        }
        Self::from_modulus(bytes_parameter(map, COSE_N, "n")?)
    }

    fn from_modulus(modulus: &[u8]) -> Result<Self, PublicKeyError> {
        rs256::check_modulus(modulus)?;
        Ok(Self { algorithm: Algorithm::Rs256, spki_der: rs256::spki_of_modulus(modulus) })
    }

    /// `point` is tag, x and y. The tag is checked here because the curve library also takes compressed points, and a
    /// key must have one encoding.
    fn from_point(point: &[u8]) -> Result<Self, PublicKeyError> {
        match point.first() {
            Some(&UNCOMPRESSED) if point.len() == POINT_LENGTH => {}
            _ => return Err(PublicKeyError::NotUncompressed),
        }
        VerifyingKey::from_sec1_bytes(point).map_err(|_| PublicKeyError::NotOnCurve)?;
        let spki_der = [&ES256_SPKI_PREFIX[..], point].concat();
        Ok(Self { algorithm: Algorithm::Es256, spki_der })
    }

    /// The one encoding, as in log entries.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// The key as signature libraries take it: for ES256 the 65 bytes `04 ‖ x ‖ y`, for RS256 the DER of
    /// `RSAPublicKey` (RFC 8017 A.1.1).
    pub fn raw(&self) -> &[u8] {
        match self.algorithm {
            Algorithm::Es256 => &self.spki_der[ES256_SPKI_PREFIX.len()..],
            Algorithm::Rs256 => &self.spki_der[rs256::RSA_PUBLIC_KEY_AT..],
        }
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `credential` of log entries: SHA-256 of the SPKI DER.
    pub fn credential(&self) -> [u8; 32] {
        Sha256::digest(&self.spki_der).into()
    }
}

/// Why a public key is refused. All of these are check R18 of a registration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Not the length of an accepted encoding.
    #[error("public key is {found} bytes of SPKI, expected {ES256_SPKI_LENGTH} for ES256 or {min} to {max} for RS256",
        min = rs256::SPKI_LENGTHS.start(), max = rs256::SPKI_LENGTHS.end())]
    SpkiLength {
        /// Its length.
        found: usize,
    },
    /// The right length, but not the accepted encoding.
    #[error("public key does not begin as the SPKI of a P-256 key with an uncompressed point")]
    SpkiEncoding,
    /// A compressed point or the identity.
    #[error("public key is not an uncompressed point")]
    NotUncompressed,
    /// Coordinates that are not a point of the curve.
    #[error("public key is not a point of P-256")]
    NotOnCurve,
    /// The length of an RSA key, but not its one encoding: the identifier, a padded or negative modulus, the exponent.
    #[error("public key is not the SPKI of an RSA key with exponent 65537 in its one encoding")]
    RsaEncoding,
    /// An exponent that is not the bytes 01 00 01.
    #[error("RSA public exponent is not 65537")]
    RsaExponent,
    /// A modulus that is too short or too long, or begins with a zero byte.
    #[error("RSA modulus is {found} bits in {bytes} bytes, expected {min} to {max} bits with no zero byte before them",
        min = rs256::MODULUS_BITS.start(), max = rs256::MODULUS_BITS.end())]
    RsaModulus {
        /// Its length without leading zeros.
        found: usize,
        /// The bytes it came in.
        bytes: usize,
    },
    /// An even modulus, which is no product of two primes.
    #[error("RSA modulus is even")]
    RsaModulusEven,
    /// The COSE key is not strict CBOR.
    #[error("COSE key: {0}")]
    Cbor(#[from] CborError),
    /// The COSE key is not a map.
    #[error("COSE key is not a map")]
    NotAMap,
    /// A parameter is absent or has another type.
    #[error("COSE key parameter {name} is absent or not {expected}")]
    ParameterType {
        /// Which one.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A parameter does not fit the algorithm.
    #[error("COSE key parameter {name} is {found}, expected {expected} for {algorithm}")]
    ParameterValue {
        /// Whose parameter.
        algorithm: Algorithm,
        /// Which one.
        name: &'static str,
        /// What it should be.
        expected: i128,
        /// What it is.
        found: i128,
    },
    /// A coordinate of another length.
    #[error("COSE key coordinate {name} is {found} bytes, expected {COORDINATE_LENGTH}")]
    CoordinateLength {
        /// `x` or `y`.
        name: &'static str,
        /// Its length.
        found: usize,
    },
    /// An algorithm that we never ask for.
    #[error("COSE key algorithm is {alg}, expected -7 (ES256) or -257 (RS256)")]
    AlgorithmRefused {
        /// Its COSE number.
        alg: i128,
    },
}

impl PublicKeyError {
    /// The id of the check, for logs.
    pub fn code(&self) -> &'static str {
        "R18"
    }
}

fn int_parameter(map: Map<'_, '_>, key: i128, name: &'static str) -> Result<i128, PublicKeyError> {
    map.by_int(key).and_then(Value::as_int).ok_or(PublicKeyError::ParameterType { name, expected: "an integer" })
}

fn expect_parameter(
    map: Map<'_, '_>,
    algorithm: Algorithm,
    key: i128,
    name: &'static str,
    expected: i128,
) -> Result<(), PublicKeyError> {
    let found = int_parameter(map, key, name)?;
    if found == expected { Ok(()) } else { Err(PublicKeyError::ParameterValue { algorithm, name, expected, found }) }
}

fn bytes_parameter<'a>(map: Map<'_, 'a>, key: i128, name: &'static str) -> Result<&'a [u8], PublicKeyError> {
    map.by_int(key).and_then(Value::as_bytes).ok_or(PublicKeyError::ParameterType { name, expected: "a byte string" })
}

/// A boolean y (a compressed point) is refused here as not a byte string.
fn coordinate<'a>(map: Map<'_, 'a>, key: i128, name: &'static str) -> Result<&'a [u8], PublicKeyError> {
    let bytes = bytes_parameter(map, key, name)?;
    if bytes.len() == COORDINATE_LENGTH {
        Ok(bytes)
    } else {
        Err(PublicKeyError::CoordinateLength { name, found: bytes.len() })
    }
}

const COSE_KTY: i128 = 1;
const COSE_ALG: i128 = 3;
const COSE_CRV: i128 = -1;
const COSE_X: i128 = -2;
const COSE_Y: i128 = -3;
const COSE_N: i128 = -1;
const COSE_E: i128 = -2;

const COSE_ES256: i64 = -7;
const COSE_RS256: i64 = -257;

const UNCOMPRESSED: u8 = 0x04;
const COORDINATE_LENGTH: usize = 32;
const POINT_LENGTH: usize = 1 + 2 * COORDINATE_LENGTH;

const ES256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, // SEQUENCE, 89 bytes
    0x30, 0x13, // SEQUENCE, 19 bytes: AlgorithmIdentifier
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // 1.2.840.10045.2.1 id-ecPublicKey
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // 1.2.840.10045.3.1.7 prime256v1
    0x03, 0x42, 0x00, // BIT STRING, 66 bytes, no unused bits
];
const ES256_SPKI_LENGTH: usize = ES256_SPKI_PREFIX.len() + POINT_LENGTH;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::made;
    use super::*;

    fn cose(change: impl Fn(&mut Vec<(i64, Vec<u8>)>)) -> Vec<u8> {
        let mut parameters = made::cose_parameters();
        change(&mut parameters);
        made::cose_map(&parameters)
    }

    #[test]
    fn cose_and_spki_give_the_same_key() {
        let key = PublicKey::from_cose(&cose(|_| ())).unwrap();
        assert_eq!(key, made::public_key());
        assert_eq!(key.spki_der().len(), 91);
        assert_eq!(PublicKey::from_spki_der(key.spki_der()), Ok(key.clone()));
        assert_eq!(key.raw().len(), 65);
        assert_eq!(key.credential(), <[u8; 32]>::from(Sha256::digest(key.spki_der())));
        assert_eq!(PublicKey::from_cose(&cose(|p| p.reverse())), Ok(key), "key order is free");
    }

    #[test]
    fn names_of_algorithms_round_trip() {
        assert_eq!("ES256".parse(), Ok(Algorithm::Es256));
        assert_eq!(Algorithm::Es256.to_string(), "ES256");
        assert_eq!(Algorithm::Es256.cose(), -7);
        assert_eq!("RS256".parse(), Ok(Algorithm::Rs256));
        assert_eq!(Algorithm::Rs256.to_string(), "RS256");
        assert_eq!(Algorithm::Rs256.cose(), -257);
        assert_eq!("es256".parse::<Algorithm>(), Err(UnknownAlgorithm("es256".into())));
    }

    #[test]
    fn refuses_every_other_cose_key() {
        use PublicKeyError::{AlgorithmRefused, Cbor, CoordinateLength, NotAMap, NotOnCurve, ParameterType};
        let int = |v: i64| made::cbor_int(v);
        let value =
            |algorithm, name, expected, found| PublicKeyError::ParameterValue { algorithm, name, expected, found };
        let cases = [
            (cose(|p| p[0].1 = int(3)), value(Algorithm::Es256, "kty", 2, 3)),
            (cose(|p| p[1].1 = int(-257)), value(Algorithm::Rs256, "kty", 3, 2)),
            (cose(|p| p[1].1 = int(-8)), AlgorithmRefused { alg: -8 }),
            (cose(|p| p[1].1 = vec![0xf6]), ParameterType { name: "alg", expected: "an integer" }),
            (cose(|p| drop(p.remove(1))), ParameterType { name: "alg", expected: "an integer" }),
            (cose(|p| p[2].1 = int(2)), value(Algorithm::Es256, "crv", 1, 2)),
            (cose(|p| drop(p.remove(2))), ParameterType { name: "crv", expected: "an integer" }),
            (cose(|p| p[3].1 = made::cbor_bytes(&[1; 31])), CoordinateLength { name: "x", found: 31 }),
            (cose(|p| p[4].1 = vec![0xf5]), ParameterType { name: "y", expected: "a byte string" }),
            (cose(|p| p[4].1 = made::cbor_bytes(&[1; 32])), NotOnCurve),
            (cose(|p| p.push((1, int(2)))), Cbor(CborError::RepeatedKey { at: 77 })),
            ([cose(|_| ()), vec![0]].concat(), Cbor(CborError::Trailing { extra: 1 })),
            (vec![0x80], NotAMap),
        ];
        for (bytes, error) in cases {
            assert_eq!(PublicKey::from_cose(&bytes), Err(error));
        }
    }

    #[test]
    fn refuses_every_other_spki() {
        let good = made::public_key().spki_der().to_vec();
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            PublicKey::from_spki_der(&bytes)
        };
        for (at, byte) in ES256_SPKI_PREFIX.iter().enumerate() {
            assert_eq!(changed(at, byte ^ 1), Err(PublicKeyError::SpkiEncoding), "byte {at}");
        }
        for tag in [0x00, 0x02, 0x03, 0x05, 0x06, 0x07] {
            assert_eq!(changed(26, tag), Err(PublicKeyError::NotUncompressed), "tag {tag}");
        }
        assert_eq!(changed(90, good[90] ^ 1), Err(PublicKeyError::NotOnCurve));
        let zero_point = [&good[..27], &[0; 64]].concat();
        assert_eq!(PublicKey::from_spki_der(&zero_point), Err(PublicKeyError::NotOnCurve));
        assert_eq!(PublicKey::from_spki_der(&good[..90]), Err(PublicKeyError::SpkiLength { found: 90 }));
        assert_eq!(PublicKey::from_spki_der(&[]), Err(PublicKeyError::SpkiLength { found: 0 }));
        let long = [&good[..], &[0]].concat();
        assert_eq!(PublicKey::from_spki_der(&long), Err(PublicKeyError::SpkiLength { found: 92 }));
    }
}
