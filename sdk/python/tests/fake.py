"""A server in memory with a clock of its own, which is a client's transport: no sockets, no waiting. `case` is one of
testdata/doors.json, and says what it does wrong; its log, keys and receipts are those of `made`.
"""

import base64
import datetime
import hashlib
import json
import secrets
from urllib.parse import parse_qs, urlsplit

from made import ALEX, LOG, LOG_KEY, MALLORY, SAM, Ed25519Key, Story, b64, canonical, consistency, logged, sha256, trust

from countersign import AsyncCountersign, Countersign
from countersign.flows import Flows
from countersign.memory import ProcessMemory
from countersign.transport import Response, TransportError

START = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.timezone.utc).timestamp()
WIRE = {"action": "Wire money", "payload": {"amount": 12.5, "to": "ACME"}, "username": "alex"}


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self, start=START):
        self.start = start
        self.seconds = 0.0

    def now(self):
        return self.start + self.seconds

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds

    async def async_sleep(self, seconds):
        self.seconds += seconds

    def set(self, seconds):
        """Sets the wall clock forward or back. A machine that slept finds it forward, and the other one where it was."""
        self.start += seconds


def text(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Asked:
    """One confirmation."""

    def __init__(self, core, metadata=None):
        self.core = core
        self.metadata = metadata
        self.status = "pending"
        self.decided = None
        self.consumed_by = None
        self.consumption = None

    @property
    def id(self):
        return self.core["id"]

    @property
    def core_text(self):
        return canonical(self.core)


class FakeServer:
    def __init__(self, case="approves", clock=None):
        self.case = case
        self.clock = clock or Clock()
        self.log = []
        self.asked = {}
        self.by_key = {}
        self.requests = []
        #: How much later than now a use is logged, in seconds.
        self.stamp = 0
        story = Story()
        self.enrolled = {}
        for name, key in (("alex", ALEX), ("sam", SAM)):
            self.enrolled[name] = len(self.log)
            self.log.append(story._enrol(name, key, None))

    def flows(self, memory=None, **changes):
        settings = {"request_timeout": 5.0, "max_retries": 3, "poll": 25, "trust": trust(), **changes}
        return Flows(
            api_key="csk_test",
            memory=memory or ProcessMemory(),
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            uniform=lambda low, high: high,
            **settings,
        )

    def client(self, **changes):
        return Countersign(flows=self.flows(**changes), transport=self, sleep=self.clock.sleep)

    def async_client(self, **changes):
        return AsyncCountersign(flows=self.flows(**changes), transport=self, sleep=self.clock.async_sleep)

    # The transport.

    def send(self, request):
        self.requests.append(request)
        if self.case == "down":
            raise TransportError("connection refused")
        if self.case == "closes_mid_body":
            raise TransportError("the answer ended 7 bytes early")
        if self.case == "hangs" or (self.case == "consume_hangs" and request.target.endswith("/consume")):
            self.clock.sleep(request.deadline)
            raise TransportError("no whole answer in time")
        if self.case == "error_500":
            return Response(500, {}, b"{}")
        if self.case == "not_json":
            return Response(200, {}, b"<html>")
        status, members = self.route(request)
        return Response(status, {}, json.dumps(members).encode())

    def route(self, request):
        url = urlsplit(request.target)
        query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
        parts = url.path.strip("/").split("/")
        if parts == ["trust.json"]:
            return 200, json.loads(trust_text())
        if parts == ["log", "proof", "consistency"]:
            return self.prove(query["from"], query["to"])
        if request.method == "POST" and parts == ["api", "confirmations"]:
            return self.create(json.loads(request.body), request.headers["Idempotency-Key"])
        asked = self.asked.get(parts[2])
        if asked is None:
            return 404, problem("not-found")
        if parts[3:] == ["cancel"]:
            return self.cancel(asked)
        if parts[3:] == ["consume"]:
            return self.consume(asked, request.headers["Idempotency-Key"])
        return self.get(asked, query.get("wait", 0), request.deadline)

    def create(self, body, key):
        if key in self.by_key:
            known, asked = self.by_key[key]
            return (201, self.view(asked)) if known == body else (422, problem("invalid"))
        asked = Asked(self.core(body), body.get("metadata"))
        self.asked[asked.id] = asked
        self.by_key[key] = (body, asked)
        if self.case not in ("never", "late_yes", "expires"):
            self.decide(asked)
        answer = {**self.view(asked), "status": "pending"}
        if self.case == "wrong_id":
            answer["id"] = "cnf_" + "b" * 26
        if self.case == "wrong_core":
            answer["core"] = canonical({**asked.core, "action": "Wire more money"})
        return 201, answer

    def core(self, body):
        issued = self.clock.now() - (3600 if self.case == "old_request" else 0)
        expires = issued + body.get("expiresIn", 300)
        names = body.get("approvers") or [body["username"]]
        return {
            "action": body["action"],
            "approvers": sorted(names),
            "expires_at": text(expires),
            "id": "cnf_" + base64.b32encode(secrets.token_bytes(16)).decode().lower().rstrip("="),
            "issued_at": text(issued),
            "log": "other.example.com/log" if self.case == "other_log" else LOG,
            "nonce": b64(secrets.token_bytes(32)),
            "payload": body["payload"],
            "quorum": 1 if self.case == "weaker_quorum" else body.get("quorum", 1),
            "requester": "deploy-bot",
            "reveal": body.get("reveal", False),
            "type": "countersign/document/v1",
            "use_by": text(expires + body.get("useWithin", 3600)),
        }

    def decide(self, asked, decision="approve"):
        if self.case == "cancels":
            asked.status = "cancelled"
            return
        decision = "reject" if self.case == "rejects" else decision
        at = self.clock.now() + (4000 if self.case == "decided_after_expiry" else 1)
        asked.status = {"approve": "approved", "reject": "rejected"}[decision]
        asked.decided = []
        for n, name in enumerate(asked.core["approvers"][: asked.core["quorum"]]):
            key = MALLORY if self.case == "other_approver" else {"alex": ALEX, "sam": SAM}[name]
            self.vote(asked, n, name, key, decision, at)

    def vote(self, asked, n, name, key, decision, at):
        nonce = base64.urlsafe_b64decode(asked.core["nonce"] + "=")
        core = dict(asked.core)
        if self.case == "other_payload":
            core["payload"] = {"amount": 1250, "to": "MALLORY"}
        if self.case == "older_receipt":
            at = self.clock.now() - 60
            core.update(issued_at=text(at), expires_at=text(at + 300), use_by=text(at + 3900))
        story = Story(core=core, challenge=lambda whole: nonce + whole[32:])
        document, entry = story._decide(n, name, key, decision, text(at))
        asked.decided.append((document, len(self.log), self.enrolled[name]))
        self.log.append(entry)

    def get(self, asked, wait, deadline):
        expires = datetime.datetime.fromisoformat(asked.core["expires_at"].replace("Z", "+00:00")).timestamp()
        if asked.status == "pending":
            # The connection is cut at the request's deadline.
            self.clock.sleep(min(wait, deadline, max(0, expires - self.clock.now())))
            if deadline <= wait:
                raise TransportError("no whole answer in time")
            if self.clock.now() >= expires:
                asked.status = "expired"
        if self.case == "use_by_passed":
            self.clock.sleep(4000)
        return 200, self.view(asked)

    def view(self, asked):
        code = base64.b32encode(hashlib.sha256(b"countersign/compare/v1\n" + asked.core_text.encode()).digest()[:10])
        flat = code.decode().lower()
        answer = {
            "id": asked.id,
            "status": "blessed" if self.case == "unknown_status" else asked.status,
            "url": f"https://approvals.example.com/approve/{asked.id}",
            "core": asked.core_text,
            "compareCode": "-".join(flat[at : at + 4] for at in range(0, 16, 4)),
            "decisions": [],
        }
        if asked.metadata is not None:
            answer["metadata"] = asked.metadata
        if asked.status == "rejected":
            answer["decisions"] = [{"note": "not \u202etoday"}]
        if asked.decided and self.case != "no_receipt":
            answer["receipt"] = self.receipt(asked)
            answer["rawAssertion"] = {"id": "AAAA", "type": "public-key"}
        return answer

    def receipt(self, asked):
        leaves = [sha256(b"\x00" + entry) for entry in self.log]
        enrolments = sorted({index for _, _, index in asked.decided})
        receipt = canonical(
            {
                "checkpoint": self.note(leaves),
                "decisions": [{"document": document, **logged(self.log, leaves, n)} for document, n, _ in asked.decided],
                "enrolments": [logged(self.log, leaves, index) for index in enrolments],
                "type": "countersign/receipt/v1",
            }
        )
        return receipt.replace("deploy-bot", "deploy-bat") if self.case == "tampered" else receipt

    def note(self, leaves):
        foreign = {"log_key": Ed25519Key(LOG, 0x55)} if self.case == "other_log_key" else {}
        return Story(**{"log_key": LOG_KEY, **foreign})._note(leaves)

    def prove(self, old, new):
        leaves = [sha256(b"\x00" + entry) for entry in self.log]
        if not 0 < old <= new <= len(leaves):
            return 404, problem("not-found")
        proof = consistency(leaves[:new], old)
        return 200, {"from": old, "to": new, "hashes": [base64.b64encode(node).decode() for node in proof]}

    def cancel(self, asked):
        if self.case == "late_yes":
            self.decide(asked)
        if asked.status != "pending":
            return 409, problem("conflict")
        asked.status = "cancelled"
        return 200, self.view(asked)

    def consume(self, asked, key):
        taken = self.case == "already_consumed" or asked.consumed_by not in (None, key)
        if asked.status != "approved" or taken:
            return 409, problem("conflict")
        if asked.consumption is None:
            asked.consumed_by = key
            at = text(self.clock.now() + self.stamp)
            entry = "countersign/consumption/v1\n" + canonical({"consumed_at": at, "nonce": asked.core["nonce"]})
            index = len(self.log)
            self.log.append(entry.encode())
            leaves = [sha256(b"\x00" + entry) for entry in self.log]
            proof = {"hashes": logged(self.log, leaves, index)["hashes"], "size": len(leaves)}
            asked.consumption = {
                "consumedAt": at,
                "logIndex": index,
                "proof": {**proof, "checkpoint": self.note(leaves)},
            }
        return 200, asked.consumption


def trust_text():
    from made import trust_members

    return canonical(trust_members())


def problem(name):
    return {"type": f"urn:countersign:problem:{name}", "detail": f"it is {name}"}
