"""Webhooks of a server: is it from the server, is it new, and does the receipt in it show what it says? No I/O.

The signature (Standard Webhooks) says who calls. It does not say that anybody approved: the receipt does, and it is verified
here by the same offline verifier.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Union

from .errors import CountersignError, Mismatch, NotVerified
from .verify import Expectation, Report, Trust, _ed25519_verify, verify

#: How many seconds the time of a webhook may differ from ours.
TOLERANCE = 300
#: The statuses that a request can end with, and whether people decided it.
_DECIDED = {"approved": "approve", "rejected": "reject", "expired": None, "cancelled": None}


class NotSigned(CountersignError):
    """A webhook that is not from the server, or too old."""

    code = "not_verified"


@dataclass(frozen=True)
class WebhookEvent:
    """A webhook that is from the server and, if it tells of a decision, shows it."""

    #: The same whenever it comes again: remember it, and do nothing twice.
    id: str
    #: `approved`, `rejected`, `expired` or `cancelled`. Act on `approved` alone, after you have consumed it.
    status: str
    #: What the server says of the confirmation, as `GET /api/confirmations/{id}` does.
    confirmation: Dict[str, Any]
    #: The verified receipt of a decision; none if nobody decided.
    report: Optional[Report]


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    *,
    trust: Trust,
    secret: Optional[str] = None,
    public_key: Optional[str] = None,
    core: Union[str, None, Callable[[str], Optional[str]]],
    tolerance: int = TOLERANCE,
    now: Optional[float] = None,
) -> WebhookEvent:
    """Checks the signature, the time and then the receipt; raises `NotSigned`, `Mismatch` or `NotVerified`.

    Give the `secret` (`whsec_…`), the `public_key` (`whpk_…`) or both; each that is given must hold. `core` is the one that
    you remembered when you made the request, or a function that finds it by the confirmation's id. With `None` nothing is
    compared: the receipt shows then that something was approved, and not that it was what you asked for.
    """
    if secret is None and public_key is None:
        raise ValueError("give the secret, the public key, or both")
    lower = {name.lower(): value for name, value in headers.items()}
    id, sent, signatures = (lower.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not re.fullmatch("[!-~]+", id) or not (sent.isascii() and sent.isdigit() and len(sent) <= 12):
        raise NotSigned("the headers webhook-id and webhook-timestamp are missing or malformed")
    signed = f"{id}.{sent}.".encode() + body
    if secret is not None and not _is_authentic(_key(secret, "whsec_"), signed, signatures):
        raise NotSigned("no signature v1 of the header webhook-signature is by this secret")
    if public_key is not None and not _is_signed(_key(public_key, "whpk_"), signed, signatures):
        raise NotSigned("no signature v1a of the header webhook-signature is by this key")
    # The comparison is false for NaN, which must not open.
    if not abs((time.time() if now is None else now) - int(sent)) <= tolerance:
        raise NotSigned(f"its time differs from ours by more than {tolerance} seconds")
    return _read(id, body, trust, core)


def _read(
    id: str, body: bytes, trust: Trust, core: Union[str, None, Callable[[str], Optional[str]]]
) -> WebhookEvent:
    try:
        event = json.loads(body)
        kind, data = event["type"], event["data"]
        status, told, confirmation = data["status"], data["core"], data["id"]
        asked = json.loads(told)["id"]
    except (ValueError, KeyError, TypeError) as error:
        raise Mismatch(f"the webhook is not of the form that this SDK knows: {error!r}") from None
    if not isinstance(status, str) or not isinstance(confirmation, str) or status not in _DECIDED or kind != f"confirmation.{status}":
        raise Mismatch("the webhook is of a kind that this SDK does not know")
    if asked != confirmation:
        raise Mismatch("the core of the webhook is of another request than it says")
    remembered = (core(confirmation) or "") if callable(core) else core
    if remembered is not None and told != remembered:
        raise Mismatch("the webhook is about another request than the one that was remembered")
    decision = _DECIDED[status]
    report = None
    if decision is not None:
        receipt = data.get("receipt")
        if not isinstance(receipt, str) or not isinstance(told, str):
            raise NotVerified("receipt", "there is no receipt")
        report = verify(receipt.encode(), trust, Expectation(decision=decision, core=told))
        if not report.as_expected:
            failure = report.failure
            raise NotVerified(failure.id if failure else "receipt", failure.detail if failure else report.verdict)
    return WebhookEvent(id, status, data, report)


def _is_authentic(key: bytes, signed: bytes, signatures: str) -> bool:
    expected = hmac.new(key, signed, hashlib.sha256).digest()
    found = [hmac.compare_digest(expected, given) for given in _of_kind(signatures, "v1")]
    return any(found)


def _is_signed(key: bytes, signed: bytes, signatures: str) -> bool:
    return any(_ed25519_verify(key, signed, given) for given in _of_kind(signatures, "v1a"))


def _of_kind(signatures: str, kind: str) -> Iterator[bytes]:
    for signature in signatures.split(" ")[:16]:
        name, _, encoded = signature.partition(",")
        if name == kind:
            try:
                yield base64.b64decode(encoded, validate=True)
            except ValueError:
                continue


def _key(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        raise ValueError(f"a key that begins with {prefix} is needed")
    key = base64.b64decode(text[len(prefix):], validate=True)
    if len(key) < 24:
        raise ValueError(f"the key behind {prefix} is too short")
    return key
