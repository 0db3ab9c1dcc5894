"""Countersign in Python: the offline verification of receipts. See `countersign.verify`."""

import sys

__version__ = "0.1.0"

# `python -m countersign.verify` imports this package while it looks for the module. To load the module here as well
# would run it twice, which Python warns about. Only then is the first argument "-m".
if getattr(sys, "argv", [])[:1] != ["-m"]:
    from .verify import (
        STEPS,
        Checkpoint,
        Core,
        DecisionFact,
        Expectation,
        Facts,
        NoteKey,
        Number,
        Refusal,
        Report,
        Step,
        Trust,
        main,
        parse_payload,
        report_json,
        report_text,
        verify,
    )

    __all__ = [
        "STEPS",
        "Checkpoint",
        "Core",
        "DecisionFact",
        "Expectation",
        "Facts",
        "NoteKey",
        "Number",
        "Refusal",
        "Report",
        "Step",
        "Trust",
        "main",
        "parse_payload",
        "report_json",
        "report_text",
        "verify",
    ]
