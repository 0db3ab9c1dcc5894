"""What can be wrong when an approval is asked for. Every error has a `code`, the same word in every language.

That a person said no, or nobody answered, is no error of `request_approval`: it is the `status` of a decision.
`require_approval` and `guard` raise `ApprovalDenied` for both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from .confirmation import Outcome


class CountersignError(Exception):
    """Anything but a verified approval. The action must not run."""

    #: The outcome code, for programs.
    code = "unreachable"


class Unreachable(CountersignError):
    """No usable answer after all tries: the server is down, hangs, fails, or its answer is not JSON or too large."""


class Refused(CountersignError):
    """The server refused the request with a problem document."""

    code = "refused"

    def __init__(self, status: int, type: str, detail: str, field: Optional[str] = None) -> None:
        super().__init__(f"the server refused with {status}: {detail}")
        #: The status of HTTP.
        self.status = status
        #: The problem's type, such as `urn:countersign:problem:invalid`; empty if the server gave none.
        self.type = type
        #: What was wrong, in the server's words.
        self.detail = detail
        #: Where it was wrong, if the server says so.
        self.field = field


class Mismatch(CountersignError):
    """The answer is about something else than what was asked."""

    code = "mismatch"


class NotVerified(CountersignError):
    """The server says approved, and the evidence does not show it."""

    code = "not_verified"

    def __init__(self, step: str, detail: str) -> None:
        super().__init__(f"the step {step} failed: {detail}")
        #: The id of the step that failed.
        self.step = step
        #: Why.
        self.detail = detail


class RolledBack(CountersignError):
    """The log is smaller than, or contradicts, what this client has verified before."""

    code = "rolled_back"


class AlreadyConsumed(CountersignError):
    """The approval has been used, or was not there to be used."""

    code = "already_consumed"


class TooLate(CountersignError):
    """The last moment for using the approval has passed."""

    code = "too_late"


class ApprovalDenied(CountersignError):
    """Raised by `require_approval` and `guard`, whatever the reason. `__cause__` is the error behind it, if there is one."""

    def __init__(self, code: str, message: str, decision: Optional[Outcome] = None) -> None:
        super().__init__(message)
        self.code = code
        #: The decision, if there is one: rejected, expired, cancelled, timed out, or approved and not usable.
        self.decision = decision
