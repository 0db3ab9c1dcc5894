"""What a client hands to its caller: a confirmation that was asked for, the decision on it, and its use."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from .values import parsed, plain

if TYPE_CHECKING:
    from .asynchronous import AsyncCountersign
    from .client import Countersign


@dataclass(frozen=True)
class Confirmation:
    """A confirmation that was asked for. It remembers the core: only a receipt with exactly this core is believed."""

    id: str
    #: Where the approver decides.
    url: str
    #: What the approver's page shows too: compare the two.
    compare_code: str
    #: The exact text that all documents of this confirmation share.
    core: str
    action: str
    approvers: Tuple[str, ...]
    quorum: int
    #: The last moment for a decision, in seconds since 1970.
    expires_at: int
    #: The last moment for using an approval, in seconds since 1970.
    use_by: int
    #: Asking again with this key and the same arguments finds this confirmation; empty where it is not known.
    idempotency_key: str
    #: `pinned` if the trust file was given, `first-use` if it was taken from the server.
    trust: str

    @property
    def payload(self) -> Dict[str, Any]:
        """The exact payload, in plain Python: read from the core each time, so that no change of what this gives reaches
        what may run."""
        members = parsed(self.core.encode())
        payload: Dict[str, Any] = plain(members["payload"] if isinstance(members, dict) else None)
        return payload


@dataclass
class Use:
    """The one use of one decision. It begins with its first try, and a later one may bring the answer to that."""

    #: Random, so that a second process with the same approval is refused instead of being told yes once more.
    key: str = ""
    #: When the answer came that says approved: seconds since 1970, and on the client's clock.
    answered: Tuple[float, float] = (0.0, 0.0)
    #: When the first try began, in seconds since 1970.
    began: Optional[float] = None
    #: How many entries of each log were known then.
    known: Dict[str, int] = field(default_factory=dict)
    #: Held from a try on, unless nobody answered it.
    taken: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Outcome:
    """A decision. `approved` is said only after the receipt verified for exactly the remembered core."""

    confirmation: Confirmation
    #: `approved`, `rejected`, `expired`, `cancelled`, `timed_out`; and `pending` where the caller asked not to wait.
    status: str
    #: The receipt's exact text, once it is approved or rejected. That of a rejection has not been verified.
    receipt: Optional[str] = None
    #: The WebAuthn assertion, when one decision ended it.
    raw_assertion: Optional[Dict[str, Any]] = None
    #: What the approver wrote on a rejection. Not signed, and a stranger's text.
    note: Optional[str] = None
    #: When it was decided, as the server says.
    decided_at: Optional[str] = None
    #: When the approval was used, if it was.
    consumed_at: Optional[str] = None
    #: What the requester gave; never shown to an approver.
    metadata: Any = None
    #: How the approval is used.
    use: Use = field(default_factory=Use, repr=False, compare=False)

    @property
    def approved(self) -> bool:
        """Whether it is approved and verified. It must still be consumed before the action runs."""
        return self.status == "approved"

    @property
    def id(self) -> str:
        """The confirmation's id."""
        return self.confirmation.id

    @property
    def url(self) -> str:
        """Where the approver decides."""
        return self.confirmation.url

    @property
    def compare_code(self) -> str:
        """The code that the approver's page shows too."""
        return self.confirmation.compare_code

    @property
    def payload(self) -> Dict[str, Any]:
        """The exact payload, in plain Python: what may run if it is approved. A new one each time."""
        return self.confirmation.payload

    @property
    def trust(self) -> str:
        """`pinned` or `first-use`."""
        return self.confirmation.trust

    def __bool__(self) -> bool:
        # Every object is true by default, so `if client.request_approval(…):` would run whatever was decided.
        raise TypeError("a decision is not a boolean; look at its status")


@dataclass(frozen=True)
class Decision(Outcome):
    """The decision that a `Countersign` client returns."""

    client: Optional[Countersign] = None

    def consume(self, timeout: Optional[float] = None) -> Consumption:
        """Uses the approval, once, within a time. Only after this may the action run."""
        if self.client is None:
            raise TypeError("this decision has no client")
        return self.client.consume(self, timeout=timeout)


@dataclass(frozen=True)
class AsyncDecision(Outcome):
    """The decision that an `AsyncCountersign` client returns."""

    client: Optional[AsyncCountersign] = None

    async def consume(self, timeout: Optional[float] = None) -> Consumption:
        """Uses the approval, once, within a time. Only after this may the action run."""
        if self.client is None:
            raise TypeError("this decision has no client")
        return await self.client.consume(self, timeout=timeout)


@dataclass(frozen=True)
class Consumption:
    """An approval that has been used."""

    consumed_at: str
    #: Where in the log.
    log_index: int
