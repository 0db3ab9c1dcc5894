"""Receipts in which exactly one thing is wrong, so that the step which looks at it is the first to fail."""

import unittest

from made import (
    ALEX,
    ALEX_NEW,
    LOG,
    LOG_KEY,
    MALLORY,
    SAM,
    Ed25519Key,
    P256Key,
    RsaKey,
    Story,
    assertion,
    authenticator_data,
    b64,
    canonical,
    label,
    sha256,
    trust,
    v,
)

RSA = RsaKey(2, 3072)
EMPTY = b64(sha256(b""))


def replaced(old, new):
    """A hook that replaces what must be there, so that no case tests nothing."""

    def change(text):
        assert old in text, f"{old} is not in {text}"
        return text.replace(old, new, 1)

    return change


def with_members(**members):
    return lambda entry: {**entry, **members}


def changed_byte(at, value):
    return lambda data: data[:at] + bytes([value]) + data[at + 1 :]


class Steps(unittest.TestCase):
    def passes(self, story, pinned=None, **expected):
        report = v.verify(story.receipt(), pinned or trust(), v.Expectation(**expected))
        self.assertIsNone(report.failure)
        self.assertTrue(report.as_expected)
        self.assertEqual(len(report.steps), 12)
        return report

    def fails(self, step, cases, pinned=None):
        for name, story in cases:
            with self.subTest(step=step, case=name):
                report = v.verify(story.receipt(), pinned or trust())
                self.assertEqual(report.verdict, "not verified")
                self.assertIsNotNone(report.failure)
                self.assertEqual((report.failure.id, report.facts, report.as_expected), (step, None, False))
                at = v.STEPS.index(step)
                statuses = ["passed"] * at + ["failed"] + ["not reached"] * (11 - at)
                self.assertEqual([one.status for one in report.steps], statuses)

    def test_genuine_receipts(self):
        for story in [Story(), Story.two_of_three(), Story.second_key()]:
            report = self.passes(story)
            found = (report.verdict, report.facts.decision, report.facts.pinned)
            self.assertEqual(found, ("approved", "approve", False))
        rejected = Story(votes=[("alex", ALEX, "reject", "2026-03-01T12:00:00Z")])
        self.assertEqual(self.passes(rejected, decision="reject").verdict, "rejected")
        report = v.verify(rejected.receipt(), trust())
        self.assertEqual((report.verdict, report.failure.id, report.as_expected), ("rejected", "expectation", False))

    def test_one_rejection_ends_it(self):
        story = Story.two_of_three()
        story.votes[1] = ("alex", ALEX, "reject", "2026-03-01T12:00:50Z")
        self.assertEqual(self.passes(story, decision="reject").verdict, "rejected")

    def test_rs256(self):
        decided = [("alex", RSA, "approve", "2026-03-01T12:05:00Z")]
        self.passes(Story(enrolments=[("alex", RSA, None)], votes=decided))
        both = Story(enrolments=[("alex", ALEX, None), ("alex", RSA, ALEX)], votes=decided)
        self.assertIn("2 keys", self.passes(both).steps[7].detail)
        by_rsa = [("alex", RSA, None), ("alex", ALEX_NEW, RSA)]
        self.passes(Story.second_key(enrolments=by_rsa))
        wrong = Story(enrolments=[("alex", RSA, None)], votes=decided, enrolment=with_members(alg="ES256"))
        self.fails("enrolment", [("another algorithm", wrong)])
        for name, change in [
            ("a byte more", lambda signature: signature + b"\x00"),
            ("a byte fewer", lambda signature: signature[1:]),
            ("one bit off", changed_byte(100, 7)),
            ("as large as the modulus", lambda signature: b"\xff" * len(signature)),
            ("of the other algorithm", lambda signature: ALEX.sign(b"m")),
        ]:
            story = Story(enrolments=[("alex", RSA, None)], votes=decided, signature=change)
            self.fails("signature", [(name, story)])

    def test_a_report_is_not_a_boolean(self):
        with self.assertRaises(TypeError):
            bool(v.verify(b"", trust()))

    def test_receipt(self):
        def grown(part, by):
            def change(receipt):
                receipt[part] = by(receipt[part])
                return receipt

            return change

        long_proof = grown("enrolments", lambda parts: [{**parts[0], "hashes": [EMPTY] * 64}])
        self.fails(
            "receipt",
            [
                ("empty", Story(text=lambda _: "")),
                ("a space", Story(text=replaced(',"type"', ', "type"'))),
                ("two newlines", Story(text=lambda text: text + "\n\n")),
                ("an unknown field", Story(receipt=with_members(a=""))),
                ("another type", Story(receipt=with_members(type="countersign/receipt/v2"))),
                ("a repeated field", Story(text=replaced(',"type"', ',"type":"","type"'))),
                ("an index as a text", Story(text=replaced('"index":1', '"index":"1"'))),
                ("an index that is too large", Story(text=replaced('"index":1', '"index":9007199254740994'))),
                ("a byte order mark", Story(text=lambda text: "\ufeff" + text)),
                ("over 32 MiB", Story(text=lambda text: text + " " * (32 << 20))),
                ("no decision", Story(receipt=with_members(decisions=[]))),
                ("no enrolment", Story(receipt=with_members(enrolments=[]))),
                ("33 decisions", Story(receipt=grown("decisions", lambda parts: parts * 33))),
                ("one enrolment twice", Story(receipt=grown("enrolments", lambda parts: parts * 2))),
                ("out of order", Story.two_of_three(receipt=grown("decisions", lambda parts: parts[::-1]))),
                ("64 hashes", Story(receipt=long_proof)),
                ("a short hash", Story(receipt=grown("enrolments", lambda parts: [{**parts[0], "hashes": ["AAAA"]}]))),
                ("a large checkpoint", Story(receipt=with_members(checkpoint="x" * 16_385))),
            ],
        )
        self.passes(Story(text=lambda text: text + "\n"))

    def test_checkpoint(self):
        self.fails(
            "checkpoint",
            [
                ("another key of the log's name", Story(log_key=Ed25519Key(LOG, 0x11))),
                ("an unknown log", Story(checkpoint=replaced("approvals", "other"))),
                ("an extension line", Story(checkpoint=lambda text: text + "extension\n")),
                ("a padded size", Story(checkpoint=replaced("\n2\n", "\n02\n"))),
                ("no note", Story(note=lambda _: "")),
                ("a signature of nobody known", Story(note=replaced("— approvals", "— other"))),
                ("another text under the signature", Story(note=replaced("\n2\n", "\n3\n"))),
                ("a second signature that fails", Story(note=lambda note: note + LOG_KEY.line("other\n"))),
            ],
        )
        self.passes(Story(note=lambda note: note + Ed25519Key("unknown", 3).line("other\n")))
        # Of two pinned keys of one name one suffices, but a line of either that fails spoils the note.
        other = Ed25519Key(LOG, 0x11)
        both = trust(logs=[other.text, LOG_KEY.text])
        self.passes(Story(), both)
        self.fails("checkpoint", [("a spoiled line", Story(note=lambda note: note + other.line("other\n")))], both)

    def test_witnesses(self):
        a, b = (Ed25519Key(name, byte, kind=4) for name, byte in (("a.example/w", 0x31), ("b.example/w", 0x32)))
        again = Ed25519Key("again.example/w", 0x31, kind=4)
        pinned = trust(witnesses=[a.text, b.text, again.text], witness_quorum=2)
        found = self.passes(Story(witnesses=[(a, 1), (b, 1)]), pinned).steps[1].detail
        self.assertTrue(found.endswith("and 2 witness keys"), found)
        self.fails(
            "checkpoint",
            [
                ("none", Story()),
                ("one of two", Story(witnesses=[(a, 1)])),
                ("one twice", Story(witnesses=[(a, 1), (a, 2)])),
                ("one key under two names", Story(witnesses=[(a, 1), (again, 1)])),
                ("a line that fails", Story(witnesses=[(a, 1), (b, 1)], note=lambda n: n + a.cosign("other\n", 1))),
            ],
            pinned,
        )

    def test_witnesses_bound_the_time(self):
        a, b = (Ed25519Key(name, byte, kind=4) for name, byte in (("a.example/w", 0x31), ("b.example/w", 0x32)))
        again = Ed25519Key("again.example/w", 0x31, kind=4)
        asked = v._parse_time("2026-03-01T12:00:00Z")  # And decided 30 seconds later.

        def told(times, quorum):
            pins = {"witnesses": [a.text, b.text, again.text], "witness_quorum": quorum} if quorum else {}
            witnesses = [(witness, asked + after) for witness, after in times]
            facts = self.passes(Story(witnesses=witnesses), trust(**pins)).facts
            return facts.witnessed_at, facts.limits[2:-1]

        def seen(at):
            words = "how long before that it was decided is the server's word."
            return f"Witnesses saw it no later than {v._format_time(at)}; {words}"

        for times, quorum, after in [
            ([(a, 60), (b, 40)], 1, 40),
            ([(a, 60), (b, 40)], 2, 60),
            ([(a, 60), (a, 50), (b, 40)], 2, 50),
            ([(a, 60), (again, 45), (b, 40)], 2, 45),
            ([(a, 30)], 1, 30),
        ]:
            self.assertEqual(told(times, quorum), (asked + after, [seen(asked + after)]))
        self.assertEqual(told([(a, (1 << 63) - 1 - asked)], 1), (v._MAX_TIME, [seen(v._MAX_TIME)]))
        later = "The server's word contradicts the witnesses: it says that it was decided at 2026-03-01T12:00:30Z, later."
        self.assertEqual(told([(a, 29)], 1), (asked + 29, [seen(asked + 29), later]))
        self.assertEqual(told([(a, 60)], 0), (None, ["The time of the decision is the server's word."]))

    def test_a_line_of_another_pinned_log_is_not_looked_at(self):
        other = Ed25519Key("other.example.com/log", 0x70)
        both = trust(logs=[other.text, LOG_KEY.text])
        self.passes(Story(note=lambda note: note + other.line("other\n")), both)

    def test_enrolments_up_to_256(self):
        keys = [P256Key(0x2100 + n) for n in range(257)]
        chain = [("alex", key, by) for key, by in zip(keys, [None, *keys])]
        votes = [[("alex", key, "approve", "2026-03-01T12:00:30Z")] for key in keys]
        self.assertIn("256 keys", self.passes(Story(enrolments=chain[:256], votes=votes[255])).steps[7].detail)
        self.fails("receipt", [("257", Story(enrolments=chain, votes=votes[256]))])

    def test_a_wrong_kind_is_named_only_if_the_entry_is_well_formed(self):
        for kind, form in [("revocation", {}), ("consumption", {"consumed_at": "", "nonce": ""})]:
            entry = f"countersign/{kind}/v1\n{canonical(form)}"
            report = v.verify(Story(decision_text=lambda _, text=entry: text).receipt(), trust())
            self.assertEqual(report.failure.id, "entry")
            self.assertTrue(report.failure.detail.startswith("the field "), report.failure.detail)
        nonce = canonical({"consumed_at": "2026-03-01T12:01:00Z", "nonce": EMPTY})
        known = Story(decision_text=lambda _: f"countersign/consumption/v1\n{nonce}")
        self.assertEqual(v.verify(known.receipt(), trust()).failure.detail, "the entry is not a decision")

    def test_document(self):
        deep = {"a": 0}
        for _ in range(32):
            deep = {"a": deep}
        cores = [
            ("a large payload", {"payload": {"a": "x" * (256 * 1024)}}),
            ("a deep payload", {"payload": deep}),
            ("a payload that is an array", {"payload": []}),
            ("another log", {"log": "other.example.com/log"}),
            ("a hidden character", {"action": "Deploy\u202e"}),
            ("a hidden requester", {"requester": "bot\u200b"}),
            ("an empty title", {"action": ""}),
            ("a long title", {"action": "x" * 301}),
            ("an approver who was not asked", {"approvers": ["sam"]}),
            ("out of order", {"approvers": ["sam", "alex"]}),
            ("a repeated approver", {"approvers": ["alex", "alex"]}),
            ("an upper-case approver", {"approvers": ["Sam", "alex"]}),
            ("33 approvers", {"approvers": ["alex", *(f"b{n:02}" for n in range(32))]}),
            ("a quorum of nobody", {"quorum": 0}),
            ("a quorum of more than were asked", {"quorum": 2}),
            ("a quorum beyond every limit", {"quorum": 1 << 53}),
            ("expired when it was asked", {"issued_at": "2026-03-01T12:05:01Z"}),
            ("over 72 hours", {"issued_at": "2026-02-26T12:04:59Z"}),
            ("used before it expires", {"use_by": "2026-03-01T12:05:00Z"}),
            ("another id", {"id": "cnf_1k2m6p3q7a5b2c4d6e3f5g7h2j"}),
            ("another type", {"type": "countersign/document/v2"}),
            ("a short nonce", {"nonce": "AAAA"}),
            ("reveal as a number", {"reveal": 0}),
            ("an unknown field", {"a": 1}),
        ]
        self.fails("document", [(name, Story(core=core)) for name, core in cores])
        self.fails(
            "document",
            [
                ("not canonical", Story(document=replaced(":", ": "))),
                ("a missing field", Story(document=replaced(',"reveal":false', ""))),
                ("an inexact number", Story(document=replaced(":3,", ":9007199254740993,"))),
                ("a short salt", Story(document=replaced("UFBQ", ""))),
                ("another decision", Story(document=replaced('"approve"', '"approved"'))),
            ],
        )

    def test_entry(self):
        def voted(at):
            return Story(votes=[("alex", ALEX, "approve", at)])

        for at in ["2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z"]:
            self.passes(voted(at))
        self.fails(
            "entry",
            [
                ("too early", voted("2026-03-01T11:59:59Z")),
                ("too late", voted("2026-03-01T12:05:01Z")),
                ("another's label", Story(decision=with_members(approver=label("sam")))),
                ("a label of another log", Story(decision=with_members(approver=label("alex", "other/log")))),
                ("the other decision", Story(decision=with_members(decision="reject"))),
                ("an unknown field", Story(decision=with_members(a=""))),
                ("another type line", Story(decision_text=replaced("decision/v1", "decision/v2"))),
                ("an enrolment's type line", Story(decision_text=replaced("decision/v1", "credential/v1"))),
                ("not canonical", Story(decision_text=replaced("\n{", "\n{ "))),
                ("too large", Story(decision=with_members(signature="A" * 65_535))),
            ],
        )

    def test_challenge(self):
        self.fails(
            "challenge",
            [
                ("another nonce", Story(challenge=changed_byte(0, 1))),
                ("another document", Story(challenge=changed_byte(63, 0))),
                ("halves swapped", Story(challenge=lambda both: both[32:] + both[:32])),
                ("the hash alone", Story(challenge=lambda both: both[32:])),
                ("a byte more", Story(challenge=lambda both: both + b"\x00")),
                ("not JSON", Story(client_data=lambda data: data + b"x")),
                ("an array", Story(client_data=lambda data: b"[" + data + b"]")),
                ("a byte order mark", Story(client_data=lambda data: b"\xef\xbb\xbf" + data)),
                ("not UTF-8", Story(client_data=replaced(b"webauthn", b"web\xe4uthn"))),
                ("a repeated key", Story(client_data=replaced(b"{", b'{"chall\\u0065nge":"",'))),
                ("no challenge", Story(client_data=replaced(b"challenge", b"Challenge"))),
                ("a padded challenge", Story(client_data=replaced(b'","origin', b'==","origin'))),
                ("crossOrigin null", Story(client_data=replaced(b"false", b"null"))),
                ("nested too deep", Story(client_data=replaced(b"{", b'{"x":[[[[[[[[]]]]]]]],'))),
                ("too long", Story(client_data=lambda data: data + b" " * 4096)),
            ],
        )
        self.passes(Story(client_data=replaced(b"{", b'{\r\n\t"x":[1e400,-0.0,null,[[[[[[]]]]]]],')))
        self.passes(Story(client_data=replaced(b"https://", b"https:\\/\\/")))

    def test_client_data(self):
        self.fails(
            "client-data",
            [
                ("a registration", Story(client_data=replaced(b"webauthn.get", b"webauthn.create"))),
                ("a payment", Story(client_data=replaced(b"webauthn.get", b"payment.get"))),
                ("another site", Story(client_data=replaced(b"//approvals", b"//evil"))),
                ("another scheme", Story(client_data=replaced(b"https:", b"http:"))),
                ("another port", Story(client_data=replaced(b'.com"', b'.com:8443"'))),
                ("a path", Story(client_data=replaced(b'.com"', b'.com/"'))),
                ("framed", Story(client_data=replaced(b"false", b"true"))),
                ("framed by itself", Story(client_data=replaced(b"}", b',"topOrigin":null}'))),
            ],
        )

    def test_authenticator_data(self):
        self.assertEqual(authenticator_data()[32], 0x05)
        with_extensions = changed_byte(32, 0x85)
        for extensions in [b"\xa0", b"\xa1\x69credProps\xa1\x62rk\xf5"]:
            self.passes(Story(authenticator_data=lambda data, more=extensions: with_extensions(data) + more))
        self.passes(Story(authenticator_data=changed_byte(32, 0x3F)))
        cases = [
            ("another relying party", changed_byte(0, 0)),
            ("no user presence", changed_byte(32, 0x04)),
            ("no user verification", changed_byte(32, 0x01)),
            ("backed up but not eligible", changed_byte(32, 0x15)),
            ("a trailing byte", lambda data: data + b"\x00"),
            ("a byte short", lambda data: data[:-1]),
            ("the flag of a registration", changed_byte(32, 0x45)),
            ("extensions that are not there", with_extensions),
            ("extensions that are no map", lambda data: with_extensions(data) + b"\x80"),
            ("bytes behind the extensions", lambda data: with_extensions(data) + b"\xa0\x00"),
            ("too long", lambda data: with_extensions(data) + b"\xa1\x01\x59\x04\x00" + bytes(1024)),
        ]
        self.fails("authenticator-data", [(name, Story(authenticator_data=change)) for name, change in cases])

    def test_enrolment(self):
        alex, sam = ("alex", ALEX, None), ("sam", SAM, None)
        shared = [("alex", ALEX, "approve", "2026-03-01T12:00:10Z"), ("sam", ALEX, "approve", "2026-03-01T12:00:20Z")]
        key_and_more = b64(ALEX.spki_der + b"\x00")
        self.fails(
            "enrolment",
            [
                ("for another person", Story(enrolment=with_members(approver=label("sam")))),
                ("for another site", Story(enrolment=with_members(rp_id="example.com"))),
                ("of another algorithm", Story(enrolment=with_members(alg="RS256"))),
                ("a key with a byte more", Story(enrolment=with_members(public_key=key_and_more))),
                ("an unknown field", Story(enrolment=with_members(a=""))),
                ("no invite", Story(enrolment=with_members(authorised_by={}))),
                ("not canonical", Story(enrolment_text=lambda text: text + "\n")),
                ("after the decision", Story(enrolled_late=True)),
                ("of another key", Story(enrolments=[("alex", ALEX_NEW, None)])),
                ("of a key that did not sign", Story(enrolments=[alex, sam])),
                ("of one key twice", Story(enrolments=[alex, alex])),
                ("one key for two people", Story(approvers=["alex", "sam"], quorum=2, votes=shared)),
            ],
        )

    def test_enrolment_by_a_key(self):
        def new(by):
            return ("alex", ALEX_NEW, by)

        def spoiled(entry):
            by = entry["authorised_by"]
            if "credential" in by:
                by = {**by, **assertion(ALEX, b"\x0e" * 32 + sha256(b"another enrolment"))}
            return {**entry, "authorised_by": by}

        alex, sam = ("alex", ALEX, None), ("sam", SAM, None)
        cases = [
            ("by a key that is not in the receipt", [new(ALEX)]),
            ("by a key that was enrolled later", [new(ALEX), alex]),
            ("by itself", [new(ALEX_NEW)]),
            ("by another person's key", [sam, new(SAM)]),
        ]
        self.fails("enrolment", [(name, Story.second_key(enrolments=keys)) for name, keys in cases])
        self.fails("enrolment", [("over another enrolment", Story.second_key(enrolment=spoiled))])

    def test_pins_and_revocations(self):
        alex, sam = b64(ALEX.credential), b64(SAM.credential)
        report = self.passes(Story(), trust(approvers={"alex": [sam, alex]}))
        self.assertTrue(report.facts.pinned)
        self.passes(Story(), trust(revoked={alex: 2, sam: 0}))
        for pins in [{"approvers": {"sam": [alex]}}, {"approvers": {"alex": [sam]}}, {"approvers": {}}]:
            self.fails("enrolment", [(pins, Story())], trust(**pins))
        self.fails("enrolment", [("revoked at the decision", Story())], trust(revoked={alex: 1}))
        # The first key is revoked before it allowed the second one.
        self.fails("enrolment", [("revoked before it allowed", Story.second_key())], trust(revoked={alex: 1}))
        self.passes(Story.second_key(), trust(revoked={alex: 2}))

    def test_signature(self):
        by_mallory = Story(
            votes=[("alex", MALLORY, "approve", "2026-03-01T12:00:30Z")],
            decision=with_members(credential=b64(ALEX.credential)),
        )
        later = b64(authenticator_data()[:-1] + b"\x02")
        self.fails(
            "signature",
            [
                ("by another key", by_mallory),
                ("over another counter", Story(decision=with_members(authenticator_data=later))),
                ("nothing", Story(signature=lambda _: b"")),
                ("a byte behind it", Story(signature=lambda signature: signature + b"\x00")),
                ("of other bytes", Story(signature=lambda _: ALEX.sign(b"other"))),
                ("zeros", Story(signature=lambda _: bytes.fromhex("3006020100020100"))),
            ],
        )

    def test_inclusion(self):
        def part(kind, at, **members):
            def change(receipt):
                receipt[kind][at] = {**receipt[kind][at], **members}
                return receipt

            return change

        def entry(kind, at, old, new):
            def change(receipt):
                receipt[kind][at]["entry"] = replaced(old, new)(receipt[kind][at]["entry"])
                return receipt

            return change

        root = v.base64.b64encode(sha256(b"")).decode()
        self.fails(
            "inclusion",
            [
                ("another hash", Story(receipt=part("decisions", 0, hashes=[EMPTY]))),
                ("a hash short", Story(receipt=part("enrolments", 0, hashes=[]))),
                ("a hash more", Story(receipt=part("enrolments", 0, hashes=[EMPTY] * 2))),
                ("another index", Story.two_of_three(receipt=part("decisions", 1, index=8))),
                ("outside of the tree", Story.two_of_three(receipt=part("decisions", 1, index=10))),
                ("not logged", Story(receipt=entry("enrolments", 0, "2026-01-01", "2026-01-02"))),
                ("a decision not logged", Story(receipt=entry("decisions", 0, "12:00:30", "12:00:31"))),
                ("another root", Story(checkpoint=lambda text: f"{text[: -len(root) - 1]}{root}\n")),
                ("another size", Story.two_of_three(checkpoint=replaced("\n10\n", "\n8\n"))),
            ],
        )

    def test_quorum(self):
        def of_sam(old, new):
            return lambda text: replaced(old, new)(text) if '"approver":"sam"' in text else text

        one = Story.two_of_three()
        one.votes, one.enrolments = one.votes[1:], one.enrolments[:1]
        votes = [("alex", key, "approve", "2026-03-01T12:00:10Z") for key in (ALEX, ALEX_NEW)]
        keys = [("alex", ALEX, None), ("alex", ALEX_NEW, None)]
        self.fails(
            "quorum",
            [
                ("one of two", one),
                ("two keys", Story(approvers=["alex", "sam"], quorum=2, votes=votes, enrolments=keys)),
                ("one key", Story(approvers=["alex", "sam"], quorum=2, votes=votes[:1] * 2)),
                ("another title", Story.two_of_three(document=of_sam("Deploy api", "Deploy the api"))),
                ("another payload", Story.two_of_three(document=of_sam('"replicas":3', '"replicas":4'))),
                ("another quorum", Story.two_of_three(document=of_sam('"quorum":2', '"quorum":1'))),
            ],
        )

    def test_expectation(self):
        story = Story.two_of_three()
        payload = v.parse_payload(b'{ "service": "api-gateway", "replicas": 3.0, "env": "production" }')
        decided, use_by = (v._parse_time(text) for text in ("2026-03-01T12:00:50Z", "2026-03-01T13:05:00Z"))
        met = {
            "payload": payload,
            "action": "Deploy api-gateway to production",
            "approvers": ["sam", "alex", "kim"],
            "quorum": 2,
            "id": "cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j",
            "core": canonical(story.core),
            "requester": "deploy-bot",
            "max_age": (decided + 60, 60),
            "usable_at": use_by,
        }
        self.passes(story, **met)
        self.assertEqual(v.Expectation(**met).not_stated, [])
        receipt = story.receipt()
        for name, other in [
            ("payload", v.parse_payload(b'{"env":"production"}')),
            ("payload", {}),
            ("action", "Deploy"),
            ("approvers", ["alex", "kim"]),
            ("approvers", []),
            ("quorum", 1),
            ("id", ""),
            ("core", canonical(story.core) + " "),
            ("requester", "\ud800"),
            ("max_age", (decided + 61, 60)),
            ("usable_at", use_by + 1),
        ]:
            report = v.verify(receipt, trust(), v.Expectation(**{**met, name: other}))
            self.assertEqual((report.verdict, report.failure.id), ("not verified", "expectation"), name)
            self.assertIsNotNone(report.facts)
        with self.assertRaises(v.Refusal):
            v.Expectation(decision="approved")
        with self.assertRaises(TypeError):
            v.verify(receipt, trust(), v.Expectation(payload={"replicas": 3}))


if __name__ == "__main__":
    unittest.main()
