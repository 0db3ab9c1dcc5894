"""Values of Python as a payload, and back."""

import enum
import unittest

from countersign.values import payload_of, plain


class Values(unittest.TestCase):
    def test_what_is_approved_is_what_runs(self):
        for value in (None, True, 0, -7, 2**53, 0.1, 12.5, 1e300, 5e-324, "", "é\u0000\u2028😀", [], [[1], {"a": {}}]):
            with self.subTest(value=value):
                back = plain(payload_of({"v": value}))
                self.assertEqual(back, {"v": value})
                self.assertIs(type(back["v"]), type(value))

    def test_what_json_does_not_tell_apart(self):
        class Colour(str, enum.Enum):
            RED = "red"

        class Level(enum.IntEnum):
            HIGH = 3

        back = plain(payload_of({"a": (1, 2), "b": 1.0, "c": -0.0, "d": Colour.RED, "e": Level.HIGH}))
        self.assertEqual(back, {"a": [1, 2], "b": 1, "c": 0, "d": "red", "e": 3})
        self.assertEqual([type(back[name]) for name in "bcde"], [int, int, str, int])

    def test_what_is_no_json_names_its_place(self):
        for value in ({1}, b"x", object(), float("inf"), {2: 3}, {None: 3}, 2**64 + 1, "\udfff"):
            with self.subTest(value=value), self.assertRaisesRegex((TypeError, ValueError), "/list/1"):
                payload_of({"list": [0, value]})
        with self.assertRaises(TypeError):
            payload_of([])
        endless = {}
        endless["itself"] = endless
        with self.assertRaisesRegex(ValueError, "holds itself"):
            payload_of(endless)
        deep = {}
        for _ in range(40):
            deep = {"deeper": deep}
        with self.assertRaisesRegex(ValueError, "nested deeper than 32"):
            payload_of(deep)
