"""What is asked, and whether an answer is about exactly that."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, TypedDict

from .errors import Mismatch
from .values import json_of, payload_of
from .verify import (
    _CORE_FIELDS,
    _MAX_DOCUMENT,
    _MAX_PAYLOAD_DEPTH,
    Core,
    Json,
    Number,
    Refusal,
    Trust,
    _canonical,
    _Fields,
    _Limits,
    _parse_canonical,
    _visible,
)

#: How far an `issued_at` may be from the client's clock, in seconds, where the request cannot be an older one.
FRESH = 120
#: The server's own values for what a request leaves out, in seconds.
_EXPIRES_IN, _USE_WITHIN = 300, 3600


class EveryCall(TypedDict, total=False):
    """How an approval is asked for, as it may be the same for many requests."""

    #: The one approver; or `approvers`.
    username: str
    #: Who is asked; or `username`.
    approvers: Sequence[str]
    #: How many of them must approve; 1 if left out.
    quorum: int
    #: How they are told; what there is depends on the server.
    notify: str
    #: Seconds for the decision; 300 if left out.
    expires_in: int
    #: Seconds after that for using an approval; 3600 if left out.
    use_within: int
    #: Whether anyone may fetch the receipt.
    reveal: bool
    #: Given back to the requester, never shown to an approver.
    metadata: Any
    #: The name of the API key's owner as it must stand in the core; not compared if left out.
    requester: str


class Terms(EveryCall, total=False):
    """How an approval is asked for, beside the action and the payload."""

    #: The same key with the same arguments finds the same confirmation; random if left out.
    idempotency_key: str


@dataclass(frozen=True)
class Question:
    """One exact question to exact people."""

    action: str
    payload: Dict[str, Json]
    #: Ascending.
    approvers: Tuple[str, ...]
    quorum: int
    notify: Optional[str]
    expires_in: Optional[int]
    use_within: Optional[int]
    reveal: bool
    metadata: Json
    idempotency_key: Optional[str]
    requester: Optional[str]

    @classmethod
    def of(
        cls,
        action: str,
        payload: Mapping[str, Any],
        username: Optional[str] = None,
        approvers: Optional[Sequence[str]] = None,
        quorum: int = 1,
        notify: Optional[str] = None,
        expires_in: Optional[int] = None,
        use_within: Optional[int] = None,
        reveal: bool = False,
        metadata: Any = None,
        idempotency_key: Optional[str] = None,
        requester: Optional[str] = None,
    ) -> Question:
        """Raises `TypeError` or `ValueError` for what cannot be asked."""
        if (username is None) == (approvers is None) or isinstance(approvers, str):
            raise TypeError("give username (one name) or approvers (a list of names)")
        names = [username] if username is not None else list(approvers or ())
        if not names or len(set(names)) != len(names):
            raise ValueError("approvers must not be empty or hold a name twice")
        if idempotency_key is not None and not _is_key(idempotency_key):
            raise ValueError("idempotency_key must be 1 to 255 visible ASCII characters")
        return cls(
            action,
            payload_of(dict(payload)),
            tuple(sorted(names)),
            quorum,
            notify,
            expires_in,
            use_within,
            reveal,
            json_of(metadata, "metadata"),
            idempotency_key,
            requester,
        )

    def body(self) -> bytes:
        """The body of `POST /api/confirmations`."""
        members: Dict[str, Json] = {"action": self.action, "payload": self.payload}
        if len(self.approvers) == 1 and self.quorum == 1:
            members["username"] = self.approvers[0]
        else:
            members["approvers"] = list(self.approvers)
            members["quorum"] = Number(str(self.quorum))
        for name, seconds in (("expiresIn", self.expires_in), ("useWithin", self.use_within)):
            if seconds is not None:
                members[name] = Number(str(int(seconds)))
        if self.notify is not None:
            members["notify"] = self.notify
        if self.reveal:
            members["reveal"] = True
        if self.metadata is not None:
            members["metadata"] = self.metadata
        return _canonical(members).encode()

    def compare(self, core: Core) -> None:
        """Raises `Mismatch` unless a core is about exactly this."""
        _same("action", core.action, self.action)
        if core.payload != self.payload:
            raise Mismatch("the payload in the answer is another one than what was asked")
        _same("approvers", core.approvers, self.approvers)
        _same("quorum", core.quorum, self.quorum)
        _same("reveal", core.reveal, self.reveal)
        _same("time for the decision", core.expires_at - core.issued_at, _or(self.expires_in, _EXPIRES_IN))
        _same("time for its use", core.use_by - core.expires_at, _or(self.use_within, _USE_WITHIN))
        if self.requester is not None:
            _same("requester", core.requester, self.requester)


def parse_core(text: str, id: str, trust: Trust) -> Core:
    """The core of an answer about this id, from a log of the trust file; or `Mismatch`."""
    try:
        value = _parse_canonical(text.encode(), _Limits(_MAX_DOCUMENT, _MAX_PAYLOAD_DEPTH + 1))
        core = Core._parse(_Fields.exactly(value, _CORE_FIELDS))
    except (Refusal, UnicodeEncodeError) as error:
        raise Mismatch(f"the core in the answer is malformed: {error}") from None
    _same("id", core.id, id)
    if core.log not in [key.name for key in trust.logs]:
        raise Mismatch(f"the answer is for the log {_visible(core.log)}, which is not in the trust file")
    return core


def compare_code(core: str) -> str:
    """The code that requester and page show (docs/protocol.md section 7)."""
    digest = hashlib.sha256(b"countersign/compare/v1\n" + core.encode()).digest()[:10]
    text = base64.b32encode(digest).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _same(what: str, given: object, expected: object) -> None:
    if given != expected:
        raise Mismatch(f"the {what} in the answer is {_visible(str(given))}, asked was {_visible(str(expected))}")


def _or(value: Optional[int], default: int) -> int:
    return default if value is None else int(value)


def _is_key(text: str) -> bool:
    return 1 <= len(text) <= 255 and all("!" <= character <= "~" for character in text)
