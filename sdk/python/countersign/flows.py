"""Everything that a client does, without doing it: each flow is a generator that yields what is to be sent, slept or told,
and is sent what came of it. The synchronous and the asynchronous client run the same flows. docs/doors.md has the rules.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Generator, List, Optional, Tuple, TypeVar, Union

from .clock import BothClocks
from .confirmation import Confirmation, Consumption, Outcome, Use
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
from .memory import Memory, TreeHead
from .question import FRESH, Question, compare_code, parse_core
from .transport import Request, Response, TransportError
from .values import parsed, plain
from .verify import (
    Checkpoint,
    Core,
    Expectation,
    Json,
    Number,
    Refusal,
    Trust,
    _base64_of,
    _base64url,
    _base64url_of,
    _canonical,
    _confirmation_id,
    _format_time,
    _leaf_hash,
    _Note,
    _parse_time,
    _verify_consistency,
    _verify_inclusion,
    _visible,
    verify,
)

#: Statuses that end a confirmation without opening anything.
_ENDED = ("rejected", "expired", "cancelled")
#: How long a decision may take beyond `expires_at` to be heard of, in seconds.
_GRACE = 10
#: A server that asks for a longer pause than this is told no, so that nobody waits without knowing.
_LONGEST_PAUSE = 30.0
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 0.25, 8.0
#: For how long a use is tried, and a request taken back that nobody waits for any more, in seconds.
_CONSUME_FOR, _TAKE_BACK_FOR = 60.0, 5.0


@dataclass(frozen=True)
class Send:
    """To be sent; answered with the `Response`, or a `TransportError` thrown in."""

    request: Request


@dataclass(frozen=True)
class Pause:
    """To wait for some seconds."""

    seconds: float


@dataclass
class Asked:
    """From here on the server may have the request: whoever runs the flow, and ends it, takes it back."""

    body: bytes
    key: str
    #: Whether the caller gave the key, and so can find the confirmation again. Then it stays.
    can_resume: bool
    #: The confirmation's, once it is known.
    id: Optional[str] = None


@dataclass(frozen=True)
class Tell:
    """The confirmation is there and waits for a person: whoever runs the flow may say so."""

    confirmation: Confirmation


Effect = Union[Send, Pause, Asked, Tell]
T = TypeVar("T")
Flow = Generator[Effect, Any, T]


class _OutOfTime(Unreachable):
    """The caller's time is over."""


@dataclass
class Flows:
    """What all flows of one client share."""

    api_key: str = field(repr=False)
    #: The pinned trust, or none: then it is taken from the server on first use.
    trust: Optional[Trust]
    memory: Memory
    #: Seconds since 1970.
    now: Callable[[], float]
    #: Seconds on a clock that nobody sets, and that may stand still while the machine sleeps.
    monotonic: Callable[[], float]
    #: A random number between two.
    uniform: Callable[[float, float], float]
    request_timeout: float
    max_retries: int
    #: Seconds of one long-poll.
    poll: int
    #: The URL, under which the memory keeps what the server said the first time; empty where it is not known.
    server: str = ""
    first_use: Optional[Trust] = None

    def __post_init__(self) -> None:
        #: By which times are over.
        self.elapsed = BothClocks(self.now, self.monotonic)

    def request(self, question: Question, timeout: Optional[float]) -> Flow[Outcome]:
        """Asks, waits, verifies."""
        began = self.elapsed()
        confirmation = yield from self.create(question, timeout)
        yield Tell(confirmation)
        left = None if timeout is None else began + timeout - self.elapsed()
        return (yield from self.wait_or_take_back(question, confirmation, left))

    def require(self, question: Question, timeout: Optional[float]) -> Flow[Outcome]:
        """Asks, waits, verifies and consumes, all within the timeout; anything else is `ApprovalDenied`."""
        outcome: Optional[Outcome] = None
        until = None if timeout is None else self.elapsed() + timeout
        try:
            outcome = yield from self.request(question, timeout)
            yield from self.consume(outcome, None if until is None else until - self.elapsed())
            return outcome
        except ApprovalDenied:
            raise
        except CountersignError as error:
            raise ApprovalDenied(error.code, str(error), outcome) from error

    def create(
        self, question: Question, timeout: Optional[float] = None, since: Optional[float] = None
    ) -> Flow[Confirmation]:
        """Asks, and compares the answer with what was asked. Where the caller gave a key the answer may be about a request
        that was made before, but not before `since`, if that is given: seconds since 1970."""
        until = self.elapsed() + (300.0 if timeout is None else timeout)
        trust, how = yield from self._trusted(until)
        key = question.idempotency_key or _base64url(secrets.token_bytes(16))
        earliest = self.now() if question.idempotency_key is None else since
        asked = Asked(question.body(), key, question.idempotency_key is not None)
        yield asked
        try:
            answer = yield from self._ask(asked, until)
        except _OutOfTime:
            if timeout is not None or not asked.can_resume:
                yield from self.take_back(asked)
            raise
        id = _id(answer)
        asked.id = id
        text = _text(answer, "core")
        core = parse_core(text, id, trust)
        question.compare(core)
        if earliest is not None and not earliest - FRESH <= core.issued_at <= self.now() + FRESH:
            issued = _format_time(core.issued_at)
            raise Mismatch(f"the answer is about a request of {issued}, or the clocks differ by more than {FRESH} s")
        return _confirmation(answer, core, key, how)

    def wait_or_take_back(
        self, question: Question, confirmation: Confirmation, timeout: Optional[float], cancel: bool = True
    ) -> Flow[Outcome]:
        """Waits, and takes the request back where nobody answers, unless the caller has the key to find it by."""
        try:
            return (yield from self.wait(confirmation, timeout, cancel))
        except Unreachable:
            if question.idempotency_key is None:
                yield from self.take_back(confirmation.id)
            raise

    def wait(self, confirmation: Confirmation, timeout: Optional[float], cancel: bool = True) -> Flow[Outcome]:
        """Waits for the decision. When the caller's time is over it cancels, and then no later yes counts; or, where it
        shall not cancel, answers `pending`."""
        if timeout is None:
            timeout = confirmation.expires_at + _GRACE - self.now()
        until = self.elapsed() + max(0.0, timeout)
        while True:
            left = until - self.elapsed()
            if left <= 0:
                break
            # Rounded down, so that the answer is here before the caller's time is over.
            seconds = min(self.poll, int(left))
            try:
                outcome = yield from self._look(confirmation, seconds, until)
            except _OutOfTime:
                break
            if outcome.approved and cancel and self.elapsed() > until:
                break  # Verified too late: whoever gave a time acts on no later yes.
            if outcome.status != "pending":
                return outcome
            # A server that answers at once must not be asked in a tight loop.
            if until - left + 0.5 > self.elapsed():
                yield Pause(min(0.5, left))
        if not cancel:
            return Outcome(confirmation, "pending")
        yield from self.take_back(confirmation.id)
        return Outcome(confirmation, "timed_out")

    def get(self, id: str, seconds: int = 0) -> Flow[Outcome]:
        """What the server says about an id. The receipt is verified for the core in the answer, which the caller must
        compare with what is about to run."""
        until = self.elapsed() + seconds + self._patience()
        confirmation, answer = yield from self._find(id, seconds, until)
        return (yield from self._judge(confirmation, answer, self._largest(), until))

    def resume(self, id: str, question: Question) -> Flow[Confirmation]:
        """The confirmation of an id, if it is about exactly this question."""
        confirmation, answer = yield from self._find(id, 0, self.elapsed() + self._patience())
        trust, _ = yield from self._trusted(self.elapsed() + self._patience())
        question.compare(parse_core(_text(answer, "core"), id, trust))
        return replace(confirmation, idempotency_key=question.idempotency_key or "")

    def cancel(self, id: str, patience: Optional[float] = None) -> Flow[None]:
        """Takes a request back; a decided one is `Refused` with 409."""
        until = self.elapsed() + (self._patience() if patience is None else patience)
        yield from self._call("POST", f"/api/confirmations/{_checked(id)}/cancel", until)

    def take_back(self, asked: Union[Asked, str]) -> Flow[None]:
        """Takes a request back for a caller that gives up, as well as it can be done in a short time. Where the answer
        never came, the same question under the same key finds the request: one that never arrived is made and cancelled."""
        until = self.elapsed() + _TAKE_BACK_FOR
        try:
            id = asked if isinstance(asked, str) else asked.id
            if id is None:
                assert isinstance(asked, Asked), "an id that is given is no None"
                id = _id((yield from self._ask(asked, until, tries=1)))
            yield from self.cancel(id, until - self.elapsed())
        except CountersignError:
            pass  # Decided meanwhile, or nobody answers: nobody acts on it, and it ends by itself.

    def _ask(self, asked: Asked, until: float, tries: Optional[int] = None) -> Flow[Dict[str, Json]]:
        headers = {"Idempotency-Key": asked.key}
        return (yield from self._call("POST", "/api/confirmations", until, asked.body, headers, tries=tries))

    def consume(self, outcome: Outcome, timeout: Optional[float] = None) -> Flow[Consumption]:
        """Uses an approval, once, within the caller's time. The action may run after this, and never without it."""
        if outcome.status != "approved":
            raise ApprovalDenied(outcome.status, _said(outcome), outcome)
        use = outcome.use
        if not use.taken.acquire(blocking=False):
            raise AlreadyConsumed("this decision was used before")
        try:
            return (yield from self._use(outcome.confirmation, use, timeout))
        except Unreachable:
            # Nobody knows whether it was used; the same key will get the answer.
            use.taken.release()
            raise

    def _use(self, confirmation: Confirmation, use: Use, timeout: Optional[float]) -> Flow[Consumption]:
        self._require_usable(confirmation, use)
        if use.began is None:
            use.began = self.now()
            use.known = {log: head.size for log, head in self._largest().items()}
        patience = max(1.0, min(_CONSUME_FOR, confirmation.use_by - self.now()))
        until = self.elapsed() + (patience if timeout is None else min(timeout, patience))
        path = f"/api/confirmations/{confirmation.id}/consume"
        try:
            answer = yield from self._call("POST", path, until, headers={"Idempotency-Key": use.key})
        except Refused as refused:
            if refused.status != 409:
                raise
            self._require_usable(confirmation, use)
            raise AlreadyConsumed(f"the approval is not there to be used: {_visible(refused.detail)}") from refused
        if "id" in answer and answer["id"] != confirmation.id:
            raise Mismatch("the answer to the use is about another confirmation")
        trust, _ = yield from self._trusted(until)
        try:
            consumption, log, head = _consumption(answer, confirmation, trust)
        except (Refusal, UnicodeError) as error:
            raise NotVerified("consumption", str(error)) from None
        self._require_this_use(confirmation, consumption, use.began)
        self._require_usable(confirmation, use)
        # Its answer may have been on its way while another thread verified a later tree head: that one must continue it.
        yield from self._remember(log, head, None, until)
        if consumption.log_index < use.known.get(log, 0):
            known = f"the log had {use.known[log]} entries before this use"
            raise AlreadyConsumed(f"{known}, and shows the entry {consumption.log_index} for it: an earlier use")
        self._require_usable(confirmation, use)
        if timeout is not None and self.elapsed() > until:
            raise _OutOfTime("the answer to the use came after the caller's time")
        return consumption

    def _require_this_use(self, confirmation: Confirmation, consumption: Consumption, began: float) -> None:
        """The proof of an earlier use stays valid for ever, and says nothing about this one."""
        said, at, now = consumption.consumed_at, _parse_time(consumption.consumed_at), self.now()
        if at is None or at > now + FRESH:
            here = _format_time(int(now))
            raise NotVerified("consumption", f"it is of {said}, and it is {here}: a wrong clock here or there")
        if at < int(began) - FRESH:
            since = _format_time(int(began))
            raise AlreadyConsumed(
                f"the log says that it was used at {said}, and this use began at {since}: an earlier use, or a wrong clock"
            )

    def verify_receipt(self, receipt: str, expectation: Expectation) -> Flow[Any]:
        """The verifier's report on a receipt, with this client's trust."""
        trust, _ = yield from self._trusted(self.elapsed() + self._patience())
        return verify(receipt.encode("utf-8", "surrogatepass"), trust, expectation)

    def _find(self, id: str, seconds: int, until: float) -> Flow[Tuple[Confirmation, Dict[str, Json]]]:
        trust, how = yield from self._trusted(until)
        answer = yield from self._get(_checked(id), seconds, until)
        core = parse_core(_text(answer, "core"), id, trust)
        if _id(answer) != id:
            raise Mismatch("the answer is about another confirmation")
        return _confirmation(answer, core, "", how), answer

    def _look(self, confirmation: Confirmation, seconds: int, until: float) -> Flow[Outcome]:
        largest = self._largest()
        answer = yield from self._get(confirmation.id, seconds, until)
        if _id(answer) != confirmation.id or _text(answer, "core") != confirmation.core:
            raise Mismatch("the answer is about another request than the one that was made")
        outcome = yield from self._judge(confirmation, answer, largest, until)
        if outcome.status == "approved":
            self._require_usable(confirmation)
        return outcome

    def _judge(
        self, confirmation: Confirmation, answer: Dict[str, Json], largest: Dict[str, TreeHead], until: float
    ) -> Flow[Outcome]:
        """Approved is only what a receipt proves for exactly the remembered core."""
        status = _text(answer, "status")
        if status not in ("pending", "approved", *_ENDED):
            raise Unreachable(f"the server answered with an unknown status: {_visible(status)}")
        receipt = _optional_text(answer, "receipt")
        if status == "approved":
            # A memory that is shorter than a decision takes a while to be asked; the receipt is checked before.
            yield from self._prove(confirmation, receipt, largest, until)
        raw = plain(answer.get("rawAssertion"))
        return Outcome(
            confirmation,
            status,
            receipt=receipt,
            raw_assertion=raw if isinstance(raw, dict) else None,
            note=_note(answer),
            decided_at=_optional_text(answer, "decidedAt"),
            consumed_at=_optional_text(answer, "consumedAt"),
            metadata=plain(answer.get("metadata")),
            use=Use(_use_key(confirmation), (self.now(), self.elapsed())),
        )

    def _prove(
        self, confirmation: Confirmation, receipt: Optional[str], largest: Dict[str, TreeHead], until: float
    ) -> Flow[None]:
        if receipt is None:
            raise NotVerified("receipt", "the server says approved and shows no receipt")
        trust, _ = yield from self._trusted(until)
        core = parse_core(confirmation.core, confirmation.id, trust)
        expected = Expectation(
            payload=core.payload,
            action=core.action,
            approvers=core.approvers,
            quorum=core.quorum,
            id=core.id,
            core=core.text,
            requester=core.requester,
        )
        report = verify(receipt.encode("utf-8", "surrogatepass"), trust, expected)
        failure = report.failure
        if failure is not None:
            raise NotVerified(failure.id, failure.detail)
        if not report.as_expected or report.facts is None:
            raise NotVerified("expectation", "the receipt does not show the approval")
        checkpoint = report.facts.checkpoint
        log = _log_key_id(json.loads(receipt)["checkpoint"], trust, checkpoint)
        yield from self._remember(log, TreeHead(checkpoint.size, checkpoint.root), largest.get(log), until)

    def _remember(self, log: str, head: TreeHead, before: Optional[TreeHead], until: float) -> Flow[None]:
        """Keeps the largest verified tree head, and refuses one that takes anything back.

        `before` is what was known when the answer was asked for. Another thread may have seen a larger head since: then
        this one may be smaller than that, but the log must still prove that the two agree.
        """
        if before is not None and head.size < before.size:
            raise RolledBack(f"the log has {head.size} entries, and had {before.size} before")
        known = self.memory.largest(log)
        if known is not None:
            old, new = (known, head) if known.size <= head.size else (head, known)
            proof: List[bytes] = []
            if old.size != new.size:
                proof = yield from self._consistency(old.size, new.size, until)
            try:
                _verify_consistency(old.size, new.size, old.root, new.root, proof)
            except Refusal as error:
                raise RolledBack(f"the log contradicts what it was before: {error}") from None
        self.memory.keep(log, head)

    def _consistency(self, old: int, new: int, until: float) -> Flow[List[bytes]]:
        try:
            answer = yield from self._call("GET", f"/log/proof/consistency?from={old}&to={new}", until)
        except Refused as error:
            raise RolledBack(f"the log cannot prove that it only grew from {old} to {new} entries") from error
        return _hashes(answer.get("hashes"), _base64_of)

    def _largest(self) -> Dict[str, TreeHead]:
        trust = self.trust or self.first_use
        keys = [] if trust is None else [_key_id(key.name, key.id) for key in trust.logs]
        return {log: head for log in keys for head in [self.memory.largest(log)] if head is not None}

    def _require_usable(self, confirmation: Confirmation, use: Optional[Use] = None) -> None:
        now = self.now()
        if use is not None:
            # Where the wall clock was set back since the answer, by the time that went by since then.
            answered, at = use.answered
            now = max(now, answered + self.elapsed() - at)
        if now > confirmation.use_by:
            raise TooLate(f"the approval could be used until {_format_time(confirmation.use_by)}")

    def _trusted(self, until: float) -> Flow[Tuple[Trust, str]]:
        if self.trust is not None:
            return self.trust, "pinned"
        if self.first_use is None:
            kept = self.memory.first_use(self.server) if self.server else None
            if kept is None:
                answer = yield from self._call("GET", "/trust.json", until)
                said = _canonical(answer)
                _parse_trust(said)
                # Another process may have been first.
                kept = self.memory.keep_first_use(self.server, said) if self.server else said
            self.first_use = _parse_trust(kept)
        return self.first_use, "first-use"

    def _get(self, id: str, seconds: int, until: float) -> Flow[Dict[str, Json]]:
        return (yield from self._call("GET", f"/api/confirmations/{id}?wait={seconds}", until, wait=seconds))

    def _patience(self) -> float:
        return (self.max_retries + 1) * (self.request_timeout + _LONGEST_BACK_OFF)

    def _call(
        self,
        method: str,
        target: str,
        until: float,
        body: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None,
        wait: int = 0,
        tries: Optional[int] = None,
    ) -> Flow[Dict[str, Json]]:
        """The JSON object that answers a request. What may be over soon is tried again: every request here does the same
        when it is sent twice."""
        sent = {"X-Api-Key": self.api_key, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        last = self.max_retries if tries is None else tries - 1
        for tried in range(last + 1):
            left = until - self.elapsed()
            if left <= 0:
                raise _OutOfTime(f"{method} {target}: no time left")
            pause = self.uniform(0, min(_LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2.0**tried))
            try:
                response = yield Send(Request(method, target, sent, body, min(wait + self.request_timeout, left)))
                answer, failure, asked_pause = _read(method, target, response)
                if answer is not None:
                    return answer
                pause = max(pause, asked_pause)
            except TransportError as error:
                failure = _visible(str(error))
            if self.elapsed() >= until:
                raise _OutOfTime(failure)
            if tried < last:
                yield Pause(min(pause, until - self.elapsed()))
        raise Unreachable(failure)


def _parse_trust(text: str) -> Trust:
    try:
        return Trust.parse(text.encode())
    except Refusal as error:
        raise Unreachable(f"the server's trust file cannot be used: {error}") from None


def _read(method: str, target: str, response: Response) -> Tuple[Optional[Dict[str, Json]], str, float]:
    """An answer; or why there is none yet, and how long the server asks to wait. Raises what no second try would cure."""
    status = response.status
    what = f"{method} {target}: the server answered {status}"
    pause = _retry_after(response)
    if status in (408, 429) and pause is not None and pause <= _LONGEST_PAUSE:
        return None, what, pause
    if 400 <= status < 500:
        raise _refused(response)
    if 300 <= status < 400:
        raise Unreachable(f"{what}, and redirects are not followed")
    if not 200 <= status < 300:
        if pause is not None and pause > _LONGEST_PAUSE:
            raise Unreachable(f"{what} and asks to come back in {pause:.0f} s")
        return None, what, pause or 0.0
    try:
        value = parsed(response.body)
    except Refusal as error:
        return None, f"{what} with something that is not JSON: {_visible(str(error))}", 0.0
    if not isinstance(value, dict):
        return None, f"{what} with something that is not a JSON object", 0.0
    return value, "", 0.0


def _retry_after(response: Response) -> Optional[float]:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _refused(response: Response) -> Refused:
    members: Dict[str, Json] = {}
    try:
        value = parsed(response.body)
        members = value if isinstance(value, dict) else {}
    except Refusal:
        pass
    texts = {name: text for name, text in members.items() if isinstance(text, str)}
    detail = _visible(texts.get("detail") or texts.get("title") or "it does not say why")
    field = texts.get("field")
    return Refused(response.status, _visible(texts.get("type", "")), detail, None if field is None else _visible(field))


def _confirmation(answer: Dict[str, Json], core: Core, key: str, how: str) -> Confirmation:
    code = compare_code(core.text)
    if _text(answer, "compareCode") != code:
        raise Mismatch("the compare code in the answer is not that of its core")
    url = _text(answer, "url")
    if _visible(url) != url or not url.startswith(("https://", "http://")):
        raise Mismatch("the link in the answer is no plain URL")
    return Confirmation(
        core.id,
        url,
        code,
        core.text,
        core.action,
        core.approvers,
        core.quorum,
        core.expires_at,
        core.use_by,
        key,
        how,
    )


def _consumption(
    answer: Dict[str, Json], confirmation: Confirmation, trust: Trust
) -> Tuple[Consumption, str, TreeHead]:
    """Verifies that the use is in the log: the entry is built from what was asked, so nothing else can be in its place.
    Which log that is, and its tree head, come with it."""
    consumed_at, index, proof = answer.get("consumedAt"), _integer(answer.get("logIndex")), answer.get("proof")
    at = _parse_time(consumed_at) if isinstance(consumed_at, str) else None
    if not isinstance(consumed_at, str) or at is None or index is None or not isinstance(proof, dict):
        raise Refusal("the answer has no time, index or proof")
    if at > confirmation.use_by:
        raise TooLate(f"the approval could be used until {_format_time(confirmation.use_by)}, and was at {consumed_at}")
    nonce = json.loads(confirmation.core)["nonce"]
    entry = "countersign/consumption/v1\n" + _canonical({"consumed_at": consumed_at, "nonce": nonce})
    note, size = proof.get("checkpoint"), _integer(proof.get("size"))
    if not isinstance(note, str) or size is None:
        raise Refusal("the proof has no checkpoint or size")
    checkpoint = Checkpoint.parse(_Note.parse(note.encode()).text)
    log = _log_key_id(note, trust, checkpoint)
    if checkpoint.size != size or checkpoint.log_origin != json.loads(confirmation.core)["log"]:
        raise Refusal("the checkpoint is of another size or another log")
    hashes = _hashes(proof.get("hashes"), _base64url_of)
    _verify_inclusion(_leaf_hash(entry.encode()), index, size, hashes, checkpoint.root)
    return Consumption(consumed_at, index), log, TreeHead(checkpoint.size, checkpoint.root)


def _log_key_id(note_text: str, trust: Trust, checkpoint: Checkpoint) -> str:
    """The trusted key that signed a checkpoint; a refusal if none did."""
    note = _Note.parse(note_text.encode())
    for key in trust.logs:
        if key.name == checkpoint.log_origin and note.is_signed_by(key):
            return _key_id(key.name, key.id)
    raise Refusal(f"no signature by a key of {_visible(checkpoint.log_origin)} in the trust file")


def _key_id(name: str, id: int) -> str:
    return f"{name}+{id:08x}"


def _hashes(value: Json, decode: Callable[[str, int], Optional[bytes]]) -> List[bytes]:
    texts = value if isinstance(value, list) else [None]
    hashes = [decode(text, 32) if isinstance(text, str) else None for text in texts[:65]]
    # A proof that is no proof fails where it is verified; one hash too many cannot fit any tree.
    return [one if one is not None else b"" for one in hashes]


def _use_key(confirmation: Confirmation) -> str:
    made = f"countersign/consume\n{confirmation.idempotency_key}\n{confirmation.id}\n".encode()
    return _base64url(hashlib.sha256(made + secrets.token_bytes(16)).digest())


def _note(answer: Dict[str, Json]) -> Optional[str]:
    decisions = answer.get("decisions")
    for decision in decisions if isinstance(decisions, list) else []:
        note = decision.get("note") if isinstance(decision, dict) else None
        if isinstance(note, str):
            return note
    return None


def _said(outcome: Outcome) -> str:
    words = {
        "pending": "nobody has decided yet",
        "rejected": "rejected by a person",
        "expired": "nobody decided in time",
        "cancelled": "the request was cancelled",
        "timed_out": "no decision within the timeout, and the request was cancelled",
    }
    said = words.get(outcome.status, outcome.status)
    return f"{said}, with the note: {_visible(outcome.note)}" if outcome.note else said


def _checked(id: str) -> str:
    try:
        return _confirmation_id(id)
    except Refusal as error:
        raise ValueError(f"no id of a confirmation: {error}") from None


def _id(answer: Dict[str, Json]) -> str:
    id = _text(answer, "id")
    try:
        return _confirmation_id(id)
    except Refusal:
        raise Mismatch("the answer's id is no id of a confirmation") from None


def _text(answer: Dict[str, Json], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise Mismatch(f"the answer has no {name}")
    return value


def _optional_text(answer: Dict[str, Json], name: str) -> Optional[str]:
    value = answer.get(name)
    return value if isinstance(value, str) else None


def _integer(value: Json) -> Optional[int]:
    return int(value.text) if isinstance(value, Number) and value.text.isdigit() else None
