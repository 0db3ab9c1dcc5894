"""The servers that misbehave, one for each case of testdata/doors.json, and that table. The binary is found by
COUNTERSIGN_MISBEHAVING, or in the target folder of the workspace; a missing one is an error.
"""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

from countersign import AsyncCountersign, Countersign, ProcessMemory

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
PAYLOAD = {"amount": 12.5, "to": "ACME"}


class Misbehaving:
    """The running servers; a context manager."""

    def __init__(self):
        folder = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
        path = os.environ.get("COUNTERSIGN_MISBEHAVING") or os.path.join(folder, "debug", "misbehaving")
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path} is missing: build it with cargo build --workspace --bins --tests --locked")
        self._process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self._said = json.loads(self._process.stdout.readline())
        except ValueError:
            self.stop()
            raise
        self.api_key = self._said["api_key"]
        self.trust_file = self._said["trust_file"]

    def stop(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, case):
        return self._said["cases"][case]

    def environment(self, case):
        """What a script needs to reach it."""
        return {
            "COUNTERSIGN_URL": self.url(case),
            "COUNTERSIGN_API_KEY": self.api_key,
            "COUNTERSIGN_TRUST": self.trust_file,
        }

    def clients(self, case, memory=None):
        """Both kinds of client, which give up before the tests do and not before a busy machine answers."""
        settings = {
            "api_key": self.api_key,
            "base_url": self.url(case),
            "trust": self.trust_file,
            "memory": memory or ProcessMemory(),
            "request_timeout": 10,
            "max_retries": 1,
            "poll": 2,
        }
        return SimpleNamespace(
            sync=lambda: Countersign(**settings), asynchronous=lambda: AsyncCountersign(**settings)
        )


def table():
    with open(os.path.join(ROOT, "testdata", "doors.json"), "rb") as file:
        return json.load(file)


def terms_of(row):
    """A row's request in Python's names."""
    names = {"expiresIn": "expires_in", "useWithin": "use_within"}
    asked = {names.get(name, name): value for name, value in row["request"].items()}
    who = {} if "username" in asked or "approvers" in asked else {"username": "alex"}
    return {"action": "Wire money", "payload": PAYLOAD, "timeout": row["timeout"], **who, **asked}


def run_table(test, doors):
    """Every door at every case, several at once because some have to wait."""
    rows = [(row, door) for row in table() for door in doors]
    test.assertGreater(len(rows), 25 * len(doors))
    with Misbehaving() as servers, ThreadPoolExecutor(16) as pool:

        def attempt(row, door):
            memory = ProcessMemory()
            if row["after_approval"]:
                servers.clients("approves", memory).sync().request_approval(
                    action="Wire money", payload=PAYLOAD, username="alex"
                )
            return door(servers.clients(row["case"], memory), terms_of(row))

        running = [(row, door, pool.submit(attempt, row, door)) for row, door in rows]
        for row, door, future in running:
            with test.subTest(case=row["case"], door=door.__name__):
                done = future.result()
                test.assertEqual((bool(done.ran), done.code), (row["runs"], row["code"]))
                test.assertEqual(done.ran, [PAYLOAD] if row["runs"] else [])
