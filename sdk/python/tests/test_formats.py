"""Encodings, times, names, notes, checkpoints and the trust file: one accepted form of each thing."""

import json
import unittest

from made import ALEX, LOG_KEY, Ed25519Key, b64, sha256, trust, trust_members, v


class Formats(unittest.TestCase):
    def refused(self, words, parse, *arguments):
        with self.assertRaises(v.Refusal, msg=f"{arguments}") as caught:
            parse(*arguments)
        self.assertIn(words, str(caught.exception))

    def test_base64url_has_one_form(self):
        self.assertEqual(v._from_base64url(v._base64url(b"\xfb\xff")), b"\xfb\xff")
        self.assertEqual(v._from_base64url(""), b"")
        for other in ["-_8=", "+/8", "-_9", "-_8\n", "\n-_8", "-_ 8", "-", "A!A", "AAAAA", "é", "-_\uff18"]:
            self.assertIsNone(v._from_base64url(other), other)
        self.assertIsNone(v._base64url_of("AAAA", 4))

    def test_base64_has_one_form(self):
        self.assertEqual(v._from_base64("+/8="), b"\xfb\xff")
        for other in ["+/8", "-_8=", "+/9=", "+/8=\n", "+/8==", "=", "====", "+/8=AAAA", "é"]:
            self.assertIsNone(v._from_base64(other), other)

    def test_times(self):
        for seconds, text in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ]:
            self.assertEqual((v._parse_time(text), v._format_time(seconds)), (seconds, text))
        for text in [
            "",
            "2026-11-21",
            "2026-11-21t22:30:00z",
            "2026-11-21T22:30:00.0Z",
            "2026-11-21T22:30:00+00:00",
            "2026-11-21T22:30:00Z\n",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "10000-01-01T00:00:00Z",
            "\uff12\uff1026-01-01T00:00:00Z",
        ]:
            self.assertIsNone(v._parse_time(text), text)

    def test_names(self):
        for name in ["a", "alex", "a.b_c-d@example.com", "x" * 64]:
            self.assertEqual(v._username(name), name)
        for name in ["", "Alex", "al ex", "\u00e4lex", "a/b", "a\n", "x" * 65]:
            self.refused("a username is", v._username, name)
        title = v._check_shown(300)
        for text in ["Überweise 5 € 💶", "é" * 300, "a\u00a0b"]:
            self.assertEqual(title(text), text)
        self.refused("301 characters", title, "é" * 301)
        self.refused("0 characters", title, "")
        for hidden in "\0\n\x7f\x85\u00ad\u034f\u061c\u115f\u200b\u202e\u2066\u2800\u3164\ufe0f\ufeff\uffa0\U000e0041":
            self.refused(f"U+{ord(hidden):04X} is", title, "pay" + hidden)

    def test_noncharacters_are_hidden(self):
        ends = [plane | low for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)]
        for point in [*range(0xFDD0, 0xFDF0), *ends]:
            self.assertTrue(v._HIDDEN.fullmatch(chr(point)), f"U+{point:04X}")
        for shown in "\ufdcf\ufdf0\ufffd\U0001fffd\U00020000\U0010fffd":
            self.assertIsNone(v._HIDDEN.search(shown), f"U+{ord(shown):04X}")

    def test_texts_are_shown_on_one_line(self):
        for text, shown in [
            ("plain é 😀", '"plain é 😀"'),
            ('"\\', '"\\"\\\\"'),
            ("\n\t\r\0", '"[U+000A][U+0009][U+000D][U+0000]"'),
            ("\x1b\u202e\u00a0\U000e0041", '"[U+001B][U+202E]\u00a0[U+E0041]"'),
            ("e\u0301\u0378\U0010fffd", '"e\u0301\u0378\U0010fffd"'),
            ("\ud800", '"\ufffd"'),
        ]:
            self.assertEqual(v._in_quotes(text), shown)
        self.assertEqual(v._visible("a\u202eb\U000e0041"), "a[U+202E]b[U+E0041]")
        self.assertEqual(v._json_escape("\U000e0041"), "\\udb40\\udc41")

    def test_keys_of_notes(self):
        # The example of C2SP signed-note.
        text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        key = v.NoteKey.parse(text, 1)
        self.assertEqual((key.name, key.id), ("example.com/foo", 0x530D903A))
        for other, words in [
            (text.replace("+", " "), "not name+id+key"),
            (text.replace("example", "ex ample"), "an empty name"),
            (text.replace("example", "ex\u3000ample"), "an empty name"),
            (text[text.index("+") :], "an empty name"),
            (text + "=", "not base64 of 33 bytes"),
            (text.replace("+Ae", "+Be"), "another signature type"),
            (text.replace("530d903a", "530D903A"), "another key's"),
            (text.replace("example", "examples"), "another key's"),
            ("a+00000000+" + v.base64.b64encode(b"\x01" + b"\x02" + b"\x00" * 31).decode(), "not a point"),
        ]:
            self.refused(words, v.NoteKey.parse, other, 1)
        self.refused("another signature type", v.NoteKey.parse, text, 4)

    def test_notes(self):
        note = (
            "This is an example message.\n\n— example.com/foo "
            "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        )
        key = v.NoteKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", 1)
        parsed = v._Note.parse(note.encode())
        self.assertTrue(parsed.is_signed_by(key))
        self.assertFalse(parsed.is_signed_by(v.NoteKey.parse(LOG_KEY.text, 1)))
        changed = v._Note.parse(note.replace("example message", "other message").encode())
        self.refused("the signature by example.com/foo does not verify", changed.is_signed_by, key)
        line = note[note.index("—") :]
        for other, words in [
            ("", "no empty line"),
            ("text\n\n", "no newline at the end"),
            (note[:-1], "no newline at the end"),
            (note.replace("\n\n", "\n"), "no empty line"),
            (note.replace("This", "Th\tis"), "a control character"),
            (note + "\n", "no newline at the end"),
            (note.replace("— ", "- "), "a signature line"),
            (note.replace("— ", "—  "), "a signature line"),
            (note + "— a AAAAAA==\n", "a signature line"),
            (note + "— a+b AAAAAAA=\n", "a signature line"),
            (note + "— a AAAAAAA\n", "a signature line"),
            (note + line * 64, "more than 64 signatures"),
            ("x" * 16_385, "more than 16384 bytes"),
        ]:
            self.refused(words, v._Note.parse, other.encode())
        v._Note.parse((note + "— a\u2060b AAAAAAA=\n").encode())

    def test_cosignatures(self):
        witness = Ed25519Key("witness.example/w", 0x31, kind=4)
        key = v.NoteKey.parse(witness.text, 4)
        text = "a log\n0\n"
        for time, is_good in [(0, True), (1_800_000_000, True), ((1 << 63) - 1, True), (1 << 63, False)]:
            note = v._Note.parse(f"{text}\n{witness.cosign(text, time)}".encode())
            if is_good:
                self.assertEqual(note.cosigned_at(key), [time])
            else:
                self.refused("does not verify", note.cosigned_at, key)
        short = v._Note.parse(f"{text}\n{witness._line(bytes(7))}".encode())
        self.refused("does not verify", short.cosigned_at, key)

    def test_checkpoints(self):
        root = v.base64.b64encode(b"\x01" * 32).decode()
        empty = v.base64.b64encode(sha256(b"")).decode()
        for size in ["1", "18446744073709551615"]:
            self.assertEqual(v.Checkpoint.parse(f"a/log\n{size}\n{root}\n").size, int(size))
        self.assertEqual(v.Checkpoint.parse(f"a/log\n0\n{empty}\n").size, 0)
        for text, words in [
            (f"a/log\n1\n{root}", "three lines"),
            (f"a/log\n1\n{root}\nextension\n", "three lines"),
            (f"a/log\n18446744073709551616\n{root}\n", "below 2^64"),
            (f"a/log\n{'9' * 10_000}\n{root}\n", "below 2^64"),
            (f"a/log\n-1\n{root}\n", "below 2^64"),
            (f"a/log\n\u0661\n{root}\n", "below 2^64"),
            (f"a/log\n01\n{root}\n", "not written plainly"),
            (f"\n1\n{root}\n", "an empty log origin"),
            (f"a/log\n1\n{root[:-1]}\n", "not base64 of 32 bytes"),
            (f"a/log\n0\n{root}\n", "not the empty tree's"),
        ]:
            self.refused(words, v.Checkpoint.parse, text)

    def test_trust_files(self):
        credential = b64(ALEX.credential)
        pinned = trust(approvers={"alex": [credential]}, revoked={credential: 7})
        self.assertEqual(pinned.approvers, {"alex": [ALEX.credential]})
        self.assertEqual(pinned.revoked, {ALEX.credential: 7})
        witness = Ed25519Key("w", 1, kind=4).text
        for members, words in [
            ({"x": 1}, 'unknown field "x"'),
            ({"type": "countersign/trust/v2"}, "the field type"),
            ({"logs": []}, "must not be empty"),
            ({"logs": [1]}, "an array of strings"),
            ({"web_origins": []}, "must not be empty"),
            ({"approvers": None}, "usernames with arrays"),
            ({"approvers": {"Alex": []}}, "a username is"),
            ({"approvers": {"alex": ["AA"]}}, "base64url of 32 bytes"),
            ({"approvers": {"alex": [1]}}, "base64url of 32 bytes"),
            ({"revoked": {"AA": 1}}, "base64url of 32 bytes"),
            ({"revoked": {credential: 1.5}}, "credentials with log indexes"),
            ({"witness_quorum": 1}, "larger than the number"),
            ({"witnesses": [witness]}, "would not be asked"),
            ({"witnesses": [LOG_KEY.text], "witness_quorum": 1}, "another signature type"),
        ]:
            data = json.dumps({**trust_members(), **members}).encode()
            self.refused(words, v.Trust.parse, data)
        repeated = json.dumps(trust_members())[:-1] + ',"rp_id":"approvals.example.com"}'
        self.refused("stands twice", v.Trust.parse, repeated.encode())

    def test_web_origins_belong_to_the_relying_party(self):
        for web_origin, rp_id in [
            ("https://approve.example.com", "approve.example.com"),
            ("https://approve.example.com:8443", "example.com"),
            ("http://localhost:8080", "localhost"),
            ("http://a.localhost", "localhost"),
        ]:
            v._check_web_origin(web_origin, rp_id)
        for web_origin, rp_id in [
            ("http://approve.example.com", "approve.example.com"),
            ("https://approve.example.com.", "approve.example.com"),
            ("https://approve.example.com/", "approve.example.com"),
            ("https://badexample.com", "example.com"),
            ("https://example.com", "approve.example.com"),
            ("https://Example.com", "example.com"),
            ("https://example.com:443", "example.com"),
            ("https://example.com:08443", "example.com"),
            ("https://example.com:65536", "example.com"),
            ("https://example.com:", "example.com"),
            ("https://u@example.com", "example.com"),
            ("https://example.com", ""),
            ("https://example.com\n", "example.com"),
            ("example.com", "example.com"),
            ("ftp://example.com", "example.com"),
        ]:
            self.refused("the web origin", v._check_web_origin, web_origin, rp_id)


if __name__ == "__main__":
    unittest.main()
