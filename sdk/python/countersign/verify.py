"""The offline verification of Countersign receipts: one file, standard library only, Python 3.9 or later.

A receipt says that named people approved or rejected one exact action. `verify` checks it against a trust file that the
caller pins, without network, clock or state, in twelve steps whose ids are the same in every language; docs/protocol.md
has them. This file works alone when copied, as a module and as a command:

    python3 verify.py deploy.receipt.json --trust trust.json

From the top: the public API, the command line, the steps, the formats (RFC 8785, C2SP signed-note and tlog-checkpoint,
WebAuthn Level 3 §7.2), and the cryptography (RFC 6962 proofs, FIPS 186-5 ECDSA, RFC 8017 §8.2.2, RFC 8032). All keys
here are public and all messages known, so nothing needs constant time. Bytes from outside raise `Refusal` or fail a
step, and nothing else.
"""

from __future__ import annotations

import argparse
import base64
import calendar
import datetime
import hashlib
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import (
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterator,
    List,
    NoReturn,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
    Union,
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

T = TypeVar("T")

# --- The public API ---------------------------------------------------------------------------------------------------

#: The ids of the steps, in the order in which they are taken.
STEPS = (
    "receipt",
    "checkpoint",
    "document",
    "entry",
    "challenge",
    "client-data",
    "authenticator-data",
    "enrolment",
    "signature",
    "inclusion",
    "quorum",
    "expectation",
)


class Refusal(ValueError):
    """Bytes or texts from outside that are not what they should be; its text says why."""


def verify(receipt: bytes, trust: Trust, expectation: Optional[Expectation] = None) -> Report:
    """Verifies a receipt. What the expectation leaves out is not compared, but the decision: approve if left out."""
    expected = Expectation() if expectation is None else expectation
    progress = _Progress()
    facts: Optional[Facts] = None
    as_expected = False
    try:
        facts = decided = _run_steps(receipt, trust, progress)
        progress.take("expectation", lambda: (None, expected.check(decided)))
        as_expected = True
    except _Stopped:
        pass
    verdict = "not verified"
    # Only the decision may differ from what is expected without making the rest worthless: a genuine rejection is a
    # rejection, whatever the caller hoped for.
    if facts is not None and (as_expected or expected.only_decision_differs(facts)):
        verdict = "approved" if facts.decision == "approve" else "rejected"
    return Report(tuple(progress.finish()), verdict, facts, as_expected)


@dataclass(frozen=True)
class Step:
    """One step and how it went."""

    #: One of `STEPS`.
    id: str
    #: `passed`, `failed` or `not reached`.
    status: str
    #: What was found, or why it does not hold; empty if not reached.
    detail: str


@dataclass(frozen=True)
class Report:
    """The result of a verification."""

    #: Every step in order.
    steps: Tuple[Step, ...]
    #: What the receipt proves: `approved`, `rejected` or `not verified`.
    verdict: str
    #: Who decided what and when; none unless every step up to the quorum holds.
    facts: Optional[Facts]
    #: Whether the expected decision was reached and verified.
    as_expected: bool

    @property
    def failure(self) -> Optional[Step]:
        """The step that failed, if one did."""
        return next((step for step in self.steps if step.status == "failed"), None)

    def __bool__(self) -> bool:
        # Every object is true by default, so `if verify(…):` would accept every receipt.
        raise TypeError("a report is not a boolean; look at as_expected or verdict")


@dataclass(frozen=True)
class Facts:
    """What a receipt's decisions say, once every step up to the quorum holds."""

    #: What was decided in the end: `approve` or `reject`.
    decision: str
    #: What it was about.
    core: Core
    #: Each decision, in the order of the log.
    decisions: Tuple[DecisionFact, ...]
    #: The tree head that all of it is under.
    checkpoint: Checkpoint
    #: Whether the keys were pinned by the trust file, or only logged.
    pinned: bool
    #: When as many witnesses as the trust file asks for had cosigned, in seconds since 1970. None if it asks for none.
    witnessed_at: Optional[int]

    @property
    def decided_at(self) -> int:
        """When the last decision was made, in seconds since 1970."""
        return max(decision.decided_at for decision in self.decisions)

    @property
    def limits(self) -> List[str]:
        """What no receipt can show, in sentences for the reader of a report."""
        logged = "The approvers' keys are logged but not pinned: that they belong to these people is the server's word."
        return [
            "The approvers' keys are the ones that the trust file pins." if self.pinned else logged,
            "That no rejection, revocation or consumption was left out: ask the log itself.",
            *self._limits_of_time(),
            "User verification is the authenticator's claim.",
        ]

    def _limits_of_time(self) -> List[str]:
        """The server's clock, and what the witnesses' clocks say about it. Clocks differ, so neither is a failure."""
        if self.witnessed_at is None:
            return ["The time of the decision is the server's word."]
        witnessed, decided = _format_time(self.witnessed_at), _format_time(self.decided_at)
        seen = f"Witnesses saw it no later than {witnessed}; how long before that it was decided is the server's word."
        if self.decided_at <= self.witnessed_at:
            return [seen]
        return [seen, f"The server's word contradicts the witnesses: it says that it was decided at {decided}, later."]


@dataclass(frozen=True)
class DecisionFact:
    """One approver's decision."""

    approver: str
    #: `approve` or `reject`.
    decision: str
    #: By the server's clock, in seconds since 1970.
    decided_at: int
    #: Where in the log.
    index: int
    #: With which key: SHA-256 of its SPKI DER.
    credential: bytes


@dataclass(frozen=True)
class Expectation:
    """What a caller expects. What is left out is not checked, and the report says so."""

    #: The exact payload, as `parse_payload` returns it.
    payload: Optional[Dict[str, Json]] = None
    #: The exact title.
    action: Optional[str] = None
    #: Exactly who was asked, in any order.
    approvers: Optional[Sequence[str]] = None
    #: How many had to approve; compared only if the approvers are stated.
    quorum: int = 1
    #: `approve` or `reject`.
    decision: str = "approve"
    #: The confirmation's id.
    id: Optional[str] = None
    #: The exact core, as the requester was given it.
    core: Optional[str] = None
    #: The requester's name.
    requester: Optional[str] = None
    #: The time now and the greatest age of the last decision, both in seconds.
    max_age: Optional[Tuple[int, int]] = None
    #: The time now, for a caller about to act: `use_by` must not have passed.
    usable_at: Optional[int] = None

    def __post_init__(self) -> None:
        if self.decision not in ("approve", "reject"):
            raise Refusal("the expected decision must be approve or reject")

    def check(self, facts: Facts) -> str:
        """Compares with what was decided. Names what was compared, or refuses with the first thing that differs."""
        self._check_all_but_decision(facts)
        if facts.decision != self.decision:
            raise Refusal(f"the decision is {facts.decision}, expected {self.decision}")
        stated = [name for name, is_stated in self._table() if is_stated]
        return f"as expected: {', '.join(['decision', *stated])}"

    def only_decision_differs(self, facts: Facts) -> bool:
        """Whether nothing but the decision differs."""
        try:
            self._check_all_but_decision(facts)
        except Refusal:
            return False
        return True

    @property
    def not_stated(self) -> List[str]:
        """The expectations that the caller did not state, by name."""
        return [name for name, is_stated in self._table() if not is_stated]

    def _table(self) -> List[Tuple[str, bool]]:
        return [
            ("payload", self.payload is not None),
            ("action", self.action is not None),
            ("approvers", self.approvers is not None),
            ("id", self.id is not None),
            ("core", self.core is not None),
            ("requester", self.requester is not None),
            ("age", self.max_age is not None),
            ("use_by", self.usable_at is not None),
        ]

    def _check_all_but_decision(self, facts: Facts) -> None:
        core = facts.core
        if self.payload is not None and self.payload != core.payload:
            given, expected = (_shortened(_canonical(payload)) for payload in (core.payload, self.payload))
            raise Refusal(f"the payload is {given}, expected {expected}")
        _require_same("action", self.action, core.action)
        self._check_approvers(core)
        _require_same("id", self.id, core.id)
        _require_same("core", self.core, core.text)
        _require_same("requester", self.requester, core.requester)
        if self.max_age is not None:
            now, limit = self.max_age
            age = max(0, now - facts.decided_at)
            if age > limit:
                raise Refusal(f"decided {age} seconds ago, at most {limit} are expected")
        if self.usable_at is not None and self.usable_at > core.use_by:
            use_by, now_text = _format_time(core.use_by), _format_time(self.usable_at)
            raise Refusal(f"it could be used until {use_by}, now is {now_text}")

    def _check_approvers(self, core: Core) -> None:
        if self.approvers is None:
            return
        names = sorted(self.approvers)
        if names != list(core.approvers):
            raise Refusal(f"the approvers are {', '.join(core.approvers)}, expected {', '.join(names)}")
        if self.quorum != core.quorum:
            raise Refusal(f"the quorum is {core.quorum}, expected {self.quorum}")


def _require_same(what: str, expected: Optional[str], given: str) -> None:
    if expected is not None and expected != given:
        raise Refusal(f"the {what} is {_in_quotes(_shortened(given))}, expected {_in_quotes(_shortened(expected))}")


def _shortened(text: str) -> str:
    """A text that fits on a line of a report; beyond that its hash tells two texts apart."""
    limit = 200
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… (SHA-256 {_base64url(_sha256(text.encode('utf-8', 'surrogatepass')))})"


@dataclass(frozen=True)
class Trust:
    """What a verifier pins. Everything else in a receipt is a claim."""

    #: The keys of the logs that are believed; a key's name is its log origin.
    logs: Tuple[NoteKey, ...]
    #: The relying party id on which people approve.
    rp_id: str
    #: The web origins on which a ceremony may happen, compared as exact strings.
    web_origins: Tuple[str, ...]
    #: Who may approve, and with which keys. None: whoever the log enrolled.
    approvers: Optional[Dict[str, List[bytes]]]
    #: From which index on a key's decisions are not believed any more.
    revoked: Dict[bytes, int]
    #: The witnesses whose cosignatures count.
    witnesses: Tuple[NoteKey, ...]
    #: How many of them must have cosigned.
    witness_quorum: int

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """Parses and checks a trust file; refuses with `Refusal`."""
        fields = _Fields.at_most(_parse_json(data, _Limits(_MAX_TRUST, 4)), _TRUST_FIELDS)
        fields.require_type("countersign/trust/v1")
        trust = cls(
            logs=tuple(NoteKey.parse(text, _NOTE_ED25519) for text in fields.strings("logs")),
            rp_id=fields.string("rp_id"),
            web_origins=tuple(fields.strings("web_origins")),
            approvers=_parse_trusted_approvers(fields.value("approvers")) if fields.has("approvers") else None,
            revoked=_parse_revoked(fields.value("revoked")) if fields.has("revoked") else {},
            witnesses=tuple(NoteKey.parse(text, _NOTE_COSIGNATURE) for text in fields.strings("witnesses"))
            if fields.has("witnesses")
            else (),
            witness_quorum=fields.integer("witness_quorum") if fields.has("witness_quorum") else 0,
        )
        trust._check()
        return trust

    def _check(self) -> None:
        if not self.logs or not self.web_origins:
            raise Refusal("logs and web_origins must not be empty")
        for web_origin in self.web_origins:
            _check_web_origin(web_origin, self.rp_id)
        if self.witness_quorum > len(self.witnesses):
            raise Refusal("witness_quorum is larger than the number of witnesses")
        if self.witness_quorum == 0 and self.witnesses:
            raise Refusal("witnesses without a witness_quorum would not be asked")


def parse_payload(data: bytes) -> Dict[str, Json]:
    """Parses a payload strictly: an object of at most 256 KiB in canonical form and 32 levels, with exact numbers."""
    # White space and escapes may make the text longer than its canonical form, which is what the limit is about.
    value = _parse_json(data, _Limits(4 * _MAX_PAYLOAD, _MAX_PAYLOAD_DEPTH))
    given = len(_canonical(value).encode())
    if given > _MAX_PAYLOAD:
        raise _json_refusal("", f"{given} bytes, at most {_MAX_PAYLOAD} are allowed")
    if not isinstance(value, dict):
        raise _json_refusal("", "not JSON at byte 0: expected an object")
    return value


def report_text(name: str, report: Report, expectation: Expectation) -> str:
    """The report for people: the file, who decided what, the steps, one verdict line, and what it does not show."""
    lines = [_visible(name)]
    if report.facts is not None:
        lines += _summary(report.facts)
    lines.append("")
    marks = {"passed": "✓", "failed": "✗", "not reached": "·"}
    for step in report.steps:
        lines.append(f"  {marks[step.status]} {step.id:<18}  {_visible(step.detail or step.status)}")
    lines += ["", _verdict_line(report)]
    if report.facts is not None and report.as_expected:
        lines += ["", "What this receipt does not show:"]
        lines += [f"  - {limit}" for limit in report.facts.limits]
        if expectation.not_stated:
            names = ", ".join(expectation.not_stated)
            lines.append(f"  - Not compared, because you stated no expectation: {names}.")
    return "\n".join(lines) + "\n"


def _verdict_line(report: Report) -> str:
    verdict = report.verdict.upper()
    if report.failure is None:
        return verdict
    # A script that looks for APPROVED at the start of a line must not find it where the exit code is 1.
    if report.verdict != "not verified":
        verdict = f"NOT AS EXPECTED ({report.verdict})"
    return f"{verdict}: the step {report.failure.id} failed: {_visible(report.failure.detail)}"


def _summary(facts: Facts) -> List[str]:
    core = facts.core
    lines = [
        f"  {_visible(core.requester)} asked: {_visible(core.action)}",
        f"  payload: {_visible(_canonical(core.payload))}",
    ]
    for decision in facts.decisions:
        at = _format_time(decision.decided_at)
        lines.append(f"  {decision.approver} decided to {decision.decision} at {at}, log index {decision.index}")
    names, use_by = ", ".join(core.approvers), _format_time(core.use_by)
    return [*lines, f"  {names} could decide, {core.quorum} had to approve; usable until {use_by}"]


def report_json(name: str, report: Report, expectation: Expectation) -> str:
    """The report as one line of JSON, with every hidden character escaped: it may be read on a terminal too."""
    failure = report.failure
    members: Dict[str, Json] = {
        "type": "countersign/report/v1",
        "receipt": name,
        "verdict": report.verdict,
        "as_expected": report.as_expected,
        "failed_step": None if failure is None else failure.id,
        "steps": [{"id": step.id, "status": step.status, "detail": step.detail} for step in report.steps],
        "not_stated": list(expectation.not_stated),
        "facts": None if report.facts is None else _facts_json(report.facts),
    }
    return _HIDDEN.sub(lambda match: _json_escape(match.group()), _canonical(members))


def _facts_json(facts: Facts) -> Dict[str, Json]:
    decisions: List[Json] = [
        {
            "approver": decision.approver,
            "credential": _base64url(decision.credential),
            "decided_at": _format_time(decision.decided_at),
            "decision": decision.decision,
            "index": str(decision.index),
        }
        for decision in facts.decisions
    ]
    return {
        "core": facts.core.text,
        "decisions": decisions,
        "keys_pinned": facts.pinned,
        "limits": list(facts.limits),
        "witnessed_at": None if facts.witnessed_at is None else _format_time(facts.witnessed_at),
    }


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _visible(text: str) -> str:
    """Text from outside for a terminal: what cannot be seen is written out, so that it cannot act on the terminal."""
    return _HIDDEN.sub(lambda match: f"[U+{ord(match.group()):04X}]", text)


# --- The command line -------------------------------------------------------------------------------------------------

_EXAMPLES = """\
examples:
  python3 -m countersign.verify deploy.receipt.json --trust trust.json
  python3 -m countersign.verify deploy.receipt.json --trust trust.json --payload deploy.json --approvers alex --usable
  python3 -m countersign.verify - --trust trust.json --decision reject --json < refused.receipt.json

exit codes: 0 the expected decision was reached and verified, 1 it was not, 2 the call was wrong"""


class _CallError(Exception):
    """The call itself was wrong, so nothing, or not everything, was verified."""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code: 0 as expected, 1 not, 2 the call was wrong."""
    try:
        parsed = _argument_parser().parse_args(arguments)
        return _verify_files(parsed, min(max(int(time.time()), 0), _MAX_TIME), sys.stdout.buffer)
    except SystemExit as stop:
        # argparse has printed its help (0) or what is wrong with the call (2).
        return stop.code if isinstance(stop.code, int) else 2
    except _CallError as error:
        # Names of files may hold bytes that are not UTF-8, and a terminal may not know every character.
        message = f"countersign-verify: {error}\n".encode("utf-8", "backslashreplace")
        sys.stderr.buffer.write(message)
        sys.stderr.buffer.flush()
        return 2


def _argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="countersign-verify",
        description="Check receipts offline: who approved or rejected what, and whether it is in the log.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    trust = os.environ.get("COUNTERSIGN_TRUST")
    add("receipts", nargs="+", help="receipt files; - reads standard input")
    add("--trust", action=_Once, default=trust, required=trust is None, help="the trust file (or COUNTERSIGN_TRUST)")
    add("--payload", action=_Once, help="a file with the exact payload that you expect, as JSON in any layout")
    add("--action", type=_text, action=_Once, help="the exact title that you expect")
    add("--approvers", type=_usernames, action="append", help="exactly who must have been asked, with commas")
    add("--quorum", type=_integer(32), action=_Once, help="exactly how many of them had to approve (1)")
    decisions = ["approve", "reject"]
    add("--decision", choices=decisions, action=_Once, default="approve", help="the decision that you expect")
    add("--id", type=_text, action=_Once, help="the id of the confirmation that you expect")
    add("--requester", type=_text, action=_Once, help="the name of the requester that you expect")
    age = "how many seconds ago it may have been decided"
    add("--max-age", type=_integer(64), action=_Once, metavar="SECONDS", help=age)
    flag: Dict[str, Any] = {"action": _Once, "nargs": 0, "const": True, "default": False}
    add("--usable", **flag, help="refuse an approval that may not be used any more")
    add("--json", **flag, help="print the report as one JSON object for each receipt")
    return parser


class _Once(argparse.Action):
    """An option that may stand once: argparse itself lets the last one overrule the others without a word."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Optional[str] = None
    ) -> None:
        # The default may be equal to what is given, so the options that were seen are kept beside the values.
        seen: Set[str] = namespace.__dict__.setdefault("seen", set())
        if self.dest in seen:
            raise argparse.ArgumentError(self, "stands twice")
        seen.add(self.dest)
        # A flag takes no value; what it stores is its constant.
        setattr(namespace, self.dest, self.const if self.nargs == 0 else values)


def _text(argument: str) -> str:
    """An argument that is UTF-8: other bytes become lone surrogates, which no document holds."""
    if any(0xD800 <= ord(character) < 0xE000 for character in argument):
        raise argparse.ArgumentTypeError("not UTF-8")
    return argument


def _usernames(argument: str) -> List[str]:
    try:
        return [_username(name) for name in argument.split(",")]
    except Refusal as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from None


def _integer(bits: int) -> Callable[[str], int]:
    def integer(argument: str) -> int:
        number = _decimal(argument)
        if number is None or number >= 1 << bits:
            raise argparse.ArgumentTypeError(f"not a whole number below 2^{bits}")
        return number

    return integer


def _verify_files(arguments: argparse.Namespace, now: int, out: BinaryIO) -> int:
    trust = _content(arguments.trust, "trust file", Trust.parse, _read(arguments.trust, _MAX_TRUST))
    expectation = _expectation(arguments, now)
    count = len(arguments.receipts)
    with_summary = count > 1 and not arguments.json
    good, unreadable = 0, []
    for path in arguments.receipts:
        try:
            receipt = _read(path, _MAX_RECEIPT + 1)
        except _CallError as error:
            unreadable.append(str(error))
            if with_summary:
                _write(out, f"{_visible(_display(path))}\n\nUNREADABLE\n")
            continue
        report = verify(receipt, trust, expectation)
        good += report.as_expected
        if arguments.json:
            _write(out, report_json(_display(path), report, expectation) + "\n")
        else:
            _write(out, report_text(_display(path), report, expectation))
    if with_summary:
        rest = f", {len(unreadable)} unreadable" if unreadable else ""
        _write(out, f"\n{good} of {count} receipts as expected{rest}\n")
    if unreadable:
        raise _CallError("; ".join(unreadable))
    return 0 if good == count else 1


def _expectation(arguments: argparse.Namespace, now: int) -> Expectation:
    if arguments.quorum is not None and arguments.approvers is None:
        raise _CallError("--quorum needs --approvers")
    payload = None
    if arguments.payload is not None:
        payload = _content(arguments.payload, "payload", parse_payload, _read(arguments.payload, _MAX_RECEIPT))
    return Expectation(
        payload=payload,
        action=arguments.action,
        approvers=arguments.approvers and [name for names in arguments.approvers for name in names],
        quorum=1 if arguments.quorum is None else arguments.quorum,
        decision=arguments.decision,
        id=arguments.id,
        requester=arguments.requester,
        max_age=None if arguments.max_age is None else (now, arguments.max_age),
        usable_at=now if arguments.usable else None,
    )


def _read(path: str, limit: int) -> bytes:
    """Reads a file, or standard input for `-`. What is larger than the limit is cut behind it and refused later."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(limit + 1)
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        reason = f"{error.strerror} (os error {error.errno})"
        raise _CallError(f"cannot read {_visible(_display(path))}: {reason}") from None


def _content(path: str, what: str, parse: Callable[[bytes], T], data: bytes) -> T:
    try:
        return parse(data)
    except Refusal as refusal:
        raise _CallError(f"{_visible(_display(path))} is not a {what}: {_visible(str(refusal))}") from None


def _write(out: BinaryIO, text: str) -> None:
    try:
        out.write(text.encode())
        out.flush()
    except OSError as error:
        raise _CallError(f"cannot write the report: {error.strerror} (os error {error.errno})") from None


def _display(path: str) -> str:
    return "standard input" if path == "-" else os.fsencode(path).decode("utf-8", "replace")


# --- The steps --------------------------------------------------------------------------------------------------------


class _Stopped(Exception):
    """A step did not hold; the reason is recorded."""


class _Progress:
    """The steps taken so far."""

    def __init__(self) -> None:
        self._steps: List[Step] = []

    def take(self, step: str, check: Callable[[], Tuple[T, str]]) -> T:
        """Takes the next step and records how it went. The check returns what it found, and that in words."""
        assert STEPS[len(self._steps)] == step, "the steps are taken in their order"
        try:
            value, words = check()
        except Refusal as refusal:
            self._steps.append(Step(step, "failed", str(refusal)))
            raise _Stopped from None
        self._steps.append(Step(step, "passed", words))
        return value

    def finish(self) -> List[Step]:
        """All steps; those behind the one that failed were not reached."""
        return self._steps + [Step(step, "not reached", "") for step in STEPS[len(self._steps) :]]


def _run_steps(data: bytes, trust: Trust, progress: _Progress) -> Facts:
    """The steps from a receipt's bytes to the facts that it proves. Each uses what the steps before it found."""
    take = progress.take
    receipt = take("receipt", lambda: _parse_receipt(data))
    checkpoint, witnessed_at = take("checkpoint", lambda: _open_checkpoint(receipt, trust))
    documents = take("document", lambda: _parse_documents(receipt, checkpoint))
    entries = take("entry", lambda: _parse_entries(receipt, documents))
    client_data = take("challenge", lambda: _check_challenges(receipt, documents, entries))
    take("client-data", lambda: _check_client_data(client_data, trust))
    take("authenticator-data", lambda: _check_all_authenticator_data(entries, trust))
    signers = _Signers(receipt, checkpoint, trust)
    keys = take("enrolment", lambda: signers.check(documents, entries))
    take("signature", lambda: _check_signatures(entries, keys))
    take("inclusion", lambda: _check_inclusion(receipt, checkpoint))
    decision = take("quorum", lambda: _check_quorum(documents, entries))
    decisions = tuple(
        DecisionFact(document.approver, document.decision, entry.decided_at, part.logged.index, entry.credential)
        for part, document, entry in zip(receipt.decisions, documents, entries)
    )
    pinned = trust.approvers is not None
    return Facts(decision, documents[0].core, decisions, checkpoint, pinned, witnessed_at)


def _parse_receipt(data: bytes) -> Tuple[_Receipt, str]:
    receipt = _Receipt.parse(data)
    return receipt, f"{_count(len(receipt.decisions), 'decision')}, {_count(len(receipt.enrolments), 'enrolment')}"


def _open_checkpoint(receipt: _Receipt, trust: Trust) -> Tuple[Tuple[Checkpoint, Optional[int]], str]:
    """The tree head, and the time by which as many witnesses as needed had cosigned it."""
    note = _Note.parse(receipt.checkpoint.encode())
    claimed = Checkpoint.parse(note.text)
    keys = [key for key in trust.logs if key.name == claimed.log_origin]
    if not keys:
        raise Refusal(f"the log {_in_quotes(claimed.log_origin)} is not in the trust file")
    # Several keys may have the log's name: of a known key, a line that fails spoils the note.
    signers = [key for key in keys if note.is_signed_by(key)]
    if not signers:
        raise Refusal(f"no signature by a key of {claimed.log_origin} in the trust file")
    found = f"tree of {claimed.size} entries, signed by {signers[0].name}+{signers[0].id:08x}"
    if trust.witness_quorum == 0:
        return (claimed, None), found
    times = _witness_times(note, trust)
    witnessed_at = min(times[trust.witness_quorum - 1], _MAX_TIME)
    return (claimed, witnessed_at), f"{found} and {_count(len(times), 'witness key')}"


def _witness_times(note: _Note, trust: Trust) -> List[int]:
    """When each pinned witness key cosigned first, in ascending order; one key under two names counts once."""
    first: Dict[bytes, int] = {}
    for witness in trust.witnesses:
        for at in note.cosigned_at(witness):
            first[witness.public_key] = min(at, first.get(witness.public_key, at))
    if len(first) < trust.witness_quorum:
        raise Refusal(f"cosigned by {len(first)} of the {trust.witness_quorum} witnesses needed")
    return sorted(first.values())


def _parse_documents(receipt: _Receipt, checkpoint: Checkpoint) -> Tuple[List[_Document], str]:
    documents = []
    for part in receipt.decisions:
        document = _Document.parse(part.document)
        if document.core.log != checkpoint.log_origin:
            given, needed = _in_quotes(document.core.log), _in_quotes(checkpoint.log_origin)
            raise Refusal(f"the document names the log {given}, the checkpoint is of {needed}")
        documents.append(document)
    core = documents[0].core
    return documents, f"“{core.action}”, asked by {core.requester}"


def _parse_entries(receipt: _Receipt, documents: List[_Document]) -> Tuple[List[_DecisionEntry], str]:
    entries = []
    for part, document in zip(receipt.decisions, documents):
        core, entry = document.core, _parse_entry(part.logged.entry)
        if not isinstance(entry, _DecisionEntry):
            raise Refusal("the entry is not a decision")
        if entry.approver != _label(core.log, document.approver):
            raise Refusal(f"the entry's label is not {document.approver}'s")
        if entry.decision != document.decision:
            raise Refusal(f"the entry says {entry.decision}, the document {document.decision}")
        if not core.issued_at <= entry.decided_at <= core.expires_at:
            at, first, last = map(_format_time, (entry.decided_at, core.issued_at, core.expires_at))
            raise Refusal(f"decided at {at}, outside of {first} to {last}")
        entries.append(entry)
    return entries, ", ".join(f"{entry.decision} at {_format_time(entry.decided_at)}" for entry in entries)


def _check_challenges(
    receipt: _Receipt, documents: List[_Document], entries: List[_DecisionEntry]
) -> Tuple[List[_ClientData], str]:
    found = []
    for part, document, entry in zip(receipt.decisions, documents, entries):
        client_data = _ClientData.parse(entry.assertion.client_data_json)
        nonce, document_hash = _halves(client_data.challenge)
        if nonce != document.core.nonce:
            raise Refusal("the signed nonce is not the document's")
        # Over the receipt's own text: nothing is serialised again between the bytes and the hash.
        if document_hash != _sha256(part.document.encode()):
            raise Refusal("the signature is over another document")
        found.append(client_data)
    return found, "nonce and document hash are what was signed"


def _halves(challenge: bytes) -> Tuple[bytes, bytes]:
    if len(challenge) != 64:
        raise Refusal(f"a challenge of {len(challenge)} bytes, a decision's has 64")
    return challenge[:32], challenge[32:]


def _check_client_data(found: List[_ClientData], trust: Trust) -> Tuple[None, str]:
    for client_data in found:
        client_data.check_type()
        client_data.check_origin(trust)
        client_data.check_framing()
    return None, f"signed on {found[0].origin}"


def _check_all_authenticator_data(entries: List[_DecisionEntry], trust: Trust) -> Tuple[None, str]:
    for entry in entries:
        _check_authenticator_data(entry.assertion.authenticator_data, trust.rp_id)
    return None, f"user present and verified, for {trust.rp_id}, by the authenticator's word"


@dataclass(frozen=True)
class _Enrolled:
    """An enrolment as it stands in the log."""

    entry: _CredentialEntry
    key: _PublicKey
    index: int


@dataclass(frozen=True)
class _Signers:
    """The enrolment step: from a receipt's enrolments to the keys of its decisions."""

    receipt: _Receipt
    checkpoint: Checkpoint
    trust: Trust

    def check(self, documents: List[_Document], entries: List[_DecisionEntry]) -> Tuple[List[_PublicKey], str]:
        enrolled = self._enrolments({entry.credential for entry in entries})
        keys = []
        for part, document, entry in zip(self.receipt.decisions, documents, entries):
            enrolment = enrolled[entry.credential]
            if enrolment.entry.approver != entry.approver:
                raise Refusal(f"the key was not enrolled for {document.approver}")
            if enrolment.index >= part.logged.index:
                raise Refusal("the key was enrolled after the decision")
            self._check_pins(document.approver, entry.credential, part.logged.index)
            keys.append(enrolment.key)
        how = "logged, not pinned" if self.trust.approvers is None else "pinned by the trust file"
        return keys, f"{_count(len(enrolled), 'key')} enrolled before the decision, {how}"

    def _enrolments(self, needed: Set[bytes]) -> Dict[bytes, _Enrolled]:
        """The enrolments by key: exactly those of the keys that signed a decision or another enrolment."""
        enrolled: Dict[bytes, _Enrolled] = {}
        for part in self.receipt.enrolments:
            enrolment = self._parse(part)
            by = enrolment.entry.authorised_by
            if by is not None:
                self._check_authorisation(enrolment, by, enrolled.get(by.credential))
                needed = needed | {by.credential}
            enrolled[enrolment.key.credential] = enrolment
        if len(enrolled) != len(self.receipt.enrolments) or set(enrolled) != needed:
            raise Refusal("not exactly one enrolment for each key that signed")
        return enrolled

    def _parse(self, part: _LoggedEntry) -> _Enrolled:
        entry = _parse_entry(part.entry)
        if not isinstance(entry, _CredentialEntry):
            raise Refusal("the entry is not an enrolment")
        if entry.rp_id != self.trust.rp_id:
            given, pinned = _in_quotes(entry.rp_id), _in_quotes(self.trust.rp_id)
            raise Refusal(f"the key was enrolled for {given}, the trust file says {pinned}")
        key = _PublicKey.parse(entry.public_key)
        if key.algorithm != entry.alg:
            raise Refusal(f"the key is of {key.algorithm}, its enrolment says {_in_quotes(entry.alg)}")
        return _Enrolled(entry, key, part.index)

    def _check_authorisation(self, new: _Enrolled, by: _Authorisation, earlier: Optional[_Enrolled]) -> None:
        """A key that an earlier key of the same approver allowed: that key signed this one."""
        if earlier is None:
            raise Refusal("the key that authorised an enrolment is not among the earlier enrolments")
        if earlier.entry.approver != new.entry.approver:
            raise Refusal("an enrolment was authorised by another approver's key")
        self._check_revoked(earlier.key.credential, new.index)
        nonce, _ = _halves(_ClientData.parse(by.assertion.client_data_json).challenge)
        signed = _enrolment_document(new.entry, self.checkpoint.log_origin)
        try:
            _verify_assertion(by.assertion, nonce + _sha256(signed.encode()), self.trust, earlier.key)
        except Refusal as refusal:
            raise Refusal(f"the authorisation of an enrolment: {refusal}") from None

    def _check_pins(self, approver: str, credential: bytes, at: int) -> None:
        if self.trust.approvers is not None:
            keys = self.trust.approvers.get(approver)
            if keys is None:
                raise Refusal(f"{approver} is not in the trust file")
            if credential not in keys:
                raise Refusal(f"the key {_base64url(credential)} of {approver} is not in the trust file")
        self._check_revoked(credential, at)

    def _check_revoked(self, credential: bytes, at: int) -> None:
        """A key listed as revoked signs nothing from that index on, neither decisions nor enrolments."""
        since = self.trust.revoked.get(credential)
        if since is not None and at >= since:
            raise Refusal(f"the key was revoked at index {since}, it signed at {at}")


def _enrolment_document(entry: _CredentialEntry, log_origin: str) -> str:
    """What an earlier key signs to allow a new one, after a nonce."""
    return _canonical(
        {
            "approver": _base64url(entry.approver),
            "log": log_origin,
            "public_key": _base64url(entry.public_key),
            "rp_id": entry.rp_id,
            "type": "countersign/enrolment/v1",
        }
    )


def _check_signatures(entries: List[_DecisionEntry], keys: List[_PublicKey]) -> Tuple[None, str]:
    for entry, key in zip(entries, keys):
        _verify_assertion_signature(entry.assertion, key)
    return None, f"{_count(len(entries), 'good signature')} with the enrolled key"


def _check_inclusion(receipt: _Receipt, checkpoint: Checkpoint) -> Tuple[None, str]:
    logged = [part.logged for part in receipt.decisions] + receipt.enrolments
    for part in logged:
        leaf = _leaf_hash(part.entry.encode())
        try:
            _verify_inclusion(leaf, part.index, checkpoint.size, part.hashes, checkpoint.root)
        except Refusal as refusal:
            raise Refusal(f"the entry at index {part.index}: {refusal}") from None
    return None, f"entries {', '.join(str(part.index) for part in logged)} are under the checkpoint's root"


def _check_quorum(documents: List[_Document], entries: List[_DecisionEntry]) -> Tuple[str, str]:
    core = documents[0].core
    if any(document.core.text != core.text for document in documents):
        raise Refusal("the documents are not of one confirmation")
    people = {document.approver for document in documents}
    keys = {entry.credential for entry in entries}
    if len(people) < len(documents) or len(keys) < len(documents):
        raise Refusal("an approver or a key stands twice")
    for document in documents:
        if document.decision == "reject":
            return "reject", f"{document.approver} rejected, and one rejection ends it"
    if len(documents) < core.quorum:
        raise Refusal(f"{len(documents)} of the {core.quorum} approvals needed")
    return "approve", f"{_count(len(documents), 'approval')} of {core.quorum} needed"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- The receipt ------------------------------------------------------------------------------------------------------

_MAX_RECEIPT = 32 * 1024 * 1024
_MAX_DECISIONS = 32
#: Eight for each decision: the key that signed it, and the keys that authorised keys.
_MAX_ENROLMENTS = 256
#: The longest inclusion proof of a tree of fewer than 2^63 entries.
_MAX_HASHES = 63


@dataclass(frozen=True)
class _LoggedEntry:
    """An entry with its proof."""

    entry: str
    hashes: List[bytes]
    index: int

    @classmethod
    def parse(cls, fields: _Fields) -> _LoggedEntry:
        hashes = fields.strings("hashes")
        if len(hashes) > _MAX_HASHES:
            raise Refusal("a proof has at most 63 hashes")
        entry, decoded = fields.string("entry"), [_base64url_of(text, 32) for text in hashes]
        known = [one for one in decoded if one is not None]
        if len(known) != len(decoded):
            raise _wrong_field("hashes", "an array of base64url of 32 bytes")
        return cls(entry, known, fields.integer("index"))


@dataclass(frozen=True)
class _DecisionPart:
    """One decision: the exact document that was signed, and its entry."""

    document: str
    logged: _LoggedEntry

    @classmethod
    def parse(cls, value: Json) -> _DecisionPart:
        fields = _Fields.exactly(value, ("document", "entry", "hashes", "index"))
        return cls(fields.string("document"), _LoggedEntry.parse(fields))


@dataclass(frozen=True)
class _Receipt:
    """A parsed receipt. Nothing in it is verified yet."""

    checkpoint: str
    #: Ascending by index.
    decisions: List[_DecisionPart]
    #: Ascending by index.
    enrolments: List[_LoggedEntry]

    @classmethod
    def parse(cls, data: bytes) -> _Receipt:
        """Parses a receipt; one newline may follow it."""
        data = data[:-1] if data.endswith(b"\n") else data
        value = _parse_canonical(data, _Limits(_MAX_RECEIPT, 5))
        fields = _Fields.exactly(value, ("checkpoint", "decisions", "enrolments", "type"))
        fields.require_type("countersign/receipt/v1")
        decisions, enrolments = fields.array("decisions"), fields.array("enrolments")
        if not 1 <= len(decisions) <= _MAX_DECISIONS or not 1 <= len(enrolments) <= _MAX_ENROLMENTS:
            raise Refusal("a receipt has 1 to 32 decisions and 1 to 256 enrolments")
        names = ("entry", "hashes", "index")
        receipt = cls(
            fields.string("checkpoint"),
            [_DecisionPart.parse(decision) for decision in decisions],
            [_LoggedEntry.parse(_Fields.exactly(enrolment, names)) for enrolment in enrolments],
        )
        receipt._check()
        return receipt

    def _check(self) -> None:
        if len(self.checkpoint.encode()) > _MAX_NOTE:
            raise Refusal("the checkpoint is larger than 16384 bytes")
        indexes = [[part.logged.index for part in self.decisions], [part.index for part in self.enrolments]]
        if not all(map(_is_ascending, indexes)):
            raise Refusal("decisions and enrolments must be ascending by index")


def _is_ascending(items: Sequence[Any]) -> bool:
    return all(one < next_one for one, next_one in zip(items, items[1:]))


# --- The document -----------------------------------------------------------------------------------------------------

_MAX_PAYLOAD = 256 * 1024
#: The payload itself counted as 1.
_MAX_PAYLOAD_DEPTH = 32
#: A payload and the fields around it, whose sizes are bounded too.
_MAX_DOCUMENT = _MAX_PAYLOAD + 16 * 1024
_MAX_APPROVERS = 32
#: The shortest and the longest time for a decision, and again for using it, in seconds.
_SHORTEST_WINDOW, _LONGEST_WINDOW = 5, 72 * 3600

_OWN_FIELDS = ("approver", "decision", "salt")
_CORE_FIELDS = (
    "action",
    "approvers",
    "expires_at",
    "id",
    "issued_at",
    "log",
    "nonce",
    "payload",
    "quorum",
    "requester",
    "reveal",
    "type",
    "use_by",
)


@dataclass(frozen=True)
class Core:
    """What all documents of one confirmation share. Times are in seconds since 1970."""

    #: The title, in the requester's words.
    action: str
    #: Who was asked, ascending and without repeats.
    approvers: Tuple[str, ...]
    #: The last moment for a decision.
    expires_at: int
    #: The confirmation's id.
    id: str
    #: When it was asked.
    issued_at: int
    #: The log origin.
    log: str
    #: 32 random bytes, public, one for each confirmation.
    nonce: bytes
    #: The exact payload.
    payload: Dict[str, Json]
    #: How many of the approvers had to approve.
    quorum: int
    #: The name of who asked.
    requester: str
    #: Whether the receipt is public.
    reveal: bool
    #: The last moment for using an approval.
    use_by: int
    #: The core as exact canonical text.
    text: str

    @classmethod
    def _parse(cls, fields: _Fields) -> Core:
        fields.require_type("countersign/document/v1")
        payload = fields.value("payload")
        core = cls(
            action=fields.string("action"),
            approvers=tuple(_named("approvers", _username, name) for name in fields.strings("approvers")),
            expires_at=fields.time("expires_at"),
            id=_confirmation_id(fields.string("id")),
            issued_at=fields.time("issued_at"),
            log=fields.string("log"),
            nonce=fields.bytes32("nonce"),
            payload=fields.typed("payload", "an object", lambda value: value if isinstance(value, dict) else None),
            quorum=_quorum_of(fields),
            requester=fields.string("requester"),
            reveal=fields.boolean("reveal"),
            use_by=fields.time("use_by"),
            text=_canonical(fields.without(_OWN_FIELDS)),
        )
        core._check()
        # The document's own limits leave room around the payload, so the payload is measured by itself.
        parse_payload(_canonical(payload).encode())
        return core

    def _check(self) -> None:
        """Checks every rule that the types do not: a hostile server may break them."""
        _named("action", _check_shown(300), self.action)
        _named("requester", _check_shown(64), self.requester)
        if not 1 <= len(self.approvers) <= _MAX_APPROVERS:
            raise Refusal("approvers must be 1 to 32 usernames")
        if not _is_ascending(self.approvers):
            raise Refusal("approvers must be ascending, without repeats")
        if not 1 <= self.quorum <= len(self.approvers):
            raise Refusal("quorum must be 1 to the number of approvers")
        if not self.log:
            raise Refusal("log must not be empty")
        if not _SHORTEST_WINDOW <= self.expires_at - self.issued_at <= _LONGEST_WINDOW:
            raise Refusal("expires_at must be 5 seconds to 72 hours after issued_at")
        if not _SHORTEST_WINDOW <= self.use_by - self.expires_at <= _LONGEST_WINDOW:
            raise Refusal("use_by must be 5 seconds to 72 hours after expires_at")


@dataclass(frozen=True)
class _Document:
    """What one approver signs: the core, who signs, what they decide, and a salt."""

    core: Core
    approver: str
    decision: str

    @classmethod
    def parse(cls, text: str) -> _Document:
        value = _parse_canonical(text.encode(), _Limits(_MAX_DOCUMENT, _MAX_PAYLOAD_DEPTH + 1))
        fields = _Fields.exactly(value, _CORE_FIELDS + _OWN_FIELDS)
        core = Core._parse(fields)
        approver = _named("approver", _username, fields.string("approver"))
        document = cls(core, approver, _decision(fields.string("decision")))
        fields.bytes32("salt")
        if approver not in core.approvers:
            raise Refusal("approver must be one of approvers")
        return document


def _decision(text: str) -> str:
    if text not in ("approve", "reject"):
        raise _wrong_field("decision", "approve or reject")
    return text


def _confirmation_id(text: str) -> str:
    if not re.fullmatch(r"cnf_[a-z2-7]{26}", text):
        raise _wrong_field("id", "cnf_ and 26 symbols of lower-case base32")
    return text


# --- Log entries ------------------------------------------------------------------------------------------------------

_MAX_ENTRY = 65_535


def _parse_entry(text: str) -> Union[_CredentialEntry, _DecisionEntry, None]:
    """Parses an entry: a type line, then canonical JSON with exactly the fields of that type.

    None for a revocation and a consumption: they are checked as strictly, but no receipt has use for them.
    """
    size = len(text.encode())
    if size > _MAX_ENTRY:
        raise Refusal(f"an entry of {size} bytes, at most {_MAX_ENTRY} are allowed")
    line, newline, rest = text.partition("\n")
    read = _ENTRY_READERS.get(line)
    if not newline or read is None:
        raise Refusal("no type line of a known entry")
    return read(_parse_canonical(rest.encode(), _Limits(_MAX_ENTRY, 2)))


@dataclass(frozen=True)
class _Assertion:
    """The three parts of an assertion, as received."""

    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes

    @classmethod
    def parse(cls, fields: _Fields) -> _Assertion:
        parts = (fields.base64url(name) for name in ("authenticator_data", "client_data_json", "signature"))
        return cls(*parts)


@dataclass(frozen=True)
class _DecisionEntry:
    """An approver decided."""

    #: The approver's label.
    approver: bytes
    credential: bytes
    decision: str
    decided_at: int
    assertion: _Assertion

    @classmethod
    def parse(cls, value: Json) -> _DecisionEntry:
        names = ("approver", "authenticator_data", "client_data_json", "credential")
        fields = _Fields.exactly(value, (*names, "decided_at", "decision", "signature"))
        return cls(
            fields.bytes32("approver"),
            fields.bytes32("credential"),
            _decision(fields.string("decision")),
            fields.time("decided_at"),
            _Assertion.parse(fields),
        )


@dataclass(frozen=True)
class _Authorisation:
    """An earlier key of the same approver allowed an enrolment."""

    credential: bytes
    assertion: _Assertion

    @classmethod
    def parse(cls, value: Json) -> Optional[_Authorisation]:
        """None for an enrolment by invite, which a verifier can only check the form of."""
        if isinstance(value, dict) and "invite" in value:
            _Fields.exactly(value, ("invite",)).bytes32("invite")
            return None
        fields = _Fields.exactly(value, ("authenticator_data", "client_data_json", "credential", "signature"))
        return cls(fields.bytes32("credential"), _Assertion.parse(fields))


@dataclass(frozen=True)
class _CredentialEntry:
    """A key was enrolled for an approver."""

    #: The approver's label.
    approver: bytes
    alg: str
    public_key: bytes
    rp_id: str
    authorised_by: Optional[_Authorisation]

    @classmethod
    def parse(cls, value: Json) -> _CredentialEntry:
        names = ("alg", "approver", "authorised_by", "backup_eligible", "enrolled_at", "public_key", "rp_id")
        fields = _Fields.exactly(value, names)
        approver, alg = fields.bytes32("approver"), fields.string("alg")
        public_key, rp_id = fields.base64url("public_key"), fields.string("rp_id")
        fields.boolean("backup_eligible")
        fields.time("enrolled_at")
        return cls(approver, alg, public_key, rp_id, _Authorisation.parse(fields.value("authorised_by")))


def _check_revocation(value: Json) -> None:
    fields = _Fields.exactly(value, ("approver", "credential", "reason", "revoked_at"))
    fields.bytes32("approver")
    fields.bytes32("credential")
    if fields.string("reason") not in ("lost", "stolen", "left", "replaced", "other"):
        raise _wrong_field("reason", "lost, stolen, left, replaced or other")
    fields.time("revoked_at")


def _check_consumption(value: Json) -> None:
    fields = _Fields.exactly(value, ("consumed_at", "nonce"))
    fields.bytes32("nonce")
    fields.time("consumed_at")


_ENTRY_READERS: Dict[str, Callable[[Json], Union[_CredentialEntry, _DecisionEntry, None]]] = {
    "countersign/credential/v1": _CredentialEntry.parse,
    "countersign/revocation/v1": _check_revocation,
    "countersign/decision/v1": _DecisionEntry.parse,
    "countersign/consumption/v1": _check_consumption,
}


# --- Names ------------------------------------------------------------------------------------------------------------

#: Characters that are controls, change the direction of text, or cannot be seen: general categories Cc, Zl, Zp, the
#: noncharacters, and the format, filler, variation and tag characters that have been used to hide text
#: (CVE-2021-42574). They are written out so that every verifier has the same table; the last two code points of every
#: plane are noncharacters too.
_HIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def _quorum_of(fields: _Fields) -> int:
    quorum = fields.integer("quorum")
    if quorum >= 2**32:
        raise _wrong_field("quorum", "1 to 32")
    return quorum


def _username(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9._@-]{1,64}", text):
        raise Refusal("a username is 1 to 64 of a-z 0-9 . _ - @")
    return text


def _check_shown(limit: int) -> Callable[[str], str]:
    """A text that people read before they sign: bounded, with nothing hidden in it."""

    def check(text: str) -> str:
        if not 1 <= len(text) <= limit:
            raise Refusal(f"{len(text)} characters, 1 to {limit} are allowed")
        hidden = _HIDDEN.search(text)
        if hidden:
            code = ord(hidden.group())
            raise Refusal(f"U+{code:04X} is a control, bidirectional or invisible character")
        if not text.strip():
            raise Refusal("nothing but white space")
        return text

    return check


def _named(field: str, check: Callable[[str], str], text: str) -> str:
    """Checks a name and says of which field it is."""
    try:
        return check(text)
    except Refusal as refusal:
        raise Refusal(f"the field {field}: {refusal}") from None


def _label(log_origin: str, username: str) -> bytes:
    """An approver in the public log: whoever knows a name finds its entries."""
    return _sha256(f"countersign/approver/v1\n{log_origin}\n{username}".encode())


# --- The trust file ---------------------------------------------------------------------------------------------------

_MAX_TRUST = 1024 * 1024
_TRUST_FIELDS = ("approvers", "logs", "revoked", "rp_id", "type", "web_origins", "witness_quorum", "witnesses")


def _check_web_origin(web_origin: str, rp_id: str) -> None:
    """A web origin is https, or http for localhost, with the relying party id as its host or a parent of it.

    It is compared with what browsers write, so a path, an upper-case letter or a default port would never match.
    """
    refused = f"the web origin {_in_quotes(web_origin)} "
    scheme, separator, rest = web_origin.partition("://")
    scheme, authority = (scheme, rest) if separator else ("", web_origin)
    host, colon, port = authority.partition(":")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host):
        raise Refusal(refused + "is not scheme, host and port alone")
    if colon and not (re.fullmatch(r"0|[1-9][0-9]{0,4}", port) and int(port) < 1 << 16):
        raise Refusal(refused + "has a port that is no number")
    if (scheme, port) in (("https", "443"), ("http", "80")):
        raise Refusal(refused + "must leave out the default port")
    local = host == "localhost" or host.endswith(".localhost")
    if scheme != "https" and not (scheme == "http" and local):
        raise Refusal(refused + "must be https, or http for localhost")
    if not rp_id or not (host == rp_id or host.endswith("." + rp_id)):
        raise Refusal(refused + "does not have rp_id as its host or a parent of it")


def _trusted_credential(text: str) -> bytes:
    credential = _base64url_of(text, 32)
    if credential is None:
        raise Refusal(f"the credential {_in_quotes(text)} is not base64url of 32 bytes")
    return credential


def _parse_trusted_approvers(value: Json) -> Dict[str, List[bytes]]:
    expected = _wrong_field("approvers", "usernames with arrays of credentials")
    if not isinstance(value, dict):
        raise expected
    approvers: Dict[str, List[bytes]] = {}
    for name, keys in value.items():
        try:
            _username(name)
        except Refusal as refusal:
            raise Refusal(f"{_in_quotes(name)}: {refusal}") from None
        if not isinstance(keys, list):
            raise expected
        approvers[name] = [_trusted_credential(key if isinstance(key, str) else "") for key in keys]
    return approvers


def _parse_revoked(value: Json) -> Dict[bytes, int]:
    expected = _wrong_field("revoked", "credentials with log indexes")
    if not isinstance(value, dict):
        raise expected
    revoked: Dict[bytes, int] = {}
    for key, index in value.items():
        credential, since = _trusted_credential(key), _as_integer(index)
        if since is None:
            raise expected
        revoked[credential] = since
    return revoked


# --- Signed notes and checkpoints -------------------------------------------------------------------------------------

_MAX_NOTE = 16 * 1024
#: C2SP signed-note asks for at least 16.
_MAX_NOTE_SIGNATURES = 64
#: The type byte of a log's Ed25519 key.
_NOTE_ED25519 = 0x01
#: The type byte of a witness's Ed25519 key (C2SP tlog-cosignature).
_NOTE_COSIGNATURE = 0x04
#: No Unicode white space and no plus. `str.isspace` counts U+001C to U+001F as well, which Unicode does not.
_KEY_NAME = re.compile(r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]+")


@dataclass(frozen=True)
class NoteKey:
    """A public key as a verifier pins it: `<name>+<8 hex digits of the key id>+<base64(type ‖ key)>`."""

    name: str
    id: int
    public_key: bytes

    @classmethod
    def parse(cls, text: str, kind: int) -> NoteKey:
        """Parses a key of one type and compares its key id."""
        refused = f"{_in_quotes(text)}: not an Ed25519 note key: "
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Refusal(refused + "not name+id+key")
        name, _, encoded = parts
        if not _KEY_NAME.fullmatch(name):
            raise Refusal(refused + "an empty name, or a name with a space")
        blob = _base64_of(encoded, 33)
        if blob is None:
            raise Refusal(refused + "not base64 of 33 bytes")
        if blob[0] != kind:
            raise Refusal(refused + "another signature type")
        point = _ed25519_point(blob[1:])
        if point is None:
            raise Refusal(refused + "not a point of the curve")
        if _ed25519_is_small(point):
            raise Refusal(refused + "not the one encoding of a point of large order")
        key_id = int.from_bytes(_sha256(name.encode() + b"\n" + blob)[:4], "big")
        if f"{name}+{key_id:08x}+{encoded}" != text:
            raise Refusal(refused + "the key id is another key's")
        return cls(name, key_id, blob[1:])


@dataclass(frozen=True)
class _NoteSignature:
    """One signature line: `— <key name> <base64(4-byte key id ‖ signature)>`."""

    name: str
    key_id: int
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> _NoteSignature:
        name, _, encoded = line[2:].partition(" ")
        decoded = _from_base64(encoded)
        well_formed = line.startswith("— ") and _KEY_NAME.fullmatch(name) and decoded is not None and len(decoded) > 4
        if not well_formed or decoded is None:
            raise Refusal("malformed note: a signature line that is not `— name base64`")
        return cls(name, int.from_bytes(decoded[:4], "big"), decoded[4:])

    @property
    def cosigned_at(self) -> int:
        """The time of a cosignature, in its first 8 bytes."""
        return int.from_bytes(self.signature[:8], "big")


@dataclass(frozen=True)
class _Note:
    """A parsed note. Nothing in it is verified yet. Lines of unknown keys are kept and ignored: anybody may add one."""

    #: The signed text, its final newline included.
    text: str
    signatures: List[_NoteSignature]

    @classmethod
    def parse(cls, data: bytes) -> _Note:
        malformed = "malformed note: "
        if len(data) > _MAX_NOTE:
            raise Refusal(malformed + "more than 16384 bytes")
        text = data.decode()
        if re.search("[\x00-\x09\x0b-\x1f]", text):
            raise Refusal(malformed + "a control character")
        # The text may hold empty lines itself, so the last one separates.
        split = text.rfind("\n\n")
        if split < 0:
            raise Refusal(malformed + "no empty line before the signatures")
        lines = text[split + 2 :]
        if not lines.endswith("\n"):
            raise Refusal(malformed + "no newline at the end")
        signatures = lines[:-1].split("\n")
        if len(signatures) > _MAX_NOTE_SIGNATURES:
            raise Refusal(malformed + "more than 64 signatures")
        return cls(text[: split + 1], [_NoteSignature.parse(line) for line in signatures])

    def is_signed_by(self, key: NoteKey) -> bool:
        """Whether a log's key signed. A line of the key that does not verify spoils the note."""
        return bool(self._lines(key, lambda line: _ed25519_verify(key.public_key, self.text.encode(), line.signature)))

    def cosigned_at(self, key: NoteKey) -> List[int]:
        """When a witness's key signed `cosignature/v1`, that time and the text (C2SP tlog-cosignature), line by line."""

        def is_good(line: _NoteSignature) -> bool:
            at = line.cosigned_at
            message = f"cosignature/v1\ntime {at}\n{self.text}".encode()
            return at < 1 << 63 and _ed25519_verify(key.public_key, message, line.signature[8:])

        return [line.cosigned_at for line in self._lines(key, is_good)]

    def _lines(self, key: NoteKey, is_good: Callable[[_NoteSignature], bool]) -> List[_NoteSignature]:
        """The lines that belong to a key. One that does not verify spoils the note."""
        lines = [line for line in self.signatures if (line.name, line.key_id) == (key.name, key.id)]
        if not all(map(is_good, lines)):
            raise Refusal(f"the signature by {key.name} does not verify")
        return lines


@dataclass(frozen=True)
class Checkpoint:
    """A tree head with the name of its log (C2SP tlog-checkpoint): three lines, no extension lines."""

    log_origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads a note's text; the caller verifies the note's signature."""
        malformed = "malformed checkpoint: "
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise Refusal(malformed + "not exactly three lines: log origin, size, root hash")
        size, root = _decimal(lines[1]), _base64_of(lines[2], 32)
        if size is None or size >= 1 << 64:
            raise Refusal(malformed + "the size is not a decimal number below 2^64")
        if root is None:
            raise Refusal(malformed + "the root hash is not base64 of 32 bytes")
        if not lines[0] or lines[1] != str(size):
            raise Refusal(malformed + "an empty log origin, or a size that is not written plainly")
        if size == 0 and root != _sha256(b""):
            raise Refusal(malformed + "size 0 with a root hash that is not the empty tree's")
        return cls(lines[0], size, root)


def _decimal(text: str) -> Optional[int]:
    """A decimal number of any length, without asking `int` for more digits than a 64-bit number has."""
    if not re.fullmatch(r"[0-9]+", text):
        return None
    digits = text.lstrip("0")
    return int(digits or "0") if len(digits) <= 20 else 1 << 64


# --- Assertions: WebAuthn Level 3 §7.2 under one strict profile -------------------------------------------------------

_MAX_CLIENT_DATA = 4096
_MAX_AUTHENTICATOR_DATA = 1024
_USER_PRESENT, _USER_VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10
_ATTESTED, _EXTENSIONS = 0x40, 0x80


def _verify_assertion(assertion: _Assertion, challenge: bytes, trust: Trust, key: _PublicKey) -> None:
    """Checks an assertion from beginning to end. The key comes from the enrolment, never from the request."""
    client_data = _ClientData.parse(assertion.client_data_json)
    client_data.check_type()
    if client_data.challenge != challenge:
        found = _in_quotes(_base64url(client_data.challenge))
        raise Refusal(f"client data field challenge is {found}, expected another one of {len(challenge)} bytes")
    client_data.check_origin(trust)
    client_data.check_framing()
    _check_authenticator_data(assertion.authenticator_data, trust.rp_id)
    _verify_assertion_signature(assertion, key)


@dataclass(frozen=True)
class _ClientData:
    """What the browser says about a ceremony. Unknown keys are ignored, because browsers add some."""

    challenge: bytes
    origin: str
    type: str
    cross_origin: bool
    has_top_origin: bool

    @classmethod
    def parse(cls, data: bytes) -> _ClientData:
        if len(data) > _MAX_CLIENT_DATA:
            raise Refusal(f"client data is {len(data)} bytes, at most {_MAX_CLIENT_DATA} are accepted")
        try:
            value = _parse_json(data, _Limits(_MAX_CLIENT_DATA, 8, exact_numbers=False))
        except Refusal as refusal:
            raise Refusal(f"client data is not strict JSON: {refusal}") from None
        if not isinstance(value, dict):
            raise Refusal("client data is not a JSON object")
        challenge = _client_challenge(_client_string(value, "challenge"))
        origin, ceremony = _client_string(value, "origin"), _client_string(value, "type")
        cross_origin = value.get("crossOrigin", False)
        if not isinstance(cross_origin, bool):
            raise Refusal("client data field crossOrigin is missing or not a boolean")
        return cls(challenge, origin, ceremony, cross_origin, "topOrigin" in value)

    def check_type(self) -> None:
        """It belongs to this ceremony and to no other (`payment.get` for example)."""
        if self.type != "webauthn.get":
            raise Refusal(f'client data field type is {_in_quotes(self.type)}, expected "webauthn.get"')

    def check_origin(self, trust: Trust) -> None:
        """The web origin is one of the relying party's, as an exact string."""
        if self.origin not in trust.web_origins:
            expected = ", ".join(map(_in_quotes, trust.web_origins))
            raise Refusal(f"client data field origin is {_in_quotes(self.origin)}, expected one of [{expected}]")

    def check_framing(self) -> None:
        """The page was not framed. Any `topOrigin` is refused, even an equal one."""
        if self.cross_origin:
            raise Refusal("client data field crossOrigin is true")
        if self.has_top_origin:
            raise Refusal("client data has a field topOrigin")


def _client_string(members: Dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Refusal(f"client data field {name} is missing or not a string")
    return value


def _client_challenge(text: str) -> bytes:
    challenge = _from_base64url(text)
    if challenge is None:
        raise Refusal("client data field challenge is not strict base64url without padding")
    if len(challenge) not in (32, 64):
        raise Refusal(f"client data field challenge is {len(challenge)} bytes, expected 32 or 64")
    return challenge


def _check_authenticator_data(data: bytes, rp_id: str) -> None:
    """Checks rpIdHash (32) ‖ flags (1) ‖ signCount (4) ‖ extensions if ED. The counter is a signal, never a reason."""
    what = "authenticator data"
    if len(data) > _MAX_AUTHENTICATOR_DATA:
        raise Refusal(f"{what} is {len(data)} bytes, at most {_MAX_AUTHENTICATOR_DATA} are accepted")
    if len(data) < 37:
        raise Refusal(f"{what} ends inside its header of 37 bytes")
    flags, rest = data[32], data[37:]
    if flags & _ATTESTED:
        raise Refusal(f"{what} of an assertion has the flag AT")
    if flags & _EXTENSIONS:
        _check_extensions(rest)
    elif rest:
        raise Refusal(f"{len(rest)} bytes follow the authenticator data")
    if data[:32] != _sha256(rp_id.encode()):
        raise Refusal(f"{what} rpIdHash is not that of the relying party id {_in_quotes(rp_id)}")
    if not flags & _USER_PRESENT:
        raise Refusal(f"{what} flags are 0x{flags:02x}: no user presence (UP)")
    if not flags & _USER_VERIFIED:
        raise Refusal(f"{what} flags are 0x{flags:02x}: no user verification (UV)")
    if flags & _BACKED_UP and not flags & _BACKUP_ELIGIBLE:
        raise Refusal(f"{what} flags are 0x{flags:02x}: backed up (BS) but not eligible for it (BE)")


def _check_extensions(data: bytes) -> None:
    """Extension outputs are one strict CBOR map up to the end, and are ignored."""
    try:
        end = _Cbor(data).item(0, 1)
        if end < len(data):
            raise Refusal(f"{len(data) - end} bytes follow the CBOR item")
    except Refusal as refusal:
        raise Refusal(f"authenticator data extensions: {refusal}") from None
    if data[0] >> 5 != 5:
        raise Refusal("authenticator data extensions are not a CBOR map")


def _verify_assertion_signature(assertion: _Assertion, key: _PublicKey) -> None:
    """The signature is over authenticator data ‖ SHA-256(client data as received)."""
    signature = assertion.signature
    if not key.is_encoding(signature):
        raise Refusal(f"signature of {len(signature)} bytes is not in the strict encoding of {key.algorithm}")
    signed = assertion.authenticator_data + _sha256(assertion.client_data_json)
    if not key.verify(signed, signature):
        over = "authenticator data and client data"
        raise Refusal(f"signature is not the enrolled {key.algorithm} key's over {over}")


class _Cbor:
    """The subset of CBOR (RFC 8949) that authenticators write, strictly: definite lengths, shortest integers, no
    repeated map key, 8 levels. Nothing reads the values, so it only finds where an item ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def item(self, at: int, depth: int) -> int:
        """Checks the item that begins here and returns where it ends."""
        if depth > 8:
            raise Refusal(f"CBOR nested deeper than 8 levels at byte {at}")
        initial = self._data[self._end(at, 1) - 1]
        major = initial >> 5
        if major >= 6:
            if initial not in (0xF4, 0xF5, 0xF6):  # false, true, null
                raise Refusal(f"CBOR item of unsupported type 0x{initial:02x} at byte {at}")
            return at + 1
        argument, end = self._argument(at, initial)
        if major in (0, 1):
            return end
        if major in (2, 3):
            return self._string(at, end, argument, major)
        return self._map(end, argument, depth) if major == 5 else self._array(end, argument, depth)

    def _argument(self, at: int, initial: int) -> Tuple[int, int]:
        """An item's value or length, in the low five bits or in the 1, 2, 4 or 8 bytes after."""
        low = initial & 0x1F
        if low < 24:
            return low, at + 1
        if low == 31:
            raise Refusal(f"CBOR of indefinite length at byte {at}")
        if low > 27:
            raise Refusal(f"CBOR item of unsupported type 0x{initial:02x} at byte {at}")
        end = self._end(at + 1, 1 << (low - 24))
        value = int.from_bytes(self._data[at + 1 : end], "big")
        if value < (24, 1 << 8, 1 << 16, 1 << 32)[low - 24]:
            raise Refusal(f"CBOR integer at byte {at} is not in its shortest form")
        return value, end

    def _string(self, at: int, start: int, length: int, major: int) -> int:
        end = self._end(start, length)
        if major == 3 and _utf8(self._data[start:end]) is None:
            raise Refusal(f"CBOR text at byte {at} is not UTF-8")
        return end

    def _array(self, at: int, length: int, depth: int) -> int:
        # Each element takes at least one byte, so a lie about the length ends at the input's end.
        for _ in range(length):
            at = self.item(at, depth + 1)
        return at

    def _map(self, at: int, length: int, depth: int) -> int:
        # Integers and text have exactly one accepted encoding, so equal keys have equal bytes.
        seen: Set[bytes] = set()
        for _ in range(length):
            end = self.item(at, depth + 1)
            if self._data[at] >> 5 not in (0, 1, 3):
                raise Refusal(f"CBOR map key at byte {at} is neither an integer nor text")
            key = self._data[at:end]
            if key in seen:
                raise Refusal(f"CBOR map key at byte {at} is repeated")
            seen.add(key)
            at = self.item(end, depth + 1)
        return at

    def _end(self, at: int, length: int) -> int:
        if length > len(self._data) - at:
            raise Refusal(f"CBOR ends inside an item at byte {len(self._data)}")
        return at + length


# --- Public keys: SPKI DER in one encoding ----------------------------------------------------------------------------

_ES256_SPKI_PREFIX = bytes.fromhex(
    "3059"  # SEQUENCE, 89 bytes
    "301306072a8648ce3d020106082a8648ce3d030107"  # AlgorithmIdentifier: id-ecPublicKey, prime256v1
    "034200"  # BIT STRING, 66 bytes, no unused bits
)
_ES256_SPKI_LENGTH = len(_ES256_SPKI_PREFIX) + 65
#: AlgorithmIdentifier: rsaEncryption with NULL.
_RSA_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")
_RSA_EXPONENT = 65537
_RSA_LEAST_BITS, _RSA_MOST_BITS = 2048, 4096
#: Where the modulus begins: every length that it can have takes two bytes, so the places are fixed.
_RSA_MODULUS_AT = 4 + len(_RSA_ALGORITHM) + 5 + 4 + 4
#: With the modulus go a zero byte, because its first bit is set at these lengths, and 5 bytes of exponent.
_RSA_LEAST_SPKI_LENGTH, _RSA_MOST_SPKI_LENGTH = (
    _RSA_MODULUS_AT + 1 + bits // 8 + 5 for bits in (_RSA_LEAST_BITS, _RSA_MOST_BITS)
)


@dataclass(frozen=True)
class _PublicKey:
    """An approver's public key: its algorithm is accepted, its numbers were checked."""

    #: `ES256` or `RS256`.
    algorithm: str
    spki_der: bytes
    #: x and y for ES256; the modulus for RS256.
    numbers: Tuple[int, ...]

    @classmethod
    def parse(cls, spki_der: bytes) -> _PublicKey:
        length = len(spki_der)
        if _RSA_LEAST_SPKI_LENGTH <= length <= _RSA_MOST_SPKI_LENGTH:
            return cls("RS256", spki_der, (_rsa_modulus(spki_der),))
        if length != _ES256_SPKI_LENGTH:
            rsa = f"{_RSA_LEAST_SPKI_LENGTH} to {_RSA_MOST_SPKI_LENGTH} for RS256"
            raise Refusal(f"public key is {length} bytes of SPKI, expected {_ES256_SPKI_LENGTH} for ES256 or {rsa}")
        if not spki_der.startswith(_ES256_SPKI_PREFIX):
            raise Refusal("public key does not begin as the SPKI of a P-256 key with an uncompressed point")
        if spki_der[26] != 0x04:
            raise Refusal("public key is not an uncompressed point")
        point = int.from_bytes(spki_der[27:59], "big"), int.from_bytes(spki_der[59:], "big")
        if not _p256_is_on_curve(point):
            raise Refusal("public key is not a point of P-256")
        return cls("ES256", spki_der, point)

    @property
    def credential(self) -> bytes:
        """The name of the key in the log."""
        return _sha256(self.spki_der)

    def is_encoding(self, signature: bytes) -> bool:
        """Whether the bytes are a signature in the one accepted encoding of the algorithm."""
        if self.algorithm == "ES256":
            return _ecdsa_numbers(signature) is not None
        return _is_rsa_encoding(self.numbers[0], signature)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it is the key's signature over the message. High-S is valid: about half of all signatures are."""
        if self.algorithm == "ES256":
            return _p256_verify((self.numbers[0], self.numbers[1]), message, signature)
        return _rsa_verify(self.numbers[0], message, signature)


def _rsa_modulus(spki_der: bytes) -> int:
    """The modulus of an RSA key: read where the one accepted encoding has it, written again, and compared."""
    modulus = int.from_bytes(spki_der[_RSA_MODULUS_AT:-5], "big")
    if _rsa_spki_der(modulus) != spki_der:
        raise Refusal("public key is not the SPKI of an RSA key with exponent 65537 in its one encoding")
    bits = modulus.bit_length()
    if not _RSA_LEAST_BITS <= bits <= _RSA_MOST_BITS:
        found = f"{bits} bits in {(bits + 7) // 8} bytes"
        expected = f"{_RSA_LEAST_BITS} to {_RSA_MOST_BITS} bits with no zero byte before them"
        raise Refusal(f"RSA modulus is {found}, expected {expected}")
    if modulus % 2 == 0:
        raise Refusal("RSA modulus is even")
    return modulus


def _rsa_spki_der(modulus: int) -> bytes:
    key = _der(0x30, _der_integer(modulus) + _der_integer(_RSA_EXPONENT))
    return _der(0x30, _RSA_ALGORITHM + _der(0x03, b"\x00" + key))


def _der_integer(number: int) -> bytes:
    # One bit more than the number has, because the first bit is the sign.
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


# --- Objects with a fixed set of fields -------------------------------------------------------------------------------


def _wrong_field(field: str, expected: str) -> Refusal:
    return Refusal(f"the field {field} must be {expected}")


class _Fields:
    """An object whose field names were checked; reading a field of another type or form is refused by name."""

    def __init__(self, members: Dict[str, Json]) -> None:
        self._members = members

    @classmethod
    def exactly(cls, value: Json, names: Sequence[str]) -> _Fields:
        """Accepts an object with exactly these fields."""
        fields = cls.at_most(value, names)
        for name in names:
            fields.value(name)
        return fields

    @classmethod
    def at_most(cls, value: Json, names: Sequence[str]) -> _Fields:
        """Accepts an object with some of these fields and no others."""
        if not isinstance(value, dict):
            raise Refusal("not an object")
        for name in value:
            if name not in names:
                raise Refusal(f"unknown field {_in_quotes(name)}")
        return cls(value)

    def has(self, field: str) -> bool:
        return field in self._members

    def value(self, field: str) -> Json:
        if field not in self._members:
            raise Refusal(f"the field {field} is missing")
        return self._members[field]

    def typed(self, field: str, expected: str, read: Callable[[Json], Optional[T]]) -> T:
        """Reads a field with a function that returns none for what is not of its type."""
        found = read(self.value(field))
        if found is None:
            raise _wrong_field(field, expected)
        return found

    def string(self, field: str) -> str:
        return self.typed(field, "a string", _as_string)

    def boolean(self, field: str) -> bool:
        return self.typed(field, "true or false", lambda value: value if isinstance(value, bool) else None)

    def integer(self, field: str) -> int:
        return self.typed(field, "a whole number from 0 to 2^53", _as_integer)

    def array(self, field: str) -> List[Json]:
        return self.typed(field, "an array", lambda value: value if isinstance(value, list) else None)

    def strings(self, field: str) -> List[str]:
        strings = [value for value in self.array(field) if isinstance(value, str)]
        if len(strings) != len(self.array(field)):
            raise _wrong_field(field, "an array of strings")
        return strings

    def time(self, field: str) -> int:
        return self.typed(field, "a time as YYYY-MM-DDTHH:MM:SSZ", lambda value: _parse_time(_as_string(value)))

    def base64url(self, field: str) -> bytes:
        return self.typed(field, "base64url without padding", lambda value: _from_base64url(_as_string(value)))

    def bytes32(self, field: str) -> bytes:
        return self.typed(field, "base64url of 32 bytes", lambda value: _base64url_of(_as_string(value), 32))

    def require_type(self, expected: str) -> None:
        """The `type` field has the one text that it must have."""
        if self.string("type") != expected:
            raise _wrong_field("type", expected)

    def without(self, names: Sequence[str]) -> Dict[str, Json]:
        """The members but these."""
        return {name: value for name, value in self._members.items() if name not in names}


def _as_string(value: Json) -> Optional[str]:
    return value if isinstance(value, str) else None


def _as_integer(value: Json) -> Optional[int]:
    """A whole number of at most 2^53, where doubles are exact."""
    if not isinstance(value, Number) or not re.fullmatch(r"[0-9]{1,16}", value.text):
        return None
    number = int(value.text)
    return number if number <= 1 << 53 else None


# --- Times ------------------------------------------------------------------------------------------------------------

#: 9999-12-31T23:59:59Z.
_MAX_TIME = 253_402_300_799
_TIME_FORM = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")


def _parse_time(text: Optional[str]) -> Optional[int]:
    """Whole seconds in UTC since 1970, from `YYYY-MM-DDTHH:MM:SSZ` between the years 1970 and 9999."""
    match = _TIME_FORM.fullmatch(text or "")
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    if year < 1970 or not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))


def _format_time(seconds: int) -> str:
    # Not time.gmtime, which ends at the year 3000 on some systems.
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=min(max(seconds, 0), _MAX_TIME))
    return moment.isoformat() + "Z"


# --- Encodings --------------------------------------------------------------------------------------------------------
# Decoding accepts only what encodes back to the same text: no white space, no other alphabet, spare bits zero. Python's
# decoders accept more, so the result is encoded again and compared.


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _from_base64url(text: Optional[str]) -> Optional[bytes]:
    if text is None or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return data if _base64url(data) == text else None


def _base64url_of(text: Optional[str], length: int) -> Optional[bytes]:
    data = _from_base64url(text)
    return data if data is not None and len(data) == length else None


def _from_base64(text: str) -> Optional[bytes]:
    """Standard base64 with padding: in notes only."""
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text):
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def _base64_of(text: str, length: int) -> Optional[bytes]:
    data = _from_base64(text)
    return data if data is not None and len(data) == length else None


def _utf8(data: bytes) -> Optional[str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _in_quotes(text: str) -> str:
    """A text in double quotes for the words of a report: quotes and backslashes escaped, hidden characters written out.

    No table but our own counts, so that the words do not depend on Python's version of Unicode.
    """
    # A caller's text may hold lone surrogates, which no encoding of a report can.
    scalars = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return '"' + _visible(re.sub(r'["\\]', r"\\\g<0>", scalars)) + '"'


# --- Strict JSON (RFC 8259) and its canonical form (RFC 8785) ---------------------------------------------------------
# `json.loads` accepts repeated keys, lone surrogates, NaN, byte order marks and other encodings than UTF-8, so here is
# another scanner.


@dataclass(frozen=True)
class Number:
    """A JSON number, kept as its RFC 8785 text, so that equal numbers have equal text."""

    # A hostile text may hold millions of them.
    __slots__ = ("text",)

    text: str


Json = Union[None, bool, Number, str, List["Json"], Dict[str, "Json"]]


@dataclass(frozen=True)
class _Limits:
    """What a text may be at most."""

    max_bytes: int
    #: Arrays and objects inside each other, the outermost counted as 1.
    max_depth: int
    #: Whether numbers must be kept exactly by the canonical form, and be at most 64 characters. If not, they are kept
    #: as they stand: for parts of client data that nobody reads.
    exact_numbers: bool = True


_MAX_NUMBER = 64
_WHITE_SPACE = re.compile(r"[ \t\n\r]*")
_STRING_PART = re.compile(r'[^"\\\x00-\x1f]*')
_DIGITS = re.compile(r"[0-9]+")
#: Whole numbers that every double holds exactly and the canonical form writes as they stand.
_PLAIN_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_CODE_UNIT = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _json_refusal(path: str, reason: str) -> Refusal:
    return Refusal(f"{path or 'the top level'}: {reason}")


def _parse_json(data: bytes, limits: _Limits) -> Json:
    """Parses one JSON text strictly; a refusal names the place as a JSON pointer (RFC 6901)."""
    if len(data) > limits.max_bytes:
        raise _json_refusal("", f"{len(data)} bytes, at most {limits.max_bytes} are allowed")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _json_refusal("", f"not UTF-8 at byte {error.start}") from None
    return _JsonScanner(text, limits).whole()


def _parse_canonical(data: bytes, limits: _Limits) -> Json:
    """Parses a text that must already be canonical: parses it, writes it again and compares."""
    value = _parse_json(data, limits)
    if _canonical(value).encode() != data:
        raise _json_refusal("", "not in canonical form (RFC 8785)")
    return value


class _JsonScanner:
    """Reads one value. It recurses once for each level, which the limits bound."""

    def __init__(self, text: str, limits: _Limits) -> None:
        self._text = text
        self._limits = limits
        self._at = 0
        self._path: List[str] = []

    def whole(self) -> Json:
        """The value that is the whole text."""
        self._skip_white_space()
        value = self._value(0)
        self._skip_white_space()
        if self._at < len(self._text):
            self._expected("the end of the text")
        return value

    def _value(self, depth: int) -> Json:
        first = self._peek()
        if first == "{":
            return self._object(self._deeper(depth))
        if first == "[":
            return self._array(self._deeper(depth))
        if first == '"':
            return self._string()
        if first and first in "-0123456789":
            return self._number()
        words: Dict[str, Tuple[str, Json]] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
        if first not in words:
            self._expected("a value")
        word, value = words[first]
        if not self._text.startswith(word, self._at):
            self._expected(word)
        self._at += len(word)
        return value

    def _deeper(self, depth: int) -> int:
        if depth >= self._limits.max_depth:
            self._refuse(f"nested deeper than {self._limits.max_depth} levels")
        return depth + 1

    def _object(self, depth: int) -> Dict[str, Json]:
        members: List[Tuple[str, Json]] = []
        self._at += 1
        self._skip_white_space()
        if self._take("}"):
            return {}
        while True:
            if self._peek() != '"':
                self._expected("a key in quotes")
            key = self._string()
            self._skip_white_space()
            self._require(":", "a colon")
            self._skip_white_space()
            self._path.append(key)
            members.append((key, self._value(depth)))
            self._path.pop()
            self._skip_white_space()
            if self._take("}"):
                return self._distinct(members)
            self._require(",", "a comma or the end of the object")
            self._skip_white_space()

    def _distinct(self, members: List[Tuple[str, Json]]) -> Dict[str, Json]:
        """The members in canonical order, without repeated keys."""
        members.sort(key=lambda member: _utf16(member[0]))
        for (key, _), (next_key, _) in zip(members, members[1:]):
            if key == next_key:
                self._refuse(f"the key {_in_quotes(key)} stands twice")
        return dict(members)

    def _array(self, depth: int) -> List[Json]:
        elements: List[Json] = []
        self._at += 1
        self._skip_white_space()
        if self._take("]"):
            return elements
        while True:
            self._path.append(str(len(elements)))
            elements.append(self._value(depth))
            self._path.pop()
            self._skip_white_space()
            if self._take("]"):
                return elements
            self._require(",", "a comma or the end of the array")
            self._skip_white_space()

    def _string(self) -> str:
        self._at += 1
        parts: List[str] = []
        while True:
            end = self._end_of(_STRING_PART)
            parts.append(self._text[self._at : end])
            self._at = end
            found = self._peek()
            if found == '"':
                self._at += 1
                return "".join(parts)
            if found == "":
                self._expected("a closing quote")
            if found != "\\":
                self._expected("an escape in place of a control character")
            self._at += 1
            parts.append(self._escape())

    def _escape(self) -> str:
        letter = self._peek()
        if letter == "u":
            return self._unicode_escape()
        if letter not in _ESCAPES:
            self._expected("an escape")
        self._at += 1
        return _ESCAPES[letter]

    def _unicode_escape(self) -> str:
        first = self._code_unit()
        if not 0xD800 <= first < 0xE000:
            return chr(first)
        lone = "a lone surrogate, which no UTF-8 text can hold"
        if first >= 0xDC00 or not self._text.startswith("\\u", self._at):
            self._refuse(lone)
        self._at += 1
        second = self._code_unit()
        if not 0xDC00 <= second < 0xE000:
            self._refuse(lone)
        return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))

    def _code_unit(self) -> int:
        """The four hexadecimal digits after `u`, where the scanner stands."""
        self._at += 1
        digits = _CODE_UNIT.match(self._text, self._at)
        if not digits:
            self._expected("four hexadecimal digits")
        self._at += 4
        return int(digits.group(), 16)

    def _number(self) -> Number:
        """RFC 8259 §6: minus, an integer without leading zeros, a fraction, an exponent."""
        start = self._at
        self._take("-")
        if not self._take("0"):
            self._digits()
        if self._take("."):
            self._digits()
        if self._take("e") or self._take("E"):
            if not self._take("+"):
                self._take("-")
            self._digits()
        literal = self._text[start : self._at]
        if not self._limits.exact_numbers:
            return Number(literal)
        if len(literal) > _MAX_NUMBER:
            self._refuse(f"a number of {len(literal)} characters, at most {_MAX_NUMBER} are allowed")
        text = _exact_number(literal)
        if text is None:
            self._refuse(f"the number {literal} cannot be kept exactly; send it as a string")
        return Number(text)

    def _digits(self) -> None:
        digits = _DIGITS.match(self._text, self._at)
        if not digits:
            self._expected("a digit")
        self._at = digits.end()

    def _skip_white_space(self) -> None:
        self._at = self._end_of(_WHITE_SPACE)

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        assert match, "the pattern matches the empty text"
        return match.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        there = self._peek() == character
        self._at += there
        return there

    def _require(self, character: str, expected: str) -> None:
        if not self._take(character):
            self._expected(expected)

    def _expected(self, expected: str) -> NoReturn:
        offset = len(self._text[: self._at].encode())
        self._refuse(f"not JSON at byte {offset}: expected {expected}")

    def _refuse(self, reason: str) -> NoReturn:
        path = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in self._path)
        raise _json_refusal(path, reason)


def _canonical(value: Json) -> str:
    """The canonical text of RFC 8785."""
    parts: List[str] = []
    _write_value(parts, value)
    return "".join(parts)


def _write_value(parts: List[str], value: Json) -> None:
    if value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, Number):
        parts.append(value.text)
    elif isinstance(value, str):
        parts.append(_quoted(value))
    elif isinstance(value, list):
        for at, element in enumerate(value):
            parts.append("," if at else "[")
            _write_value(parts, element)
        parts.append("]" if value else "[]")
    elif isinstance(value, dict):
        for at, key in enumerate(sorted(value, key=_utf16)):
            parts.append("," if at else "{")
            parts.append(_quoted(key) + ":")
            _write_value(parts, value[key])
        parts.append("}" if value else "{}")
    else:
        raise TypeError(f"not a value of parse_payload: {value!r}")


def _utf16(key: str) -> bytes:
    """RFC 8785 §3.2.3 sorts keys by UTF-16 code units, which differs from code points beyond the basic plane."""
    return key.encode("utf-16-be", "surrogatepass")


_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _quoted(text: str) -> str:
    """RFC 8785 §3.2.2.2: the two-letter escapes where they exist, `\\u00xx` for other controls, the rest as it is."""

    def escaped(match: re.Match[str]) -> str:
        character = match.group()
        return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"

    return '"' + re.sub(r'["\\\x00-\x1f]', escaped, text) + '"'


def _exact_number(literal: str) -> Optional[str]:
    """The canonical text of a number literal, or none if it would denote another decimal value."""
    if _PLAIN_NUMBER.fullmatch(literal):
        return literal
    double = float(literal)
    if double in (float("inf"), float("-inf")):
        return None
    text = _ecmascript(double)
    return text if _decimal_value(literal) == _decimal_value(text) else None


def _ecmascript(double: float) -> str:
    """`Number::toString` of ECMA-262 §6.1.6.1.20 for a finite double."""
    if double == 0:
        return "0"
    # `repr` writes the shortest digits that give the same double; only the layout differs from ECMAScript's.
    _, digits, exponent = _decimal_value(repr(abs(double)))
    count = len(digits)
    point = exponent + count  # The value is 0.digits × 10^point.
    if count <= point <= 21:
        body = digits + "0" * (point - count)
    elif 0 < point <= 21:
        body = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + digits
    else:
        fraction = "." + digits[1:] if count > 1 else ""
        body = f"{digits[0]}{fraction}e{point - 1:+d}"
    return "-" + body if double < 0 else body


def _decimal_value(literal: str) -> Tuple[bool, str, int]:
    """An exact decimal value: sign, digits without zeros at either end, power of ten. Zero has no sign."""
    mantissa, _, power = literal.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    significant = (whole + fraction).rstrip("0")
    digits = significant.lstrip("0")
    if not digits:
        return False, "", 0
    dropped = len(whole + fraction) - len(significant)
    return literal.startswith("-"), digits, int(power or "0") + dropped - len(fraction)


# --- Merkle proofs: RFC 9162 §2.1.3.2 and §2.1.4.2 --------------------------------------------------------------------


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _leaf_hash(entry: bytes) -> bytes:
    return _sha256(b"\x00" + entry)


def _node_hash(left: bytes, right: bytes) -> bytes:
    return _sha256(b"\x01" + left + right)


def _verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that the tree of that size and root has this leaf hash at this index."""
    if index >= size:
        raise Refusal(f"a tree of size {size} has no leaf {index}")
    sides = list(_siblings(index, size - 1))
    _check_proof_length(proof, len(sides))
    computed = leaf
    for is_left, sibling in zip(sides, proof):
        computed = _node_hash(sibling, computed) if is_left else _node_hash(computed, sibling)
    _check_root(size, computed, root)


def _verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Checks that the tree of the old size is a prefix of the new one. The empty tree is a prefix of every tree."""
    if old > new:
        raise Refusal(f"the old tree of size {old} is larger than the new one of size {new}")
    if old in (0, new):
        _check_proof_length(proof, 0)
        if old == 0:
            _check_root(0, _sha256(b""), old_root)
        if old == new:
            _check_root(new, old_root, new_root)
        return
    # Both trees have the last complete subtree of the old one. The climb starts there. Every left sibling is in both
    # trees; a right sibling is newer than the old tree, so it counts for the new root only.
    level = (old & -old).bit_length() - 1
    sides = list(_siblings((old - 1) >> level, (new - 1) >> level))
    # The old tree may be that subtree alone. Then its hash is the old root, and the proof leaves it out.
    alone = old == 1 << level
    _check_proof_length(proof, len(sides) + (not alone))
    old_computed = new_computed = old_root if alone else proof[0]
    for is_left, sibling in zip(sides, proof if alone else proof[1:]):
        if is_left:
            old_computed = _node_hash(sibling, old_computed)
        new_computed = _node_hash(sibling, new_computed) if is_left else _node_hash(new_computed, sibling)
    _check_root(old, old_computed, old_root)
    _check_root(new, new_computed, new_root)


def _siblings(index: int, last: int) -> Iterator[bool]:
    """Whether each sibling is on the left, on the way up from the node `index` of a row whose last node is `last`."""
    while last:
        if index & 1:
            yield True
        elif index < last:
            yield False
        index, last = index >> 1, last >> 1


def _check_proof_length(proof: Sequence[bytes], needed: int) -> None:
    if len(proof) != needed:
        raise Refusal(f"the proof has {len(proof)} hashes where {needed} are needed")


def _check_root(size: int, computed: bytes, expected: bytes) -> None:
    if computed != expected:
        raise Refusal(f"the proof gives the root {computed.hex()} at size {size}, not {expected.hex()}")


# --- Two curves, one way to multiply ----------------------------------------------------------------------------------

_Point = Tuple[int, ...]


def _double_multiple(
    add: Callable[[_Point, _Point], _Point], identity: _Point, a: int, p: _Point, b: int, q: _Point
) -> _Point:
    """a·p + b·q by Shamir's trick: both scalars share the doublings. The addition must hold for equal points too."""
    table = (identity, p, q, add(p, q))
    result = identity
    for bit in range(max(a.bit_length(), b.bit_length()) - 1, -1, -1):
        result = add(result, result)
        chosen = (a >> bit & 1) | (b >> bit & 1) << 1
        if chosen:
            result = add(result, table[chosen])
    return result


# --- ECDSA on P-256 (FIPS 186-5, SP 800-186) --------------------------------------------------------------------------

_P256_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
#: The base point, and the identity, as (X : Y : Z) with x = X/Z², y = Y/Z³.
_P256_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)
_P256_IDENTITY = (1, 1, 0)


def _p256_is_on_curve(point: Tuple[int, int]) -> bool:
    x, y = point
    return x < _P256_P and y < _P256_P and (y * y - (x * x * x - 3 * x + _P256_B)) % _P256_P == 0


def _p256_verify(point: Tuple[int, int], message: bytes, signature: bytes) -> bool:
    numbers = _ecdsa_numbers(signature)
    if numbers is None:
        return False
    r, s = numbers
    inverse = pow(s, -1, _P256_N)
    of_base = int.from_bytes(_sha256(message), "big") * inverse % _P256_N
    of_key = r * inverse % _P256_N
    x, _, z = _double_multiple(_p256_add, _P256_IDENTITY, of_base, _P256_G, of_key, (*point, 1))
    if z == 0:
        return False
    return x * pow(z, -2, _P256_P) % _P256_P % _P256_N == r


def _ecdsa_numbers(signature: bytes) -> Optional[Tuple[int, int]]:
    """r and s from strict DER, consumed to its end, with 1 <= r, s < n: read, written again, and compared.

    The shortest has two one-byte integers, the longest two integers of 32 bytes with a leading zero each.
    """
    if not 8 <= len(signature) <= 72:
        return None
    r_end = 4 + signature[3]
    if r_end + 2 > len(signature):
        return None
    r, s = int.from_bytes(signature[4:r_end], "big"), int.from_bytes(signature[r_end + 2 :], "big")
    written = _der(0x30, _der_integer(r) + _der_integer(s))
    return (r, s) if written == signature and 1 <= r < _P256_N and 1 <= s < _P256_N else None


def _p256_add(a: _Point, b: _Point) -> _Point:
    """Addition in Jacobian coordinates (add-2007-bl), which does not hold for equal points: those are doubled."""
    if a is b:
        return _p256_double(a)
    x1, y1, z1 = a
    x2, y2, z2 = b
    if z1 == 0:
        return b
    if z2 == 0:
        return a
    p = _P256_P
    zz1, zz2 = z1 * z1 % p, z2 * z2 % p
    u1, u2 = x1 * zz2 % p, x2 * zz1 % p
    s1, s2 = y1 * zz2 * z2 % p, y2 * zz1 * z1 % p
    if u1 == u2:
        return _p256_double(a) if s1 == s2 else _P256_IDENTITY
    h, r = u2 - u1, s2 - s1
    hh = h * h % p
    hhh, v = h * hh % p, u1 * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return x3, (r * (v - x3) - s1 * hhh) % p, z1 * z2 * h % p


def _p256_double(a: _Point) -> _Point:
    """Doubling in Jacobian coordinates for a curve with a = -3 (dbl-2001-b). The order is odd, so y is never 0."""
    x, y, z = a
    p = _P256_P
    delta, gamma = z * z % p, y * y % p
    beta = x * gamma % p
    alpha = 3 * (x - delta) * (x + delta) % p
    x3 = (alpha * alpha - 8 * beta) % p
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % p, 2 * y * z % p


# --- RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2) -----------------------------------------------------------------

#: DER of DigestInfo up to the hash: SHA-256 with NULL, OCTET STRING of 32 bytes.
_SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _is_rsa_encoding(modulus: int, signature: bytes) -> bool:
    return len(signature) == (modulus.bit_length() + 7) // 8 and int.from_bytes(signature, "big") < modulus


def _rsa_verify(modulus: int, message: bytes, signature: bytes) -> bool:
    """Builds the encoded message and compares it whole: no padding is parsed."""
    if not _is_rsa_encoding(modulus, signature):
        return False
    length = len(signature)
    digest_info = _SHA256_DIGEST_INFO + _sha256(message)
    expected = b"\x00\x01" + b"\xff" * (length - len(digest_info) - 3) + b"\x00" + digest_info
    return pow(int.from_bytes(signature, "big"), _RSA_EXPONENT, modulus) == int.from_bytes(expected, "big")


# --- Ed25519 (RFC 8032 §5.1), strictly --------------------------------------------------------------------------------
# Canonical S, canonical encodings of A and R, no A or R of small order, and the equation without the cofactor: all
# verifiers of a log accept the same signatures.

_ED_P = 2**255 - 19
_ED_L = 2**252 + 27742317777372353535851937790883648493
_ED_D = -121665 * pow(121666, -1, _ED_P) % _ED_P
_ED_SQRT_MINUS_1 = pow(2, (_ED_P - 1) // 4, _ED_P)
#: (X : Y : Z : T) with x = X/Z, y = Y/Z, xy = T/Z.
_ED_IDENTITY = (0, 1, 1, 0)


def _ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 64:
        return False
    key, commitment = _ed25519_point(public_key), _ed25519_point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _ED_L:
        return False
    if _ed25519_is_small(key) or _ed25519_is_small(commitment):
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    hashed = int.from_bytes(digest, "little") % _ED_L
    x, y, z, t = key
    minus_key = (_ED_P - x, y, z, _ED_P - t)
    computed = _double_multiple(_ed25519_add, _ED_IDENTITY, scalar, _ED_BASE, hashed, minus_key)
    return _ed25519_equal(computed, commitment)


def _ed25519_point(encoded: bytes) -> Optional[_Point]:
    """Decodes a point by RFC 8032 §5.1.3: y below p, and no negative zero."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= _ED_P:
        return None
    x = _ed25519_x(y)
    if x is None or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _ED_P - x
    return x, y, 1, x * y % _ED_P


def _ed25519_x(y: int) -> Optional[int]:
    """One of the two x of a y: the square root of (y² - 1) / (dy² + 1)."""
    p = _ED_P
    u, v = (y * y - 1) % p, (_ED_D * y * y + 1) % p
    x = u * pow(v, 3, p) * pow(u * pow(v, 7, p), (p - 5) // 8, p) % p
    if (v * x * x - u) % p == 0:
        return x
    if (v * x * x + u) % p == 0:
        return x * _ED_SQRT_MINUS_1 % p
    return None


def _ed25519_is_small(point: _Point) -> bool:
    """Whether the point's order divides the cofactor 8."""
    for _ in range(3):
        point = _ed25519_add(point, point)
    return _ed25519_equal(point, _ED_IDENTITY)


def _ed25519_equal(a: _Point, b: _Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % _ED_P == 0 and (a[1] * b[2] - b[1] * a[2]) % _ED_P == 0


def _ed25519_add(a: _Point, b: _Point) -> _Point:
    """Addition in extended coordinates (RFC 8032 §5.1.4), complete: it holds for equal points too."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    p = _ED_P
    e_minus, e_plus = (y1 - x1) * (y2 - x2) % p, (y1 + x1) * (y2 + x2) % p
    c, d = 2 * t1 * _ED_D * t2 % p, 2 * z1 * z2 % p
    e, f, g, h = e_plus - e_minus, d - c, d + c, e_plus + e_minus
    return e * f % p, g * h % p, f * g % p, e * h % p


def _ed25519_base() -> _Point:
    base = _ed25519_point((4 * pow(5, -1, _ED_P) % _ED_P).to_bytes(32, "little"))
    assert base, "the base point is on the curve"
    return base


_ED_BASE = _ed25519_base()


if __name__ == "__main__":
    sys.exit(main())
