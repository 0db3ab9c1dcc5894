"""The flows against a server in memory, on a clock that passes when somebody waits."""

import asyncio
import functools
import json
import os
import tempfile
import threading
import unittest
from types import SimpleNamespace
from unittest import mock

import doors
from fake import WIRE, FakeServer

from countersign import (
    AlreadyConsumed,
    ApprovalDenied,
    Countersign,
    Expectation,
    FileMemory,
    Mismatch,
    NotVerified,
    ProcessMemory,
    Refused,
    RolledBack,
    TooLate,
    Unreachable,
)
from countersign.transport import Response, TransportError

TWO = {**WIRE, "username": None, "approvers": ["sam", "alex"], "quorum": 2}
#: What each case of the server in memory must end with; none of them runs the action.
CODES = {
    "already_consumed": "already_consumed",
    "cancels": "cancelled",
    "closes_mid_body": "unreachable",
    "consume_hangs": "unreachable",
    "decided_after_expiry": "not_verified",
    "down": "unreachable",
    "error_500": "unreachable",
    "expires": "expired",
    "hangs": "unreachable",
    "late_yes": "timed_out",
    "never": "timed_out",
    "no_receipt": "not_verified",
    "not_json": "unreachable",
    "old_request": "mismatch",
    "older_receipt": "not_verified",
    "other_approver": "not_verified",
    "other_log": "mismatch",
    "other_log_key": "not_verified",
    "other_payload": "not_verified",
    "rejects": "rejected",
    "tampered": "not_verified",
    "unknown_status": "unreachable",
    "use_by_passed": "too_late",
    "weaker_quorum": "mismatch",
    "wrong_core": "mismatch",
    "wrong_id": "mismatch",
}


def terms_of(case):
    terms = TWO if case == "weaker_quorum" else WIRE
    return {**terms, "timeout": 60} if case in ("never", "late_yes") else terms


class EveryDoor(unittest.TestCase):
    def test_an_approval_runs_the_action_once_with_what_was_approved(self):
        for door in doors.DOORS:
            with self.subTest(door=door.__name__):
                server = FakeServer()
                attempt = door(SimpleNamespace(sync=server.client, asynchronous=server.async_client), WIRE)
                self.assertEqual((attempt.ran, attempt.code), ([WIRE["payload"]], None))
                self.assertEqual(sum(one.target.endswith("/consume") for one in server.requests), 1)

    def test_nothing_else_runs_it(self):
        for door in doors.DOORS:
            for case, code in CODES.items():
                with self.subTest(door=door.__name__, case=case):
                    server = FakeServer(case)
                    clients = SimpleNamespace(sync=server.client, asynchronous=server.async_client)
                    attempt = door(clients, terms_of(case))
                    self.assertEqual((attempt.ran, attempt.code), ([], code))


class Asking(unittest.TestCase):
    def test_a_quorum_of_two_is_verified_as_one(self):
        decision = FakeServer().client().require_approval(**TWO)
        self.assertEqual(decision.confirmation.approvers, ("alex", "sam"))

    def test_the_caller_hears_of_it_while_it_is_pending(self):
        heard = []
        decision = FakeServer().client().request_approval(**WIRE, on_pending=heard.append)
        self.assertEqual([decision.confirmation], heard)
        self.assertRegex(decision.compare_code, r"^[a-z2-7]{4}(-[a-z2-7]{4}){3}$")
        self.assertEqual(decision.trust, "pinned")
        self.assertEqual(decision.raw_assertion["type"], "public-key")

    def test_what_a_caller_does_to_a_payload_that_it_was_given_reaches_nothing(self):
        def change(confirmation):
            confirmation.payload["amount"] = 1_000_000

        ran = []
        for client in (FakeServer().client(), FakeServer().async_client()):
            guarded = client.guard(username="alex", on_pending=change)(lambda amount: ran.append(amount))
            pending = guarded(amount=12.5)
            if pending is not None:
                asyncio.run(pending)
        self.assertEqual(ran, [12.5, 12.5])

        client = FakeServer().client()
        asked = client.create_confirmation(**WIRE)
        change(asked)
        decision = client.wait_for_decision(asked)
        change(decision)
        decision.consume()
        self.assertEqual((asked.payload, decision.payload), (WIRE["payload"], WIRE["payload"]))

    def test_metadata_comes_back(self):
        decision = FakeServer().client().request_approval(**WIRE, metadata={"run": 7})
        self.assertEqual(decision.metadata, {"run": 7})

    def test_trust_on_first_use_is_said(self):
        decision = FakeServer().client(trust=None).request_approval(**WIRE)
        self.assertEqual((decision.status, decision.trust), ("approved", "first-use"))

    def test_what_cannot_be_asked_is_not_sent(self):
        server = FakeServer()
        wrong = [
            ({"username": None}, TypeError),
            ({"approvers": ["sam"]}, TypeError),
            ({"username": None, "approvers": "alex"}, TypeError),
            ({"username": None, "approvers": []}, ValueError),
            ({"username": None, "approvers": ["sam", "sam"]}, ValueError),
            ({"idempotency_key": "with space"}, ValueError),
            ({"payload": {"at": object()}}, TypeError),
            ({"payload": {1: "a key that is not a text"}}, TypeError),
            ({"payload": {"n": float("nan")}}, ValueError),
            ({"payload": {"n": 2**53 + 1}}, ValueError),
            ({"payload": {"text": "\ud800"}}, ValueError),
            ({"colour": "red"}, TypeError),
        ]
        for changes, error in wrong:
            with self.subTest(changes=changes), self.assertRaises(error):
                server.client().request_approval(**{**WIRE, **changes})
        self.assertEqual(server.requests, [])

    def test_another_requester_than_the_stated_one_is_a_mismatch(self):
        self.assertTrue(FakeServer().client().request_approval(**WIRE, requester="deploy-bot").approved)
        with self.assertRaisesRegex(Mismatch, "requester"):
            FakeServer().client().request_approval(**WIRE, requester="somebody")

    def test_other_times_than_asked_are_a_mismatch(self):
        self.assertTrue(FakeServer().client().request_approval(**WIRE, expires_in=60, use_within=5).approved)

        class Longer(FakeServer):
            def core(self, body):
                return super().core({**body, "expiresIn": 600})

        with self.assertRaisesRegex(Mismatch, "time for the decision"):
            Longer().client().request_approval(**WIRE)

    def test_a_refusal_carries_the_problem(self):
        server = FakeServer()
        server.client().create_confirmation(**WIRE, idempotency_key="k")
        with self.assertRaises(Refused) as caught:
            server.client().create_confirmation(**{**WIRE, "action": "Another"}, idempotency_key="k")
        self.assertEqual((caught.exception.status, caught.exception.type), (422, "urn:countersign:problem:invalid"))

    def test_a_decision_is_no_boolean(self):
        with self.assertRaises(TypeError):
            bool(FakeServer("rejects").client().request_approval(**WIRE))

    def test_a_note_is_a_strangers_text(self):
        with self.assertRaises(ApprovalDenied) as caught:
            FakeServer("rejects").client().require_approval(**WIRE)
        self.assertIn("not [U+202E]today", str(caught.exception))
        self.assertEqual(caught.exception.decision.status, "rejected")


class Trying(unittest.TestCase):
    """Answers that come before the server's own."""

    class Stumbling(FakeServer):
        def __init__(self, *answers):
            super().__init__()
            self.answers = list(answers)

        def send(self, request):
            if self.answers:
                self.requests.append(request)
                return self.answers.pop(0)
            return super().send(request)

    def test_what_may_be_over_soon_is_tried_again_with_the_same_key(self):
        server = self.Stumbling(Response(503, {"retry-after": "7"}, b""), Response(500, {}, b""))
        self.assertTrue(server.client().request_approval(**WIRE).approved)
        self.assertEqual(len({one.headers["Idempotency-Key"] for one in server.requests[:3]}), 1)
        self.assertEqual(len(server.asked), 1)
        self.assertGreaterEqual(server.clock.seconds, 7)

    def test_back_off_doubles_and_never_ends_after_the_timeout(self):
        server = FakeServer("error_500")
        with self.assertRaises(Unreachable):
            server.client(max_retries=5).request_approval(**WIRE)
        self.assertEqual(server.clock.seconds, 0.25 + 0.5 + 1 + 2 + 4)
        server = FakeServer("error_500")
        with self.assertRaises(Unreachable):
            server.client(max_retries=50).request_approval(**WIRE, timeout=10)
        self.assertEqual(server.clock.seconds, 10)

    def test_a_long_pause_is_no_reason_to_wait_silently(self):
        server = self.Stumbling(Response(429, {"retry-after": "60"}, b'{"detail":"rejected just now"}'))
        with self.assertRaisesRegex(Refused, "rejected just now"):
            server.client().request_approval(**WIRE)

    def test_a_redirect_ends_it_at_once(self):
        server = self.Stumbling(Response(302, {"location": "https://elsewhere.example"}, b""))
        with self.assertRaisesRegex(Unreachable, "redirects are not followed"):
            server.client().request_approval(**WIRE)
        self.assertEqual(len(server.requests), 1)

    def test_answers_of_other_shapes_are_errors_of_ours(self):
        for body in (b"[]", b"null", b"{}", b'{"id":7}', b'{"id":"cnf_x"}', b"[" * 100_000, b'{"a":1,"a":2}', b"\xff"):
            with self.subTest(body=body[:20]), self.assertRaises((Mismatch, Unreachable)):
                self.Stumbling(*[Response(201, {}, body)] * 4).client().request_approval(**WIRE)


class Resuming(unittest.TestCase):
    def test_a_second_process_finds_the_request_by_its_key(self):
        server = FakeServer("never")
        first = server.client().create_confirmation(**WIRE, idempotency_key="run-7")
        server.clock.sleep(200)  # Longer than a fresh request may be old.
        server.decide(server.asked[first.id])
        decision = server.client().require_approval(**WIRE, idempotency_key="run-7")
        self.assertEqual((decision.id, len(server.asked)), (first.id, 1))

    def test_or_by_its_id_if_it_is_about_the_same(self):
        server = FakeServer("never")
        first = server.client().create_confirmation(**WIRE)
        server.decide(server.asked[first.id])
        client = server.client()
        found = client.resume_confirmation(first.id, **WIRE)
        self.assertEqual(found.core, first.core)
        self.assertTrue(client.wait_for_decision(found).approved)
        with self.assertRaisesRegex(Mismatch, "payload"):
            client.resume_confirmation(first.id, **{**WIRE, "payload": {"amount": 1, "to": "ACME"}})
        with self.assertRaises(ValueError):
            client.resume_confirmation("../keys", **WIRE)

    def test_an_approval_is_used_by_one_process_only(self):
        server = FakeServer()
        first = server.client().request_approval(**WIRE, idempotency_key="run-7")
        second = server.client().request_approval(**WIRE, idempotency_key="run-7")
        first.consume()
        for used in (first, second):
            with self.assertRaises(AlreadyConsumed):
                used.consume()

    def test_a_use_that_nobody_answered_may_be_tried_again_much_later(self):
        class Lossy(FakeServer):
            lost = 0

            def consume(self, asked, key):
                answer = super().consume(asked, key)
                self.lost += 1
                return answer if self.lost > 4 else (500, {})

        server = Lossy()
        decision = server.client().request_approval(**WIRE)
        with self.assertRaises(Unreachable):
            decision.consume()
        server.clock.sleep(600)
        server.client().require_approval(**WIRE)
        decision.consume()
        with self.assertRaises(AlreadyConsumed):
            decision.consume()

    def test_a_short_wait_leaves_the_request(self):
        server = FakeServer("never")
        client = server.client()
        asked = client.create_confirmation(**WIRE)
        self.assertEqual(client.wait_for_decision(asked, timeout=45, cancel=False).status, "pending")
        self.assertAlmostEqual(server.clock.seconds, 45)
        self.assertEqual(server.asked[asked.id].status, "pending")
        server.decide(server.asked[asked.id])
        self.assertEqual(client.get_confirmation(asked.id).status, "approved")

    def test_a_timeout_cancels_and_a_late_yes_does_not_count(self):
        server = FakeServer("late_yes")
        decision = server.client().request_approval(**WIRE, timeout=30)
        self.assertEqual(decision.status, "timed_out")
        self.assertEqual([one.status for one in server.asked.values()], ["approved"])
        with self.assertRaises(ApprovalDenied):
            decision.consume()
        self.assertNotIn("consume", " ".join(one.target for one in server.requests))

    def test_a_yes_that_is_verified_after_the_timeout_does_not_count(self):
        server = FakeServer()

        class Slow(ProcessMemory):
            def keep(self, log, head):
                server.clock.sleep(31)
                super().keep(log, head)

        decision = server.client(memory=Slow()).request_approval(**WIRE, timeout=30)
        self.assertEqual(decision.status, "timed_out")
        with self.assertRaises(ApprovalDenied):
            decision.consume()

    def test_without_a_timeout_it_waits_until_just_after_the_expiry(self):
        class Endless(FakeServer):
            def get(self, asked, wait, deadline):
                self.clock.sleep(min(wait, deadline))
                return 200, self.view(asked)

        server = Endless("never")
        self.assertEqual(server.client().request_approval(**WIRE).status, "timed_out")
        self.assertAlmostEqual(server.clock.seconds, 310)


class Clocks(unittest.TestCase):
    """Whichever clock says first that a time is over is believed."""

    def test_a_yes_that_a_sleeping_machine_hears_too_late_does_not_count(self):
        class Asleep(FakeServer):
            def get(self, asked, wait, deadline):
                self.clock.set(120)
                return 200, self.view(asked)

        server = Asleep()
        decision = server.client().request_approval(**WIRE, timeout=60)
        self.assertEqual(decision.status, "timed_out")
        self.assertTrue(server.requests[-1].target.endswith("/cancel"))

        server = Asleep()
        decision = asyncio.run(server.async_client().request_approval(**WIRE, timeout=60))
        self.assertEqual(decision.status, "timed_out")

    def test_a_clock_that_is_set_back_makes_no_time_longer(self):
        class SetBack(FakeServer):
            def get(self, asked, wait, deadline):
                self.clock.set(-3600)
                return super().get(asked, wait, deadline)

        server = SetBack("never")
        self.assertEqual(server.client().request_approval(**WIRE, timeout=60).status, "timed_out")
        self.assertAlmostEqual(server.clock.seconds, 60, places=3)

    def test_the_answer_to_the_use_may_find_the_machine_asleep(self):
        class Asleep(FakeServer):
            def consume(self, asked, key):
                answer = super().consume(asked, key)
                self.clock.set(60)
                return answer

        with self.assertRaises(ApprovalDenied) as denied:
            Asleep().client().require_approval(**WIRE, timeout=30)
        self.assertEqual(denied.exception.code, "unreachable")

    def test_the_last_moment_for_the_use_is_judged_by_both_too(self):
        server = FakeServer()
        decision = server.client().request_approval(**WIRE)
        server.clock.set(4000)
        with self.assertRaises(TooLate):
            decision.consume()
        server = FakeServer()
        decision = server.client().request_approval(**WIRE)
        server.clock.sleep(4000)
        server.clock.set(-4000)
        with self.assertRaises(TooLate):
            decision.consume()
        self.assertNotIn("consume", server.requests[-1].target)


class Settings(unittest.TestCase):
    def test_an_empty_path_of_the_trust_file_is_no_trust_on_first_use(self):
        server = {"COUNTERSIGN_URL": "https://approvals.example.com", "COUNTERSIGN_API_KEY": "csk_test"}
        with mock.patch.dict(os.environ, {**server, "COUNTERSIGN_TRUST": ""}):
            with self.assertRaisesRegex(ValueError, "COUNTERSIGN_TRUST"):
                Countersign()
        with mock.patch.dict(os.environ, server):
            with self.assertRaisesRegex(ValueError, "trust"):
                Countersign(trust="")


class Using(unittest.TestCase):
    def test_too_late_before_and_after(self):
        server = FakeServer()
        decision = server.client().request_approval(**WIRE)
        server.clock.sleep(4000)
        with self.assertRaises(TooLate):
            decision.consume()
        self.assertNotIn("consume", server.requests[-1].target)

        class Slow(FakeServer):
            def consume(self, asked, key):
                answer = super().consume(asked, key)
                self.clock.sleep(4000)
                return answer

        with self.assertRaises(TooLate):
            Slow().client().request_approval(**WIRE).consume()

    def test_the_caller_s_time_is_for_the_use_too(self):
        server = FakeServer("consume_hangs")
        with self.assertRaises(ApprovalDenied) as denied:
            server.client().require_approval(**WIRE, timeout=7)
        self.assertEqual((denied.exception.code, server.clock.seconds), ("unreachable", 7))

        class Slow(FakeServer):
            def consume(self, asked, key):
                self.clock.sleep(8)
                return super().consume(asked, key)

        with self.assertRaises(ApprovalDenied):
            Slow().client().require_approval(**WIRE, timeout=7)
        Slow().client().require_approval(**WIRE)

    def test_the_use_must_be_in_the_log(self):
        changes = {
            "index": lambda answer: answer.update(logIndex=answer["logIndex"] - 1),
            "time": lambda answer: answer.update(consumedAt="2026-03-01T12:00:59Z"),
            "no proof": lambda answer: answer.pop("proof"),
            "hash": lambda answer: answer["proof"]["hashes"].reverse(),
            "checkpoint": lambda answer: answer["proof"].update(checkpoint="signed by nobody"),
            "size": lambda answer: answer["proof"].update(size=3),
        }
        for name, change in changes.items():

            class Lying(FakeServer):
                def consume(self, asked, key, change=change):
                    status, answer = super().consume(asked, key)
                    answer = json.loads(json.dumps(answer))
                    change(answer)
                    return status, answer

            with self.subTest(change=name), self.assertRaises(NotVerified):
                Lying().client().request_approval(**WIRE).consume()

    def test_the_proof_of_another_use_is_none_of_this_one(self):
        class Replaying(FakeServer):
            """Answers every use of an approval as the first one."""

            def consume(self, asked, key):
                return super().consume(asked, asked.consumed_by or key)

        for passes in (60, 200):
            server = Replaying()
            with self.subTest(passes=passes):
                server.client().require_approval(**WIRE, idempotency_key="run-7")
                server.clock.sleep(passes)
                with self.assertRaises(ApprovalDenied) as denied:
                    server.client().require_approval(**WIRE, idempotency_key="run-7")
                self.assertEqual(denied.exception.code, "already_consumed")

    def test_a_use_at_another_time_than_now_does_not_count(self):
        for hours, error in ((-1, AlreadyConsumed), (1, NotVerified), (3, TooLate)):
            server = FakeServer()
            decision = server.client().request_approval(**WIRE)
            server.stamp = 3600 * hours
            with self.subTest(hours=hours), self.assertRaises(error):
                decision.consume()

    def test_another_id_in_the_answer_is_a_mismatch(self):
        class Lying(FakeServer):
            def consume(self, asked, key):
                status, answer = super().consume(asked, key)
                return status, {**answer, "id": "cnf_" + "b" * 26}

        with self.assertRaises(Mismatch):
            Lying().client().request_approval(**WIRE).consume()


class Remembering(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "memory.json")

    def test_a_log_that_grows_is_believed(self):
        server = FakeServer()
        client = server.client()
        for _ in range(3):
            client.require_approval(**WIRE)
        self.assertIn("/log/proof/consistency?from=4&to=5", [one.target for one in server.requests])

    def test_the_log_of_a_use_must_continue_that_of_the_receipt(self):
        class Forking(FakeServer):
            def consume(self, asked, key):
                honest, self.log = self.log, [b"another history %d" % n for n in range(9)]
                answer = super().consume(asked, key)
                self.log = honest
                return answer

        with self.assertRaises(RolledBack):
            Forking().client().request_approval(**WIRE).consume()

    def test_a_smaller_log_is_not(self):
        client = FakeServer().client()
        client.require_approval(**WIRE)
        client.require_approval(**WIRE)
        client.transport = FakeServer()
        with self.assertRaisesRegex(RolledBack, "has 3 entries, and had 6 before"):
            client.request_approval(**WIRE)

    def test_nor_one_that_contradicts_what_it_was(self):
        client = FakeServer().client()
        client.request_approval(**WIRE)
        for extra in (0, 4):
            other = FakeServer()
            other.log += [b"an entry of another history"] * extra
            client.transport = other
            with self.subTest(extra=extra), self.assertRaisesRegex(RolledBack, "contradicts"):
                client.request_approval(**WIRE)

    def test_nor_one_that_cannot_prove_it(self):
        class Mute(FakeServer):
            def prove(self, old, new):
                return 404, {}

        client = Mute().client()
        client.request_approval(**WIRE)
        with self.assertRaisesRegex(RolledBack, "cannot prove"):
            client.request_approval(**WIRE)

    def test_a_file_remembers_across_processes(self):
        server = FakeServer()
        server.client(memory=FileMemory(self.file)).request_approval(**WIRE)
        server.client(memory=FileMemory(self.file)).request_approval(**WIRE)
        with self.assertRaises(RolledBack):
            FakeServer().client(memory=FileMemory(self.file)).request_approval(**WIRE)
        self.assertEqual(os.listdir(self.folder.name), ["memory.json"])

    def test_a_file_remembers_the_trust_of_a_first_use_across_processes(self):
        settings = {"trust": None, "server": "https://approvals.example.com"}
        FakeServer().client(memory=FileMemory(self.file), **settings).request_approval(**WIRE)
        other = FakeServer("other_log_key")
        with self.assertRaises(NotVerified):
            other.client(memory=FileMemory(self.file), **settings).request_approval(**WIRE)
        self.assertNotIn("/trust.json", [one.target for one in other.requests])

    def test_a_damaged_file_is_not_an_empty_memory(self):
        for damaged in ("", "[]", '{"heads":{"log":{"size":1}},"first_use":{}}', '{"heads":{}}'):
            with open(self.file, "w") as file:
                file.write(damaged)
            with self.subTest(damaged=damaged), self.assertRaisesRegex(ValueError, "damaged"):
                FakeServer().client(memory=FileMemory(self.file)).request_approval(**WIRE)

    def test_an_answer_that_another_thread_overtook_is_believed_if_the_log_agrees(self):
        class Overtaken(FakeServer):
            overtaking = False

            def get(self, asked, wait, deadline):
                answer = super().get(asked, wait, deadline)
                if not self.overtaking:
                    self.overtaking = True
                    client.request_approval(**WIRE)
                return answer

        client = (server := Overtaken()).client()
        self.assertTrue(client.request_approval(**WIRE).approved)
        self.assertIn("/log/proof/consistency?from=3&to=4", [one.target for one in server.requests])


class Verifying(unittest.TestCase):
    def test_a_receipt_is_verified_with_the_clients_trust(self):
        server = FakeServer()
        decision = server.client().request_approval(**WIRE)
        report = server.client().verify_receipt(decision.receipt, Expectation(core=decision.confirmation.core))
        self.assertTrue(report.as_expected)
        report = FakeServer().client(trust=None).verify_receipt(decision.receipt)
        self.assertEqual(report.verdict, "approved")

    def test_an_approved_status_without_waiting_is_verified_too(self):
        server = FakeServer("tampered")
        asked = server.client().create_confirmation(**WIRE)
        with self.assertRaises(NotVerified):
            server.client().get_confirmation(asked.id)


class Guarding(unittest.TestCase):
    def test_the_function_gets_what_was_approved_and_not_what_the_caller_still_holds(self):
        lines = [{"to": "ACME"}]

        class Swapping(FakeServer):
            def create(self, body, key):
                lines[0]["to"] = "MALLORY"
                return super().create(body, key)

        server = Swapping()

        @server.client().guard(username="alex", action=lambda lines, *_, **__: f"Pay {len(lines)}")
        def pay(lines, /, *rest, at="noon", **more):
            return lines, rest, at, more

        self.assertEqual(pay(lines, 1, colour="red"), ([{"to": "ACME"}], (1,), "noon", {"colour": "red"}))
        asked = next(iter(server.asked.values()))
        payload = {"lines": [{"to": "ACME"}], "rest": [1], "at": "noon", "more": {"colour": "red"}}
        self.assertEqual((asked.core["action"], asked.core["payload"]), ("Pay 1", payload))

    def test_arguments_that_are_no_json_are_refused_before_anybody_is_asked(self):
        server = FakeServer()

        @server.client().guard(username="alex")
        def run(what):
            raise AssertionError("ran")

        with self.assertRaises(TypeError):
            run(object())
        with self.assertRaises(TypeError):
            run()
        self.assertEqual(server.requests, [])

    def test_what_would_run_after_the_use_is_refused(self):
        async def run():
            pass

        def generates():
            yield

        async def both():
            yield

        class Later:
            async def __call__(self):
                pass

        server = FakeServer()
        refused = [
            (server.client(), (run, generates, both, Later(), functools.partial(Later()))),
            (server.async_client(), (generates, both, functools.partial(generates))),
        ]
        for client, functions in refused:
            for function in functions:
                with self.subTest(client=client, function=function), self.assertRaises(TypeError):
                    client.guard(username="alex")(function)
        asyncio.run(server.async_client().guard(username="alex", action="Run")(Later())())
        self.assertEqual(server.client().guard(username="alex")(functools.partial(lambda it: it, "this"))(), "this")

    def test_each_call_may_have_a_key_of_its_own(self):
        server = FakeServer()
        for n, client in enumerate((server.client(), server.async_client())):
            guarded = client.guard(username="alex", idempotency_key=lambda order, n=n: f"order-{n}-{order}")
            run = guarded(lambda order: order)
            answers = [run(7), run(order=8)]
            if n:
                answers = [asyncio.run(answer) for answer in answers]
            self.assertEqual(answers, [7, 8])
        self.assertEqual(list(server.by_key), ["order-0-7", "order-0-8", "order-1-7", "order-1-8"])

    def test_the_asynchronous_guard_takes_plain_functions_too(self):
        @FakeServer().async_client().guard(username="alex")
        def run(what):
            return what

        self.assertEqual(asyncio.run(run("this")), "this")


class Lost(FakeServer):
    """Has the request, and does not answer the first time: what is to happen then, happens instead."""

    def __init__(self, happens):
        super().__init__("never")
        self.happens = happens

    def create(self, body, key):
        first = key not in self.by_key
        answer = super().create(body, key)
        if first:
            self.happens()
        return answer


class GivingUp(unittest.TestCase):
    """Nobody waits any more, so nobody is asked; unless the caller has the key to find the request by."""

    #: The terms, and whether the request is left.
    KEYS = (({}, "cancelled"), ({"idempotency_key": "run-7"}, "pending"))

    def states(self, server):
        return [one.status for one in server.asked.values()]

    def test_an_interrupt_while_it_waits(self):
        class Interrupted(FakeServer):
            def get(self, asked, wait, deadline):
                raise KeyboardInterrupt

        for terms, state in self.KEYS:
            server = Interrupted("never")
            with self.subTest(terms=terms), self.assertRaises(KeyboardInterrupt):
                server.client().request_approval(**WIRE, **terms)
            self.assertEqual(self.states(server), [state])

    def test_an_interrupt_before_the_request_is_known(self):
        def interrupt():
            raise KeyboardInterrupt

        for terms, state in self.KEYS:
            for ask in (Countersign.request_approval, Countersign.create_confirmation):
                server = Lost(interrupt)
                with self.subTest(terms=terms, ask=ask), self.assertRaises(KeyboardInterrupt):
                    ask(server.client(), **WIRE, **terms)
                self.assertEqual(self.states(server), [state])

    def test_a_timeout_before_the_request_is_known(self):
        def hang():
            server.clock.sleep(3)
            raise TransportError("no whole answer in time")

        for terms, _ in self.KEYS:
            server = Lost(hang)
            with self.subTest(terms=terms), self.assertRaises(Unreachable):
                server.client().request_approval(**WIRE, **terms, timeout=3)
            self.assertEqual((self.states(server), server.clock.seconds), (["cancelled"], 3))

    def test_nobody_to_take_it_back_from_is_asked_for_a_short_time(self):
        server = FakeServer("hangs")
        with self.assertRaises(Unreachable):
            server.client(max_retries=50).request_approval(**WIRE, timeout=20)
        self.assertLessEqual(server.clock.seconds, 25)

    def test_a_server_that_answers_no_more(self):
        class Gone(FakeServer):
            def get(self, asked, wait, deadline):
                raise TransportError("connection refused")

        for terms, state in self.KEYS:
            server = Gone("never")
            with self.subTest(terms=terms), self.assertRaises(Unreachable):
                server.client().request_approval(**WIRE, **terms)
            self.assertEqual(self.states(server), [state])

    def test_an_on_pending_that_fails(self):
        for error in (RuntimeError("no screen"), ApprovalDenied("rejected", "the user left")):
            for terms, state in self.KEYS:

                def fail(_, error=error):
                    raise error

                server = FakeServer("never")
                with self.subTest(error=error, terms=terms), self.assertRaises(type(error)):
                    server.client().request_approval(**WIRE, **terms, on_pending=fail)
                self.assertEqual(self.states(server), [state])
                server = FakeServer("never")
                with self.subTest(error=error, terms=terms), self.assertRaises(type(error)):
                    asyncio.run(server.async_client().request_approval(**WIRE, **terms, on_pending=fail))
                join_threads()
                self.assertEqual(self.states(server), [state])

    def test_what_was_asked_before_is_the_callers(self):
        server = FakeServer("never")
        client = server.client()
        asked = client.create_confirmation(**WIRE)
        server.get = mock.Mock(side_effect=KeyboardInterrupt)
        with self.assertRaises(KeyboardInterrupt):
            client.wait_for_decision(asked)
        self.assertEqual(self.states(server), ["pending"])


def join_threads():
    """What the interpreter does at its end: waits for the threads that are no daemons."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(30)


class Asynchronous(unittest.TestCase):
    def test_a_cancelled_task_takes_its_request_back(self):
        self.assertEqual(self.cancel_while_pending(), ["cancelled"])

    def test_unless_it_can_be_found_again(self):
        self.assertEqual(self.cancel_while_pending(idempotency_key="run-7"), ["pending"])

    def cancel_while_pending(self, **terms):
        server = FakeServer("never")

        async def run():
            async def give_up(_):
                task.cancel()

            task = asyncio.ensure_future(server.async_client().request_approval(**WIRE, on_pending=give_up, **terms))
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(run())
        join_threads()
        return [one.status for one in server.asked.values()]

    def test_the_interpreter_waits_until_it_is_taken_back(self):
        server, ended = FakeServer("never"), threading.Event()
        inner = server.cancel

        def cancel(asked):
            ended.wait(30)
            return inner(asked)

        server.cancel = cancel

        def fail(_):
            raise RuntimeError("no screen")

        before = set(threading.enumerate())
        with self.assertRaises(RuntimeError):
            asyncio.run(server.async_client().request_approval(**WIRE, on_pending=fail))
        waited_for = [one for one in set(threading.enumerate()) - before if not one.daemon]
        ended.set()
        self.assertEqual(len(waited_for), 1)
        waited_for[0].join(30)
        self.assertEqual([one.status for one in server.asked.values()], ["cancelled"])

    def test_a_task_that_is_cancelled_before_the_request_is_known_takes_it_back(self):
        for terms, state in GivingUp.KEYS:
            answers = threading.Event()

            async def run(terms=terms, answers=answers):
                loop = asyncio.get_running_loop()

                def lose():
                    loop.call_soon_threadsafe(task.cancel)
                    answers.wait(30)

                server = Lost(lose)
                task = asyncio.ensure_future(server.async_client().request_approval(**WIRE, **terms))
                with self.assertRaises(asyncio.CancelledError):
                    await task
                return server

            server = asyncio.run(run())
            answers.set()
            join_threads()
            self.assertEqual([one.status for one in server.asked.values()], [state])

    def test_many_wait_at_once(self):
        server = FakeServer()

        async def run():
            client = server.async_client()
            return await asyncio.gather(*[client.request_approval(**WIRE) for _ in range(5)])

        self.assertEqual({decision.status for decision in asyncio.run(run())}, {"approved"})
