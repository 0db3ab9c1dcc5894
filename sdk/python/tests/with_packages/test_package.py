"""The package as it is installed: `pip install ./sdk/python`, and the types of all of it."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SDK = os.path.dirname(os.path.dirname(HERE))
USES = """
import countersign, countersign.langchain, os
assert os.path.dirname(countersign.__file__).startswith({folder!r}), countersign.__file__
assert os.path.exists(os.path.join(os.path.dirname(countersign.__file__), "py.typed"))
print(sorted(name for name in countersign.__all__ if "Countersign" in name))
"""
#: What a caller writes, and what a type checker must see in it.
TYPED = """
from countersign import Countersign

client = Countersign()
decision = client.request_approval(username="alex", action="Wire money", payload={"amount": 1})
reveal_type(decision.receipt)
client.request_approval(user="alex", action="Wire money", payload={})

@client.guard(username="alex")
def wire(amount: float, to: str) -> str:
    return to

wire("1", "ACME")
"""


class Package(unittest.TestCase):
    def test_it_installs_and_imports(self):
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
            subprocess.run([*pip, "--target", folder, SDK], check=True, timeout=900)
            environment = {**os.environ, "PYTHONPATH": folder}
            command = [sys.executable, "-c", USES.format(folder=folder)]
            done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=900)
            self.assertEqual((done.stdout, done.stderr), ("['AsyncCountersign', 'Countersign', 'CountersignError']\n", ""))

    def test_it_needs_nothing_but_the_standard_library(self):
        # -I and -S: no packages of anybody.
        code = f"import sys; sys.path.insert(0, {SDK!r}); import countersign; print(countersign.Countersign.__name__)"
        done = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True, timeout=900)
        self.assertEqual((done.stdout, done.stderr), ("Countersign\n", ""))

    def test_its_types_hold(self):
        done = self.mypy()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_callers_mistakes_are_seen(self):
        done = self.mypy("--strict", "--config-file=", "--command", TYPED)
        self.assertEqual(done.returncode, 1, done.stderr)
        for expected in ('Revealed type is "str | None"', 'Unexpected keyword argument "user"', '"str"; expected "float"'):
            self.assertIn(expected, done.stdout)

    def mypy(self, *more):
        command = [sys.executable, "-m", "mypy", *more]
        return subprocess.run(command, cwd=SDK, capture_output=True, text=True, timeout=900)
