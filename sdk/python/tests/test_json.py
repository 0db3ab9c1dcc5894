"""Strict JSON and its canonical form: what is accepted, how it is written, and where a refusal points."""

import unittest

from made import v

LIMITS = v._Limits(4096, 8)


def canonical(text, limits=LIMITS):
    return v._canonical(v._parse_json(text.encode(), limits))


class Json(unittest.TestCase):
    def refused(self, data, words, limits=LIMITS):
        with self.assertRaises(v.Refusal, msg=data) as caught:
            v._parse_json(data if isinstance(data, bytes) else data.encode(), limits)
        self.assertEqual(str(caught.exception), words)

    def test_writes_the_canonical_form(self):
        for given, expected in [
            (' { "b" : [ ] , "a" : { } , "c":[1,true,false,null]}\n', '{"a":{},"b":[],"c":[1,true,false,null]}'),
            ('["\\u0041\\/\\u00E9\\ud83d\\uDE00"]', '["A/é😀"]'),
            ('"\\u0000\\u001F\\b\\t\\n\\f\\r\\"\\\\\\u007f"', '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\\x7f"'),
            # U+E000 sorts after U+10000 by code units (0xE000 against 0xD800), before it by code points.
            ('{"\ue000":1,"\U00010000":2,"":3}', '{"":3,"\U00010000":2,"\ue000":1}'),
        ]:
            self.assertEqual(canonical(given), expected)

    def test_numbers_are_written_as_ecmascript_writes_them(self):
        for literal, expected in [
            ("-0", "0"),
            ("-0.00E+7", "0"),
            ("0e99999999999999999999", "0"),
            ("7.0", "7"),
            ("2.50", "2.5"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("-2.5e300", "-2.5e+300"),
            ("120000000000000000000e1", "1.2e+21"),
            ("123456789012345680", "123456789012345680"),
            ("1e-6", "0.000001"),
            ("12E-8", "1.2e-7"),
            ("1e0000000000000000000000002", "100"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740992", "9007199254740992"),
        ]:
            self.assertEqual(canonical(literal), expected, literal)

    def test_a_number_that_the_form_would_change_is_refused(self):
        for literal in [
            "9007199254740993",
            "1e400",
            "-1e400",
            "1e-400",
            "0.30000000000000000001",
            "1e99999999999999999999",
            "1e-99999999999999999999",
        ]:
            self.refused(literal, f"the top level: the number {literal} cannot be kept exactly; send it as a string")
        self.refused("1" * 65, "the top level: a number of 65 characters, at most 64 are allowed")

    def test_numbers_that_nobody_reads_are_kept(self):
        lax = v._Limits(100_000, 8, exact_numbers=False)
        for literal in ["1e400", "-0", "9" * 50_000]:
            self.assertEqual(canonical(literal, lax), literal)

    def test_a_refusal_names_the_place(self):
        for text, words in [
            ('{"a/b":[0,{"~":01}]}', "/a~1b/1: not JSON at byte 16: expected a comma or the end of the object"),
            ('{"a/b":[0,{"~":[+]}]}', "/a~1b/1/~0/0: not JSON at byte 16: expected a value"),
            ('{"é":tru}', "/é: not JSON at byte 6: expected true"),
            ('{"a":{"b":1,"\\u0062":2}}', '/a: the key "b" stands twice'),
            ('["\\ud800"]', "/0: a lone surrogate, which no UTF-8 text can hold"),
            ('["\\udc00\\ud800"]', "/0: a lone surrogate, which no UTF-8 text can hold"),
            ('["\\ud800\\u0041"]', "/0: a lone surrogate, which no UTF-8 text can hold"),
            ("[[[[[[[[[", "/0/0/0/0/0/0/0/0: nested deeper than 8 levels"),
            (b'["\xff"]', "the top level: not UTF-8 at byte 2"),
            (b'["\xed\xa0\x80"]', "the top level: not UTF-8 at byte 2"),
        ]:
            self.refused(text, words)
        self.refused(" " * 4097, "the top level: 4097 bytes, at most 4096 are allowed")

    def test_what_other_parsers_take_is_refused(self):
        for text, expected in [
            ("", "a value"),
            ("\ufeff1", "a value"),
            ("NaN", "a value"),
            ("Infinity", "a value"),
            ("'a'", "a value"),
            ("\u00a01", "a value"),
            ("\x0b1", "a value"),
            ("+1", "a value"),
            (".5", "a value"),
            ("1 2", "the end of the text"),
            ("01", "the end of the text"),
            ("1_0", "the end of the text"),
            ("1.", "a digit"),
            ("1e+", "a digit"),
            ("-", "a digit"),
            ("-\u0661", "a digit"),
            ("[1,]", "a value"),
            ('{"a":1,}', "a key in quotes"),
            ("{a:1}", "a key in quotes"),
            ('{"a" 1}', "a colon"),
            ("[1 2]", "a comma or the end of the array"),
            ('"', "a closing quote"),
            ('"\t"', "an escape in place of a control character"),
            ('"\\x41"', "an escape"),
            ('"\\u00 1"', "four hexadecimal digits"),
            ('"\\u+041"', "four hexadecimal digits"),
            ('"\\u\uff10\uff10\uff14\uff11"', "four hexadecimal digits"),
        ]:
            with self.assertRaises(v.Refusal, msg=text) as caught:
                v._parse_json(text.encode(), LIMITS)
            self.assertTrue(str(caught.exception).endswith(f": expected {expected}"), f"{text}: {caught.exception}")

    def test_canonical_text_is_required_where_it_matters(self):
        v._parse_canonical(b'{"a":1,"b":2}', LIMITS)
        for other in [b'{"b":2,"a":1}', b'{"a":1.0}', b'{"a": 1}', b'{"a":1}\n', b'["\\u0041"]', b'["\\u001F"]']:
            with self.assertRaises(v.Refusal, msg=other) as caught:
                v._parse_canonical(other, LIMITS)
            self.assertEqual(str(caught.exception), "the top level: not in canonical form (RFC 8785)")

    def test_payloads(self):
        def nested(depth):
            return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)

        def sized(size):
            return b'{"a":"' + b"x" * (size - 8) + b'"}'

        v.parse_payload(nested(32))
        v.parse_payload(b"  " + sized(256 * 1024) + b"\n")
        for refused in [nested(33), sized(256 * 1024 + 1), b"[]", b"null", b" " * (1 << 20) + b"{}"]:
            with self.assertRaises(v.Refusal):
                v.parse_payload(refused)

    def test_whole_numbers_stop_where_doubles_stop_being_exact(self):
        limit = ("9007199254740992", 1 << 53)
        for text, expected in [limit, ("1e3", 1000), ("-1", None), ("1.5", None), ("true", None)]:
            self.assertEqual(v._as_integer(v._parse_json(text.encode(), LIMITS)), expected)
        self.assertIsNone(v._as_integer(v.Number("9007199254740993")))


if __name__ == "__main__":
    unittest.main()
