"""Receipts made by hand: a log in memory, a software authenticator with fixed keys, and what to change in between.

A `Story` is what happened; `receipt()` is its receipt from a log of its own. Each hook of `changes` gets one part
before everything that depends on it is made, so that exactly one thing is wrong.
"""

import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from countersign import verify as _verify_function  # noqa: E402

#: The module: the package's attribute of that name is the function in it.
v = sys.modules["countersign.verify"]
assert v.verify is _verify_function

LOG = "approvals.example.com/log"
RP_ID = "approvals.example.com"
WEB_ORIGIN = "https://approvals.example.com"


def sha256(data):
    return hashlib.sha256(data).digest()


class P256Key:
    """A key whose secret scalar is one byte, or a number of two bytes, repeated to 32. Its nonce is made of the message."""

    alg = "ES256"

    def __init__(self, byte):
        self.secret = int.from_bytes((bytes([byte]) * 2 if byte < 256 else byte.to_bytes(2, "big")) * 16, "big")
        self.point = affine(self.secret)
        self.spki_der = v._ES256_SPKI_PREFIX + b"\x04" + b"".join(n.to_bytes(32, "big") for n in self.point)
        self.credential = sha256(self.spki_der)

    def numbers(self, message):
        nonce = int.from_bytes(sha256(self.spki_der + message), "big") % v._P256_N
        r = affine(nonce)[0] % v._P256_N
        hashed = int.from_bytes(sha256(message), "big")
        return r, pow(nonce, -1, v._P256_N) * (hashed + r * self.secret) % v._P256_N

    def sign(self, message):
        r, s = self.numbers(message)
        return v._der(0x30, v._der_integer(r) + v._der_integer(s))


def affine(scalar):
    x, y, z = v._double_multiple(v._p256_add, v._P256_IDENTITY, scalar, v._P256_G, 0, v._P256_G)
    inverse = pow(z, -1, v._P256_P)
    return x * inverse**2 % v._P256_P, y * inverse**3 % v._P256_P


class RsaKey:
    """A key of two fixed primes of about 1,024 bits: the next ones at or above a number made of a byte."""

    alg = "RS256"

    def __init__(self, byte, bits=2048):
        p, q = (next_prime(fixed_number(bytes([byte, n]), bits // 2)) for n in (0, 1))
        self.modulus = p * q
        self.exponent = pow(65537, -1, (p - 1) * (q - 1))
        self.spki_der = v._rsa_spki_der(self.modulus)
        self.credential = sha256(self.spki_der)

    def sign(self, message):
        length = (self.modulus.bit_length() + 7) // 8
        info = bytes.fromhex("3031300d060960864801650304020105000420") + sha256(message)
        encoded = b"\x00\x01".ljust(length - len(info) - 1, b"\xff") + b"\x00" + info
        return pow(int.from_bytes(encoded, "big"), self.exponent, self.modulus).to_bytes(length, "big")


def fixed_number(seed, bits):
    """A number with its two highest bits set, so that the product of two has twice as many."""
    return int.from_bytes(hashlib.shake_256(seed).digest(bits // 8), "big") | 3 << (bits - 2) | 1


def next_prime(number):
    while not all(number % small for small in (3, 5, 7, 11, 13, 17, 19, 23)) or pow(2, number - 1, number) != 1:
        number += 2
    return number


class Ed25519Key:
    """A key of a note: a log's or a witness's."""

    def __init__(self, name, byte, kind=1):
        expanded = hashlib.sha512(bytes([byte]) * 32).digest()
        self.scalar = int.from_bytes(expanded[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = expanded[32:]
        self.public_key = ed25519_encoded(self.scalar)
        self.name = name
        blob = bytes([kind]) + self.public_key
        self.id = sha256(name.encode() + b"\n" + blob)[:4]
        self.text = f"{name}+{self.id.hex()}+{v.base64.b64encode(blob).decode()}"

    def sign(self, message):
        nonce = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % v._ED_L
        commitment = ed25519_encoded(nonce)
        digest = hashlib.sha512(commitment + self.public_key + message).digest()
        s = (nonce + int.from_bytes(digest, "little") * self.scalar) % v._ED_L
        return commitment + s.to_bytes(32, "little")

    def line(self, text):
        return self._line(self.sign(text.encode()))

    def cosign(self, text, time):
        signature = self.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        return self._line(time.to_bytes(8, "big") + signature)

    def _line(self, signature):
        return f"— {self.name} {v.base64.b64encode(self.id + signature).decode()}\n"


def ed25519_encoded(scalar):
    x, y, z, _ = v._double_multiple(v._ed25519_add, v._ED_IDENTITY, scalar, v._ED_BASE, 0, v._ED_BASE)
    inverse = pow(z, -1, v._ED_P)
    x, y = x * inverse % v._ED_P, y * inverse % v._ED_P
    return (y | (x & 1) << 255).to_bytes(32, "little")


ALEX, ALEX_NEW, SAM, MALLORY = (P256Key(byte) for byte in (0x21, 0x22, 0x23, 0x24))
LOG_KEY = Ed25519Key(LOG, 0x10)


def canonical(members):
    """Canonical JSON of ours: ASCII keys, no numbers but small integers."""
    return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def b64(data):
    return v._base64url(data)


def label(name, log=LOG):
    return b64(sha256(f"countersign/approver/v1\n{log}\n{name}".encode()))


def authenticator_data():
    return sha256(RP_ID.encode()) + bytes([0x05, 0, 0, 0, 1])


def client_data(challenge):
    members = {"type": "webauthn.get", "challenge": b64(challenge), "origin": WEB_ORIGIN, "crossOrigin": False}
    return json.dumps(members, separators=(",", ":")).encode()


def assertion(key, challenge):
    data, client = authenticator_data(), client_data(challenge)
    return assertion_members(data, client, key.sign(data + sha256(client)))


def assertion_members(data, client, signature):
    return {"authenticator_data": b64(data), "client_data_json": b64(client), "signature": b64(signature)}


def trust_members():
    return {"logs": [LOG_KEY.text], "rp_id": RP_ID, "type": "countersign/trust/v1", "web_origins": [WEB_ORIGIN]}


def trust(**members):
    return v.Trust.parse(canonical({**trust_members(), **members}).encode())


class Story:
    """Who was enrolled and who decided what. By default alex is asked, and approves."""

    def __init__(self, approvers=("alex",), quorum=1, enrolments=None, votes=None, foreign=(), core=None, **changes):
        self.core = {
            "action": "Deploy api-gateway to production",
            "approvers": list(approvers),
            "expires_at": "2026-03-01T12:05:00Z",
            "id": "cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j",
            "issued_at": "2026-03-01T12:00:00Z",
            "log": LOG,
            "nonce": b64(b"\x0a" * 32),
            "payload": {"env": "production", "replicas": 3, "service": "api-gateway"},
            "quorum": quorum,
            "requester": "deploy-bot",
            "reveal": False,
            "type": "countersign/document/v1",
            "use_by": "2026-03-01T13:05:00Z",
            **(core or {}),
        }
        self.enrolments = enrolments if enrolments is not None else [("alex", ALEX, None)]
        self.votes = votes or [("alex", ALEX, "approve", "2026-03-01T12:00:30Z")]
        self.foreign = list(foreign)
        self.changes = changes

    @classmethod
    def two_of_three(cls, **changes):
        return cls(
            approvers=("alex", "kim", "sam"),
            quorum=2,
            enrolments=[("alex", ALEX, None), ("sam", SAM, None)],
            votes=[
                ("sam", SAM, "approve", "2026-03-01T12:00:40Z"),
                ("alex", ALEX, "approve", "2026-03-01T12:00:50Z"),
            ],
            foreign=[b"a raw entry", b"\xff\x00"],
            **changes,
        )

    @classmethod
    def second_key(cls, enrolments=None, **changes):
        keys = enrolments or [("alex", ALEX, None), ("alex", ALEX_NEW, ALEX)]
        return cls(enrolments=keys, votes=[("alex", ALEX_NEW, "approve", "2026-03-01T12:00:30Z")], **changes)

    def _changed(self, name, part):
        return self.changes.get(name, lambda same: same)(part)

    def receipt(self):
        """The receipt's bytes."""
        log = list(self.foreign)
        late = self.changes.get("enrolled_late", False)
        enrolled = [] if late else self._write_enrolments(log)
        log += self.foreign
        decided = []
        for n, vote in enumerate(self.votes):
            document, entry = self._decide(n, *vote)
            decided.append((document, len(log)))
            log.append(entry)
        enrolled = self._write_enrolments(log) if late else enrolled
        log += self.foreign
        leaves = [sha256(b"\x00" + entry) for entry in log]
        receipt = {
            "checkpoint": self._note(leaves),
            "decisions": [{"document": document, **logged(log, leaves, index)} for document, index in decided],
            "enrolments": [logged(log, leaves, index) for index in enrolled],
            "type": "countersign/receipt/v1",
        }
        return self._changed("text", canonical(self._changed("receipt", receipt))).encode()

    def _write_enrolments(self, log):
        indexes = []
        for name, key, by in self.enrolments:
            indexes.append(len(log))
            log.append(self._enrol(name, key, by))
        return indexes

    def _enrol(self, name, key, by):
        entry = {
            "alg": key.alg,
            "approver": label(name),
            "authorised_by": {"invite": b64(b"\x1b" * 32)},
            "backup_eligible": True,
            "enrolled_at": "2026-01-01T09:00:00Z",
            "public_key": b64(key.spki_der),
            "rp_id": RP_ID,
        }
        if by is not None:
            names = ("approver", "public_key", "rp_id")
            signed = {"log": LOG, "type": "countersign/enrolment/v1", **{name: entry[name] for name in names}}
            challenge = b"\x0e" * 32 + sha256(canonical(signed).encode())
            entry["authorised_by"] = {"credential": b64(by.credential), **assertion(by, challenge)}
        text = "countersign/credential/v1\n" + canonical(self._changed("enrolment", entry))
        return self._changed("enrolment_text", text).encode()

    def _decide(self, n, name, key, decision, at):
        own = {"approver": name, "decision": decision, "salt": b64(bytes([0x50 + n]) * 32)}
        document = self._changed("document", canonical({**self.core, **own}))
        challenge = self._changed("challenge", b"\x0a" * 32 + sha256(document.encode()))
        client = self._changed("client_data", client_data(challenge))
        data = self._changed("authenticator_data", authenticator_data())
        signature = self._changed("signature", key.sign(data + sha256(client)))
        entry = {
            "approver": label(name, self.core["log"]),
            "credential": b64(key.credential),
            "decided_at": at,
            "decision": decision,
            **assertion_members(data, client, signature),
        }
        text = "countersign/decision/v1\n" + canonical(self._changed("decision", entry))
        return document, self._changed("decision_text", text).encode()

    def _note(self, leaves):
        root = v.base64.b64encode(root_of(leaves)).decode()
        text = self._changed("checkpoint", f"{LOG}\n{len(leaves)}\n{root}\n")
        key = self.changes.get("log_key", LOG_KEY)
        witnesses = "".join(witness.cosign(text, at) for witness, at in self.changes.get("witnesses", []))
        return self._changed("note", f"{text}\n{key.line(text)}{witnesses}")


def logged(log, leaves, index):
    return {"entry": log[index].decode(), "hashes": [b64(node) for node in path(leaves, index)], "index": index}


def split(leaves):
    """The largest power of two below the number of leaves (RFC 6962 §2.1)."""
    return 1 << (len(leaves) - 1).bit_length() - 1


def root_of(leaves):
    """The root hash, straight from RFC 6962 §2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    at = split(leaves)
    return sha256(b"\x01" + root_of(leaves[:at]) + root_of(leaves[at:]))


def path(leaves, index):
    """An inclusion proof, straight from RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    at = split(leaves)
    if index < at:
        return [*path(leaves[:at], index), root_of(leaves[at:])]
    return [*path(leaves[at:], index - at), root_of(leaves[:at])]


def consistency(leaves, old, is_whole=True):
    """A consistency proof, straight from RFC 6962 §2.1.2."""
    if old == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    at = split(leaves)
    if old <= at:
        return [*consistency(leaves[:at], old, is_whole), root_of(leaves[at:])]
    return [*consistency(leaves[at:], old - at, False), root_of(leaves[:at])]
