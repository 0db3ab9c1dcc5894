"""The Python verifier: µs for a receipt, and for its signature checks alone, as one line of JSON for each file that is named.
PYTHONPATH names sdk/python."""

import importlib
import json
import statistics
import sys
import time

# The package's name `verify` is the function, which hides the module from a plain import.
v = importlib.import_module("countersign.verify")

# The two kinds of work take turns, so that a busy machine disturbs both alike.
WARM_UP, ROUNDS = 3, 31


def measure(path):
    with open(path, "rb") as file:
        case = json.load(file)
    data, trust = case["receipt"].encode(), v.Trust.parse(case["trust"].encode())
    receipt = v._Receipt.parse(data)
    note = v._Note.parse(receipt.checkpoint.encode())
    enrolments = [v._parse_entry(part.entry) for part in receipt.enrolments]
    keys = {entry.approver: entry.public_key for entry in enrolments}
    entries = [v._parse_entry(part.logged.entry) for part in receipt.decisions]

    def whole():
        return v.verify(data, trust).as_expected

    def signatures():
        for entry in entries:
            v._verify_assertion_signature(entry.assertion, v._PublicKey.parse(keys[entry.approver]))
        return note.is_signed_by(trust.logs[0])

    taken = [(timed(whole), timed(signatures)) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    return {name: statistics.median(column) for name, column in zip(("receipt", "signatures"), zip(*taken))}


def timed(check):
    start = time.perf_counter()
    if not check():
        raise SystemExit("a genuine receipt was refused")
    return (time.perf_counter() - start) * 1e6


for path in sys.argv[1:]:
    print(json.dumps(measure(path)))
