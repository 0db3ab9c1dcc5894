"""The shared cases in testdata/, one JSON file each, run by the verifiers of every language; and what becomes of a
genuine receipt when bytes of it are cut off or changed. testdata/README.md describes the files."""

import base64
import datetime
import json
import os
import random
import unittest

from made import HERE, v

TESTDATA = os.path.join(HERE, "..", "..", "..", "testdata")
#: The fields that the expectation of a case may have.
EXPECTATIONS = {
    "action", "approvers", "core", "decision", "id", "max_age", "now", "payload", "quorum", "requester", "usable"
}


def cases(below):
    for folder, _, files in sorted(os.walk(os.path.join(TESTDATA, below))):
        for name in sorted(files):
            with open(os.path.join(folder, name), "rb") as file:
                yield f"{os.path.basename(folder)}/{name}", json.load(file)


def receipt(case):
    if "receipt_base64" in case:
        return base64.b64decode(case["receipt_base64"], validate=True)
    if "receipt_repeat" in case:
        parts = case["receipt_repeat"]
        return (parts["before"] + parts["text"] * parts["times"] + parts["after"]).encode()
    return case["receipt"].encode()


def expectation(members):
    """An expectation as a case states it. An unknown one is an error: it must not be left out quietly."""
    assert set(members) <= EXPECTATIONS, f"unknown expectations: {set(members) - EXPECTATIONS}"
    members = dict(members)
    now = members.pop("now", None)
    if "payload" in members:
        members["payload"] = v.parse_payload(json.dumps(members["payload"]).encode())
    if "max_age" in members:
        members["max_age"] = (seconds(now), members["max_age"])
    if members.pop("usable", False):
        members["usable_at"] = seconds(now)
    return v.Expectation(**members)


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Testdata(unittest.TestCase):
    def test_every_receipt_has_its_verdict(self):
        count = 0
        for name, case in cases("receipts"):
            with self.subTest(case=name):
                trust = v.Trust.parse(case["trust"].encode())
                report = v.verify(receipt(case), trust, expectation(case["expectation"]))
                failed = report.failure.id if report.failure else None
                self.assertEqual((report.verdict, failed), (case["verdict"], case["failed_step"]))
                self.assertEqual(report.as_expected, case["failed_step"] is None)
            count += 1
        self.assertGreaterEqual(count, 200, f"too few cases in {TESTDATA}")

    def test_every_trust_file_is_read_or_refused(self):
        count = 0
        for name, case in cases("trust"):
            with self.subTest(case=name):
                try:
                    v.Trust.parse(case["trust"].encode())
                    self.assertTrue(case["valid"], "it was read")
                except v.Refusal as refusal:
                    self.assertFalse(case["valid"], str(refusal))
            count += 1
        self.assertGreaterEqual(count, 1, f"no trust files in {TESTDATA}")


class ChangedBytes(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(TESTDATA, "receipts", "genuine", "approved.json"), "rb") as file:
            case = json.load(file)
        self.receipt = case["receipt"].encode()
        self.trust = v.Trust.parse(case["trust"].encode())

    def assert_not_verified(self, data, what):
        report = v.verify(data, self.trust)
        self.assertEqual((report.verdict, report.as_expected), ("not verified", False), what)

    def test_the_receipt_itself_is_approved(self):
        self.assertEqual(v.verify(self.receipt, self.trust).verdict, "approved")

    def test_no_truncation_is_verified(self):
        for length in range(len(self.receipt)):
            self.assert_not_verified(self.receipt[:length], f"cut at {length}")

    def test_no_changed_byte_is_verified(self):
        # Most are cheap, but those that reach a signature take some milliseconds, so every fifth byte must do.
        for at in range(0, len(self.receipt), 5):
            for change in (1, 0x80 >> at % 7):
                changed = bytearray(self.receipt)
                changed[at] ^= change
                self.assert_not_verified(bytes(changed), f"byte {at} xor {change}")

    def test_arbitrary_bytes_raise_nothing(self):
        numbers = random.Random(1)
        pieces = [*rb"""{ } [ ] " \ \u d800 : , 1e - 0 a true""".split(), b"\xff", b"\xed\xa0\x80", b" "]
        for _ in range(2000):
            data = b"".join(numbers.choice(pieces) for _ in range(numbers.randrange(40)))
            self.assert_not_verified(data, data)
            try:
                v.Trust.parse(data)
                self.fail(f"a trust file: {data!r}")
            except v.Refusal:
                pass
        self.assert_not_verified(b"[" * 1_000_000, "nested")
        self.assert_not_verified(b"9" * 1_000_000, "a long number")


if __name__ == "__main__":
    unittest.main()
