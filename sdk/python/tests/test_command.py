"""The command, from a copy of the one file alone, against what `countersign-verify` prints byte for byte."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from made import HERE, LOG, Ed25519Key, Story, canonical, trust_members, v

SDK = os.path.dirname(HERE)
GOLDEN = os.path.join(HERE, "..", "..", "..", "verifier", "tests", "golden")
#: Characters that act on a terminal, or change how others are read.
ACTIVE = "\x1b\x07\x9b\u202e\u2066\u200b"
OTHER_LOG_KEY = {**trust_members(), "logs": [Ed25519Key(LOG, 0x55).text]}
#: Runs of `countersign-verify`, and what each reads beside what all read.
GOLDEN_RUNS = {
    "active-payload": {"active.receipt.json": Story(core={"payload": {f"k{ACTIVE}": f"{ACTIVE}[31mred"}}).receipt()},
    "another-log-key": {"other.json": canonical(OTHER_LOG_KEY).encode()},
    "another-payload": {"payload.json": b'{"env":"staging"}'},
    "approved": {},
    "empty-trust": {"empty.json": b""},
    "expected": {"payload.json": b'{ "service": "api-gateway", "env": "production", "replicas": 3 }\n'},
    "json": {},
    "missing-payload": {},
    "missing-receipt": {},
    "missing-trust": {},
    "not-verified": {},
    "payload-not-an-object": {"array.json": b"[]"},
    "payload-with-a-repeated-key": {"repeated.json": b'{"a":1,"a":2}'},
    "rejected": {},
    "rejected-as-expected": {},
    "several": {},
    "standard-input": {},
    "witnesses": {},
    "witnesses-json": {},
    "unknown-trust-field": {"unknown.json": canonical({**trust_members(), "aprovers": {}}).encode()},
}


def shared_receipt(name):
    return shared_case(name)["receipt"].encode()


def shared_case(name):
    with open(os.path.join(HERE, "..", "..", "..", "testdata", "receipts", f"{name}.json"), "rb") as file:
        return json.load(file)


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        shutil.copy(os.path.join(SDK, "countersign", "verify.py"), cls.folder)
        cls.write("trust.json", canonical(trust_members()).encode())
        cls.write("approved.receipt.json", shared_receipt("genuine/approved-2-of-3"))
        cls.write("rejected.receipt.json", shared_receipt("expectation/rejected"))
        for name, case in [("after", "second-one-50-seconds-after"), ("before", "two-before-the-decision")]:
            shared = shared_case(f"genuine/witnesses-{case}")
            cls.write(f"{name}.receipt.json", shared["receipt"].encode())
            cls.write("witnesses.json", shared["trust"].encode())
        cls.write("changed.receipt.json", shared_receipt("genuine/approved").replace(b"deploy-bot", b"deploy-bat"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, data):
        with open(os.path.join(cls.folder, name), "wb") as file:
            file.write(data)

    def run_alone(self, *arguments, **environment):
        """The copied file as a program, without this package, and with an encoding that knows few characters."""
        with open(os.path.join(self.folder, "approved.receipt.json"), "rb") as standard_input:
            return subprocess.run(
                [sys.executable, "-W", "error", "verify.py", *arguments],
                cwd=self.folder,
                env={"PYTHONIOENCODING": "ascii", **environment},
                stdin=standard_input,
                capture_output=True,
            )

    @unittest.skipUnless(os.path.isdir(GOLDEN), "the golden files of the Rust verifier are not beside this folder")
    def test_prints_what_countersign_verify_prints(self):
        for name, files in GOLDEN_RUNS.items():
            path = os.path.join(GOLDEN, f"{name}.txt")
            with open(path, "rb") as file:
                golden = file.read().decode()
            arguments = golden.splitlines()[0].split(" ")[2:]
            for file_name, data in files.items():
                self.write(file_name, data)
            with self.subTest(golden=name):
                run = self.run_alone(*arguments)
                found = (
                    f"$ countersign-verify {' '.join(arguments)}\nexit code {run.returncode}\n== standard output\n"
                    f"{run.stdout.decode()}== standard error\n{run.stderr.decode()}"
                )
                self.assertEqual(found, golden)

    def test_hidden_characters_are_written_out(self):
        story = Story(core={"payload": {"k\u202e": "\u009b31m\U000e0041"}})
        self.write("hidden.receipt.json", story.receipt())
        run = self.run_alone("hidden.receipt.json", "--trust", "trust.json")
        self.assertIn('payload: {"k[U+202E]":"[U+009B]31m[U+E0041]"}', run.stdout.decode())
        run = self.run_alone("hidden.receipt.json", "--trust", "trust.json", "--json")
        line = run.stdout.decode()
        self.assertIsNone(v._HIDDEN.search(line.rstrip("\n")))
        self.assertEqual(json.loads(json.loads(line)["facts"]["core"])["payload"], {"k\u202e": "\u009b31m\U000e0041"})

    def test_wrong_calls(self):
        approved = ["approved.receipt.json", "--trust", "trust.json"]
        for arguments in [
            [],
            ["approved.receipt.json"],
            [*approved, "--quorum", "2"],
            [*approved, "--approvers", "Alex"],
            [*approved, "--approvers", "alex,"],
            [*approved, "--approvers", "alex", "--quorum", "-1"],
            [*approved, "--approvers", "alex", "--quorum", "4294967296"],
            [*approved, "--max-age", "1.5"],
            [*approved, "--max-age", "9" * 5000],
            [*approved, "--decision", "approved"],
            [*approved, "--action", b"\xff"],
            [*approved, "--usabl"],
            [*approved, "--trust", "trust.json"],
            [*approved, "--action", "a", "--action=a"],
            [*approved, "--payload", "same.json", "--payload", "same.json"],
            [*approved, "--approvers", "alex,kim,sam", "--quorum", "2", "--quorum", "2"],
            [*approved, "--approvers", "alex", "--quorum", "+1"],
            [*approved, "--decision", "approve", "--decision", "approve"],
            [*approved, "--id", "a", "--id", "b"],
            [*approved, "--requester", "a", "--requester", "b"],
            [*approved, "--max-age", "1", "--max-age", "1"],
            [*approved, "--max-age", "+1"],
            [*approved, "--usable", "--usable"],
            [*approved, "--json", "--json"],
            [*approved, "--unknown"],
            [".", "--trust", "trust.json"],
            [b"missing-\xff.json", "--trust", "trust.json"],
            ["approved.receipt.json", "--trust", "approved.receipt.json"],
        ]:
            with self.subTest(arguments=arguments):
                run = self.run_alone(*arguments)
                self.assertEqual((run.returncode, run.stdout), (2, b""))
                self.assertNotIn(b"Traceback", run.stderr)

    def test_options(self):
        for arguments, code in [
            (["--action", "Deploy api-gateway to production"], 0),
            (["--action", "Deploy"], 1),
            (["--approvers", "alex", "--approvers", "kim,sam", "--quorum", "2"], 0),
            # Names alone mean a quorum of exactly 1.
            (["--approvers", "alex,kim,sam"], 1),
            (["--max-age", "18446744073709551615"], 0),
            (["--max-age", "60"], 1),
            (["--usable"], 1),
        ]:
            with self.subTest(arguments=arguments):
                run = self.run_alone("approved.receipt.json", *arguments, COUNTERSIGN_TRUST="trust.json")
                self.assertEqual(run.returncode, code, run.stderr)

    def test_the_module_and_the_package(self):
        run = subprocess.run(
            [sys.executable, "-W", "error", "-m", "countersign.verify", "approved.receipt.json"],
            cwd=self.folder,
            env={"PYTHONPATH": SDK, "COUNTERSIGN_TRUST": "trust.json"},
            capture_output=True,
        )
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        import countersign

        # The package brings the verifier's names, and those of the clients beside them.
        self.assertLessEqual(set(v.__all__), set(countersign.__all__))
        for name in v.__all__:
            self.assertIs(getattr(countersign, name), getattr(v, name))


if __name__ == "__main__":
    unittest.main()
