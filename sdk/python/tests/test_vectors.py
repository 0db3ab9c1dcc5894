"""Third-party vectors. They are data of others, so they lie outside of this tree, in the folder COUNTERSIGN_VECTORS."""

import base64
import json
import os
import unittest

from made import v

FOLDER = os.environ.get("COUNTERSIGN_VECTORS")
NEEDS_VECTORS = unittest.skipUnless(
    FOLDER, "COUNTERSIGN_VECTORS is not set: it must name the folder with the third-party test vectors"
)


def load(*names):
    with open(os.path.join(FOLDER, *names), "rb") as file:
        return json.load(file)


def text_of(*names):
    with open(os.path.join(FOLDER, *names), "rb") as file:
        return file.read()


def refusal(function, *arguments):
    """The words of a refusal, or none."""
    try:
        function(*arguments)
    except v.Refusal as refused:
        return str(refused)
    return None


@NEEDS_VECTORS
class Vectors(unittest.TestCase):
    def wycheproof(self, file, verify):
        """Runs every case; how many are valid, invalid and acceptable."""
        counts = {"valid": 0, "invalid": 0, "acceptable": 0}
        for group in load(file)["testGroups"]:
            for test in group["tests"]:
                found = verify(group, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
                # Policy: what is merely acceptable (RSA: a DigestInfo without its NULL) is refused.
                self.assertEqual(found, test["result"] == "valid", f"case {test['tcId']}: {test['comment']}")
                counts[test["result"]] += 1
        return counts

    def test_wycheproof_p256(self):
        def verify(group, message, signature):
            return v._PublicKey.parse(bytes.fromhex(group["publicKeyDer"])).verify(message, signature)

        counts = self.wycheproof("ecdsa_secp256r1_sha256_test.json", verify)
        self.assertEqual(counts, {"valid": 174, "invalid": 310, "acceptable": 0})

    def test_wycheproof_rsa(self):
        def verify(group, message, signature):
            spki = bytes.fromhex(group["publicKeyDer"])
            if group["publicKey"]["publicExponent"] == "010001":
                return v._PublicKey.parse(spki).verify(message, signature)
            # Policy: a key with another exponent, here 3, is refused whatever its signatures are.
            refused.append(refusal(v._PublicKey.parse, spki))
            return True

        refused = []
        counts = self.wycheproof("rsa_signature_2048_sha256_test.json", verify)
        self.assertEqual(counts, {"valid": 9, "invalid": 249, "acceptable": 1})
        self.assertEqual(len(refused), 2)
        self.assertNotIn(None, refused)

    def test_wycheproof_ed25519(self):
        def verify(group, message, signature):
            return v._ed25519_verify(bytes.fromhex(group["publicKey"]["pk"]), message, signature)

        counts = self.wycheproof("ed25519_test.json", verify)
        self.assertEqual(counts, {"valid": 88, "invalid": 63, "acceptable": 0})

    def test_canonical_json(self):
        limits = v._Limits(1 << 20, 32)
        names = ["arrays", "french", "structures", "unicode", "values", "weird"]
        self.assertEqual(sorted(os.listdir(os.path.join(FOLDER, "jcs", "input"))), [f"{name}.json" for name in names])
        for name in names:
            given, expected = text_of("jcs", "input", f"{name}.json"), text_of("jcs", "output", f"{name}.json")
            if name == "values":
                # Policy: a number that the canonical form would change is refused, by name and place.
                inexact = "333333333.33333329"
                words = f"/numbers/0: the number {inexact} cannot be kept exactly; send it as a string"
                self.assertEqual(refusal(v._parse_json, given, limits), words)
                given = given.replace(inexact.encode(), b"333333333.3333333")
            self.assertEqual(v._canonical(v._parse_json(given, limits)).encode(), expected, name)
            self.assertEqual(bytes.fromhex(text_of("jcs", "outhex", f"{name}.txt").decode()), expected, name)
            v._parse_canonical(expected, limits)
            self.assertIsNotNone(refusal(v._parse_canonical, given, limits), name)

    def merkle(self, kind, verify):
        counts = {True: 0, False: 0}
        for folder, _, names in os.walk(os.path.join(FOLDER, "merkle", kind)):
            for name in names:
                case = load(folder, name)
                proof = [base64.b64decode(node) for node in case["proof"] or []]
                accepted = self.are_hashes(case, proof) and refusal(verify, case, proof) is None
                self.assertEqual(accepted, not case["wantErr"], os.path.join(folder, name))
                counts[accepted] += 1
        return counts

    def are_hashes(self, case, proof):
        """A hash of another length cannot stand in a receipt, which is how some of the bad cases are bad."""
        named = [base64.b64decode(case[name]) for name in ("root", "leafHash", "root1", "root2") if name in case]
        return all(len(node) == 32 for node in named + proof)

    def test_inclusion_proofs(self):
        def verify(case, proof):
            leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
            v._verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)

        counts = self.merkle("inclusion", verify)
        self.assertTrue(counts[True] >= 5 and counts[False] >= 50, counts)

    def test_consistency_proofs(self):
        def verify(case, proof):
            old, new = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
            v._verify_consistency(case["size1"], case["size2"], old, new, proof)

        counts = self.merkle("consistency", verify)
        self.assertTrue(counts[True] >= 4 and counts[False] >= 50, counts)


USER_NOT_VERIFIED = "no user verification (UV)"
ALGORITHM = "algorithm"

#: Every case of WebAuthn Level 3 "Test Vectors", and why our profile refuses its authentication; none if it does not.
WEBAUTHN = {
    "none-es256": USER_NOT_VERIFIED,
    "packed-self-es256": USER_NOT_VERIFIED,
    "none-es256-crossOrigin": "crossOrigin is true",
    # It has crossOrigin true as well, which is looked at first.
    "none-es256-topOrigin": "crossOrigin is true",
    "none-es256-long-credential-id": None,
    "packed-es256": None,
    "packed-es384": ALGORITHM,
    "packed-es512": ALGORITHM,
    "packed-rs256": USER_NOT_VERIFIED,
    "packed-eddsa": ALGORITHM,
    "packed-ed448": ALGORITHM,
    "tpm-es256": None,
    "android-key-es256": USER_NOT_VERIFIED,
    "apple-es256": USER_NOT_VERIFIED,
    "fido-u2f-es256": USER_NOT_VERIFIED,
}


def spki_of(cose):
    """SPKI DER of a COSE key whose form the vectors fix; none for an algorithm that has no place in a log."""
    es256 = bytes.fromhex("a5010203262001215820")
    if cose.startswith(es256):
        return v._ES256_SPKI_PREFIX + b"\x04" + cose[10:42] + cose[45:]
    rs256 = bytes.fromhex("a401030339010020")
    if cose.startswith(rs256):
        # The modulus has a length of two bytes, and the exponent 65537 follows it.
        length = int.from_bytes(cose[9:11], "big")
        assert cose[8] == 0x59 and cose[11 + length :] == bytes.fromhex("2143010001")
        return v._rsa_spki_der(int.from_bytes(cose[11 : 11 + length], "big"))
    return None


@NEEDS_VECTORS
class WebAuthn(unittest.TestCase):
    def setUp(self):
        file = load("webauthn_l3.json")
        self.cases = file["cases"]
        self.trust = v.Trust((), file["rp_id"], (file["origin"],), None, {}, (), 0)

    def parts(self, case):
        cose = bytes.fromhex(case["registration"]["_decoded"]["credentialPublicKeyCose"])
        given = case["authentication"]
        parts = (bytes.fromhex(given[name]) for name in ("authenticatorData", "clientDataJSON", "signature"))
        return spki_of(cose), v._Assertion(*parts), bytes.fromhex(given["challenge"])

    def test_every_authentication_has_its_verdict(self):
        self.assertEqual([f"sctn-test-vectors-{name}" for name in WEBAUTHN], [case["anchor"] for case in self.cases])
        for case, (name, expected) in zip(self.cases, WEBAUTHN.items()):
            spki, assertion, challenge = self.parts(case)
            self.assertEqual(spki is None, expected == ALGORITHM, name)
            if spki is None:
                continue
            key = v._PublicKey.parse(spki)
            found = refusal(v._verify_assertion, assertion, challenge, self.trust, key)
            self.assertTrue(found is None if expected is None else found and expected in found, f"{name}: {found}")
            # It is the profile and not the signature check that refuses: the signature is good in every case.
            self.assertIsNone(refusal(v._verify_assertion_signature, assertion, key), name)
            longer = assertion.authenticator_data + b"\x00"
            other = v._Assertion(longer, assertion.client_data_json, assertion.signature)
            self.assertIsNotNone(refusal(v._verify_assertion_signature, other, key), name)

    def test_every_accepted_case_has_refused_twins(self):
        accepted = [case for case, expected in zip(self.cases, WEBAUTHN.values()) if expected is None]
        self.assertEqual(len(accepted), 3)
        for case in accepted:
            spki, assertion, challenge = self.parts(case)
            key = v._PublicKey.parse(spki)
            for words, twin_challenge, rp_id, web_origins in [
                ("challenge", bytes(32), self.trust.rp_id, self.trust.web_origins),
                ("rpIdHash", challenge, "example.com", self.trust.web_origins),
                ("origin", challenge, self.trust.rp_id, ()),
            ]:
                trust = v.Trust((), rp_id, web_origins, None, {}, (), 0)
                self.assertIn(words, refusal(v._verify_assertion, assertion, twin_challenge, trust, key))


if __name__ == "__main__":
    unittest.main()
