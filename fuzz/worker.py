"""The Python side of the differential fuzzer: reads a line for each receipt, `receipt TAB trust TAB decision`, and answers
it with the report as one line of JSON. PYTHONPATH names sdk/python."""

import importlib
import json
import sys
import traceback

# The package's name `verify` is the function, which hides the module from a plain import.
v = importlib.import_module("countersign.verify")


def answer(path, trust_path, decision):
    if trust_path not in TRUST:
        with open(trust_path, "rb") as file:
            TRUST[trust_path] = v.Trust.parse(file.read())
    with open(path, "rb") as file:
        receipt = file.read()
    expectation = v.Expectation(decision=decision)
    try:
        return v.report_json(path, v.verify(receipt, TRUST[trust_path], expectation), expectation)
    except Exception:
        # No bytes may do this, so it is a finding and not the end.
        return json.dumps({"crash": traceback.format_exc()})


TRUST = {}
for line in sys.stdin:
    # A lone surrogate may not stand in UTF-8; the verifiers never write one.
    sys.stdout.buffer.write(answer(*line.rstrip("\n").split("\t")).encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()
