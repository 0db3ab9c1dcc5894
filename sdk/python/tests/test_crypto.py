"""Curves, RSA, public keys, CBOR and Merkle proofs: laws, edges and refusals."""

import unittest

from made import (
    ALEX,
    SAM,
    Ed25519Key,
    P256Key,
    RsaKey,
    affine,
    consistency,
    path,
    root_of,
    sha256,
    v,
)

RSA = RsaKey(1)


def is_refused(function, *arguments):
    try:
        function(*arguments)
    except v.Refusal:
        return True
    return False


class P256(unittest.TestCase):
    def test_accepts_both_halves_of_s(self):
        r, s = ALEX.numbers(b"message")
        for either in (s, v._P256_N - s):
            signature = v._der(0x30, v._der_integer(r) + v._der_integer(either))
            self.assertTrue(v._p256_verify(ALEX.point, b"message", signature))
            self.assertFalse(v._p256_verify(ALEX.point, b"messages", signature))
            self.assertFalse(v._p256_verify(SAM.point, b"message", signature))

    def test_addition_has_no_exceptions(self):
        g, order = v._P256_G, v._P256_N
        two = affine(2)
        for a, b, expected in [(1, 1, 2), (3, -1, 2), (order - 1, 3, 2), (0, 2, 2), (2, 0, 2)]:
            x, y, z = v._double_multiple(v._p256_add, v._P256_IDENTITY, a % order, g, b % order, g)
            inverse = pow(z, -1, v._P256_P)
            self.assertEqual((x * inverse**2 % v._P256_P, y * inverse**3 % v._P256_P), two, (a, b, expected))
        for a, b in [(0, 0), (1, order - 1), (order, 0)]:
            self.assertEqual(v._double_multiple(v._p256_add, v._P256_IDENTITY, a, g, b, g)[2], 0)

    def test_keys_near_the_base_point(self):
        for secret in (1, 2, v._P256_N - 1, v._P256_N - 2):
            key = P256Key.__new__(P256Key)
            key.secret, key.point, key.spki_der = secret, affine(secret), bytes([secret % 251])
            self.assertTrue(v._p256_verify(key.point, b"m", key.sign(b"m")), secret)

    def test_refuses_lax_encodings(self):
        good = ALEX.sign(b"m")
        numbers = v._ecdsa_numbers(good)
        self.assertEqual(numbers, ALEX.numbers(b"m"))
        raw = b"".join(n.to_bytes(32, "big") for n in numbers)
        n = v._der_integer(v._P256_N)
        one = v._der_integer(1)
        for other in [
            b"",
            good + b"\x00",
            good[:-1],
            raw,
            bytes.fromhex("3006020100020101"),
            bytes.fromhex("3006020101020100"),
            bytes.fromhex("308106020101020101"),
            bytes.fromhex("30800201010201010000"),
            bytes.fromhex("3006020181020101"),
            bytes.fromhex("300702020001020101"),
            bytes.fromhex("3106020101020101"),
            bytes.fromhex("30060201ff0201ff"),
            bytes.fromhex("300602ff01020101"),
            v._der(0x30, n + one),
            v._der(0x30, one + n),
        ]:
            self.assertIsNone(v._ecdsa_numbers(other), other.hex())
        self.assertEqual(v._ecdsa_numbers(bytes.fromhex("3006020101020101")), (1, 1))


class Rsa(unittest.TestCase):
    def test_sizes_and_bounds(self):
        self.assertEqual(RSA.modulus.bit_length(), 2048)
        signature = RSA.sign(b"m")
        self.assertTrue(v._rsa_verify(RSA.modulus, b"m", signature))
        self.assertFalse(v._rsa_verify(RSA.modulus, b"n", signature))
        number = int.from_bytes(signature, "big")
        self.assertTrue(v._is_rsa_encoding(RSA.modulus, signature))
        for other in [
            b"",
            b"\x00" + signature,
            signature[:-1],
            RSA.modulus.to_bytes(256, "big"),
            (number + RSA.modulus).to_bytes(257, "big"),
        ]:
            self.assertFalse(v._is_rsa_encoding(RSA.modulus, other))
            self.assertFalse(v._rsa_verify(RSA.modulus, b"m", other))

    def test_padding_is_compared_whole(self):
        digest_info = v._SHA256_DIGEST_INFO + sha256(b"m")
        without_null = bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420") + sha256(b"m")
        for encoded in [
            b"\x00\x01" + b"\xff" * 8 + b"\x00" + digest_info + b"\xff" * (256 - 11 - len(digest_info)),
            b"\x00\x02" + b"\xff" * (253 - len(digest_info)) + b"\x00" + digest_info,
            b"\x00\x01" + b"\xff" * (253 - len(without_null)) + b"\x00" + without_null,
            b"\x00\x01" + b"\xff" * 221 + b"\x00" + sha256(b"m"),
        ]:
            self.assertEqual(len(encoded), 256)
            signature = pow(int.from_bytes(encoded, "big"), RSA.exponent, RSA.modulus).to_bytes(256, "big")
            self.assertFalse(v._rsa_verify(RSA.modulus, b"m", signature))


class PublicKeys(unittest.TestCase):
    def test_one_encoding_of_p256(self):
        good = ALEX.spki_der
        key = v._PublicKey.parse(good)
        self.assertEqual((key.algorithm, key.credential), ("ES256", ALEX.credential))
        for at in range(27):
            changed = bytearray(good)
            changed[at] ^= 1
            self.assertTrue(is_refused(v._PublicKey.parse, bytes(changed)), at)
        x_and_p = good[:27] + (ALEX.point[0]).to_bytes(32, "big") + v._P256_P.to_bytes(32, "big")
        off_curve = good[:90] + bytes([good[90] ^ 1])
        for other in [b"", good[:-1], good + b"\x00", off_curve, good[:27] + bytes(64), x_and_p]:
            self.assertTrue(is_refused(v._PublicKey.parse, other), other.hex())

    def test_one_encoding_of_rsa(self):
        self.assertEqual(v._PublicKey.parse(RSA.spki_der).algorithm, "RS256")
        self.assertEqual(RSA.spki_der[:4].hex(), "30820122")
        # The header and the exponent; a change of the modulus is another key, unless it is even or too short.
        for at in [*range(33), *range(len(RSA.spki_der) - 6, len(RSA.spki_der))]:
            changed = bytearray(RSA.spki_der)
            changed[at] ^= 1 if at != 32 else 0x80
            self.assertTrue(is_refused(v._PublicKey.parse, bytes(changed)), at)
        sizes = [(1 << 2047) + 1, (1 << 2048) - 1, (1 << 3000) + 1, (1 << 3481) + 1, (1 << 4096) - 1]
        for modulus in sizes:
            self.assertEqual(v._PublicKey.parse(v._rsa_spki_der(modulus)).numbers, (modulus,))
        for modulus in [(1 << 2047) - 1, (1 << 4096) + 1, (1 << 2047) + 2]:
            self.assertTrue(is_refused(v._PublicKey.parse, v._rsa_spki_der(modulus)), modulus)
        for other in [RSA.spki_der + b"\x00", RSA.spki_der[:-1], RSA.spki_der[:19], RSA.spki_der[:30]]:
            self.assertTrue(is_refused(v._PublicKey.parse, other))


class Ed25519(unittest.TestCase):
    def setUp(self):
        self.key = Ed25519Key("a", 7)
        self.public = self.key.public_key
        self.signature = self.key.sign(b"m")

    def test_one_signature(self):
        self.assertTrue(v._ed25519_verify(self.public, b"m", self.signature))
        self.assertFalse(v._ed25519_verify(self.public, b"n", self.signature))
        for at in range(0, 64, 7):
            changed = bytearray(self.signature)
            changed[at] ^= 4
            self.assertFalse(v._ed25519_verify(self.public, b"m", bytes(changed)), at)
        for other in (b"", self.signature[:-1], self.signature + b"\x00"):
            self.assertFalse(v._ed25519_verify(self.public, b"m", other))

    def test_s_is_canonical(self):
        s = int.from_bytes(self.signature[32:], "little") + v._ED_L
        self.assertFalse(v._ed25519_verify(self.public, b"m", self.signature[:32] + s.to_bytes(32, "little")))

    def test_points_have_one_encoding(self):
        for number in [v._ED_P, v._ED_P + 1, (1 << 255) - 1, 1 | 1 << 255, v._ED_P - 1 | 1 << 255, 2]:
            self.assertIsNone(v._ed25519_point(number.to_bytes(32, "little")), number)
        self.assertEqual(v._ed25519_point((1).to_bytes(32, "little")), (0, 1, 1, 0))

    def test_small_orders_are_refused(self):
        identity = (1).to_bytes(32, "little")
        # With A and R the identity and S zero the equation holds for every message.
        self.assertFalse(v._ed25519_verify(identity, b"m", identity + bytes(32)))
        for small in [0, 1, v._ED_P - 1]:
            encoded = small.to_bytes(32, "little")
            self.assertTrue(v._ed25519_is_small(v._ed25519_point(encoded)))
            self.assertFalse(v._ed25519_verify(encoded, b"m", self.signature))
            self.assertFalse(v._ed25519_verify(self.public, b"m", encoded + self.signature[32:]))
        self.assertFalse(v._ed25519_is_small(v._ED_BASE))


class Cbor(unittest.TestCase):
    def test_strict(self):
        nested = b"\x81" * 7 + b"\x00"
        a_map = b"\xa2\x01\x00\x61a\x82\xf4\xf6"
        for good in [b"\x00", b"\x18\x18", b"\x20", b"\x42ab", b"\x62\xc3\xa9", a_map, nested]:
            self.assertEqual(v._Cbor(good).item(0, 1), len(good), good.hex())
        for bad in [
            b"",
            b"\x18",
            b"\x18\x17",
            b"\x19\x00\xff",
            b"\x1a\x00\x00\xff\xff",
            b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff",
            b"\x1c",
            b"\x42a",
            b"\x5b" + b"\xff" * 8,
            b"\x9b" + b"\xff" * 8 + b"\x00",
            b"\xbb" + b"\xff" * 8 + b"\x00",
            b"\x5f\xff",
            b"\x9f\xff",
            b"\xbf\xff",
            b"\x61\xff",
            b"\xc0\x00",
            b"\xf7",
            b"\xf9\x00\x00",
            b"\xff",
            b"\xa1\x01",
            b"\xa1\x40\x00",
            b"\xa2\x01\x00\x01\x00",
            b"\xa2\x61a\x00\x61a\x00",
            b"\x81" + nested,
        ]:
            self.assertTrue(is_refused(v._Cbor(bad).item, 0, 1), bad.hex())


class Merkle(unittest.TestCase):
    LEAVES = tuple(sha256(bytes([0, n])) for n in range(34))

    def test_inclusion_of_all_small_sizes(self):
        for size in range(1, 34):
            leaves = self.LEAVES[:size]
            root = root_of(leaves)
            for index, leaf in enumerate(leaves):
                proof = path(leaves, index)
                v._verify_inclusion(leaf, index, size, proof, root)
                self.assertTrue(is_refused(v._verify_inclusion, leaf, index, size, [*proof, root], root))
                for at in range(len(proof)):
                    changed = [*proof[:at], sha256(proof[at]), *proof[at + 1 :]]
                    self.assertTrue(is_refused(v._verify_inclusion, leaf, index, size, changed, root))
                    self.assertTrue(is_refused(v._verify_inclusion, leaf, index, size, proof[:-1], root))

    def test_an_index_outside_of_the_tree(self):
        for index, size in [(0, 0), (1, 1), (1 << 53, 7)]:
            self.assertTrue(is_refused(v._verify_inclusion, self.LEAVES[0], index, size, [], self.LEAVES[0]))
        self.assertTrue(is_refused(v._verify_inclusion, self.LEAVES[0], 5, (1 << 64) - 1, [], self.LEAVES[0]))

    def test_consistency_of_all_small_sizes(self):
        roots = [root_of(self.LEAVES[:size]) for size in range(18)]
        for new in range(18):
            for old in range(new + 1):
                proof = consistency(self.LEAVES[:new], old) if old else []
                v._verify_consistency(old, new, roots[old], roots[new], proof)
                if old:
                    self.assertTrue(is_refused(v._verify_consistency, old, new, roots[0], roots[new], proof))
                    self.assertTrue(is_refused(v._verify_consistency, old, new, roots[old], roots[0], proof))
                more = [*proof, roots[0]]
                self.assertTrue(is_refused(v._verify_consistency, old, new, roots[old], roots[new], more))
                if new > old:
                    self.assertTrue(is_refused(v._verify_consistency, new, old, roots[new], roots[old], proof))


if __name__ == "__main__":
    unittest.main()
