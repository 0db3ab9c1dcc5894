"""A webhook is from the server, new, and shows what it says; anything else is an error."""

import base64
import hashlib
import hmac
import json
import os
import unittest

from made import HERE, v

from countersign.errors import Mismatch, NotVerified
from countersign.webhooks import NotSigned, verify_webhook

NOW = 1_800_000_000
KEY = bytes([7]) * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
GENUINE = os.path.join(HERE, "..", "..", "..", "testdata", "receipts", "genuine", "approved.json")


def case():
    with open(GENUINE, "rb") as file:
        members = json.load(file)
    trust = members["trust"]
    text = trust if isinstance(trust, str) else json.dumps(trust)
    document = json.loads(json.loads(members["receipt"])["decisions"][0]["document"])
    core = {name: value for name, value in document.items() if name not in ("approver", "decision", "salt")}
    # The canonical form: the names of this document are in the right order already.
    return members["receipt"], v.Trust.parse(text.encode()), json.dumps(core, separators=(",", ":"), ensure_ascii=False)


RECEIPT, TRUST, CORE = case()
ID = json.loads(CORE)["id"]


def ed25519(seed, message):
    """A signature by RFC 8032, made with the verifier's own arithmetic."""
    half = hashlib.sha512(seed).digest()
    number = int.from_bytes(half[:32], "little") & ((1 << 254) - 8) | 1 << 254
    from made import ed25519_encoded

    public = ed25519_encoded(number)
    once = int.from_bytes(hashlib.sha512(half[32:] + message).digest(), "little") % v._ED_L
    commitment = ed25519_encoded(once)
    challenge = int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % v._ED_L
    return public, commitment + ((once + challenge * number) % v._ED_L).to_bytes(32, "little")


PUBLIC = "whpk_" + base64.b64encode(ed25519(bytes(32), b"")[0]).decode()


def webhook(id="msg_1", time=NOW, confirmation=ID, **changes):
    data = {"id": confirmation, "status": "approved", "core": CORE, "receipt": RECEIPT, **changes}
    body = json.dumps({"type": f"confirmation.{data['status']}", "timestamp": "2026-11-22T10:00:00Z", "data": data}).encode()
    signed = f"{id}.{time}.".encode() + body
    code = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    signature = base64.b64encode(ed25519(bytes(32), signed)[1]).decode()
    names = {"Webhook-Id": id, "Webhook-Timestamp": str(time), "Webhook-Signature": f"v1,{code} v1a,{signature}"}
    return body, names


def check(sent, **options):
    return verify_webhook(*sent, **{"trust": TRUST, "core": None, "secret": SECRET, "public_key": PUBLIC, "now": NOW, **options})


class Webhooks(unittest.TestCase):
    def test_a_genuine_one_says_what_was_decided(self):
        found = check(webhook(), core=lambda id: CORE if id == ID else None)
        self.assertEqual(found.status, "approved")
        event = check(webhook(), core=CORE)
        self.assertEqual((event.id, event.status, event.report.verdict), ("msg_1", "approved", "approved"))
        for one in ({"public_key": None}, {"secret": None}):
            self.assertEqual(check(webhook(), **one).status, "approved")
        expired = check(webhook(status="expired", receipt=None))
        self.assertEqual((expired.status, expired.report), ("expired", None))

    def test_one_that_is_forged_changed_old_or_from_the_future_is_not_signed(self):
        body, headers = webhook()
        signature = headers["Webhook-Signature"]
        wrong = [
            (body + b" ", headers),
            (webhook(id="cnf_2")[0] + b"", {**headers, "Webhook-Id": "msg_2"}),
            (body, {**headers, "Webhook-Timestamp": str(NOW + 1)}),
            (body, {**headers, "Webhook-Timestamp": "٣"}),
            (body, {**headers, "Webhook-Signature": ""}),
            (body, {**headers, "Webhook-Signature": signature.replace("v1,", "v2,")}),
            (body, {**headers, "Webhook-Signature": signature.replace("v1a,", "v1b,")}),
            (body, {**headers, "Webhook-Signature": "v1,%%% v1a,%%%"}),
            (body, {}),
            webhook(time=NOW - 301),
            webhook(time=NOW + 301),
        ]
        for sent in wrong:
            with self.assertRaises(NotSigned):
                check(sent)
        with self.assertRaises(NotSigned):
            check(webhook(), secret="whsec_" + base64.b64encode(bytes(32)).decode())
        for options in ({"secret": None, "public_key": None}, {"secret": "x"}):
            with self.assertRaises(ValueError):
                check(webhook(), **options)
        self.assertEqual(check(webhook(time=NOW - 300)).status, "approved")
        for options in ({"tolerance": float("nan")}, {"now": float("nan")}):
            with self.assertRaises(NotSigned):
                check(webhook(time=0), **options)
        body, headers = webhook()
        with self.assertRaises(NotSigned):
            check((body, {**headers, "Webhook-Id": "\udc80"}))

    def test_a_signed_one_whose_receipt_does_not_show_it_is_refused(self):
        for changes in ({"receipt": None}, {"receipt": "{}"}, {"status": "rejected"}, {"core": CORE.replace("alex", "sam")}):
            with self.assertRaises(NotVerified):
                check(webhook(**changes))
        for other in ("{}", "", lambda id: None):
            with self.assertRaises(Mismatch):
                check(webhook(), core=other)
        with self.assertRaises(Mismatch):
            check(webhook(confirmation="cnf_victim"))
        for status in ("pending", "x", 7):
            with self.assertRaises(Mismatch):
                check(webhook(status=status))


if __name__ == "__main__":
    unittest.main()
