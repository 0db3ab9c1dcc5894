"""Countersign in Python: the clients that ask people for approval, and the offline verification of receipts.

`countersign.verify` alone is one file, and runs on Python 3.9; the clients need 3.10.
"""

import sys

__version__ = "0.1.0"

# `python -m countersign.verify` imports this package while it looks for the module. To load the module here as well
# would run it twice, which Python warns about. Only then is the first argument "-m".
if getattr(sys, "argv", [])[:1] != ["-m"]:
    from .asynchronous import AsyncCountersign
    from .client import Countersign
    from .confirmation import AsyncDecision, Confirmation, Consumption, Decision
    from .errors import (
        AlreadyConsumed,
        ApprovalDenied,
        CountersignError,
        Mismatch,
        NotVerified,
        Refused,
        RolledBack,
        TooLate,
        Unreachable,
    )
    from .memory import FileMemory, Memory, ProcessMemory
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
    from .webhooks import NotSigned, WebhookEvent, verify_webhook

    __all__ = [
        "STEPS",
        "AlreadyConsumed",
        "ApprovalDenied",
        "AsyncCountersign",
        "AsyncDecision",
        "Checkpoint",
        "Confirmation",
        "Consumption",
        "Core",
        "Countersign",
        "CountersignError",
        "Decision",
        "DecisionFact",
        "Expectation",
        "Facts",
        "FileMemory",
        "Memory",
        "Mismatch",
        "NotSigned",
        "NotVerified",
        "NoteKey",
        "Number",
        "ProcessMemory",
        "Refusal",
        "Refused",
        "Report",
        "RolledBack",
        "Step",
        "TooLate",
        "Trust",
        "Unreachable",
        "WebhookEvent",
        "main",
        "parse_payload",
        "report_json",
        "report_text",
        "verify",
        "verify_webhook",
    ]
