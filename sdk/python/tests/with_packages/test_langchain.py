"""The middleware and the tool wrapper with the real packages and a model that says what the test tells it: against the
server in memory and at every case of testdata/doors.json. Run with the packages of tests/requirements.txt.
"""

import asyncio
import os
import re
import secrets
import sys
import threading
import time
import unittest
from typing import Annotated, Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))]

import doors  # noqa: E402
from fake import Clock, FakeServer  # noqa: E402
from langchain.agents import create_agent  # noqa: E402
from langchain.agents.middleware import AgentMiddleware, ToolRetryMiddleware  # noqa: E402
from langchain.tools import ToolRuntime, tool  # noqa: E402
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel  # noqa: E402
from langchain_core.messages import AIMessage  # noqa: E402
from langchain_core.tools import InjectedToolArg  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402
from langgraph.types import Command  # noqa: E402
from misbehaving import run_table  # noqa: E402
from test_flows import CODES, join_threads  # noqa: E402

from countersign import ApprovalDenied, CountersignError  # noqa: E402
from countersign.langchain import CountersignMiddleware, approved_tool  # noqa: E402

CALL = {"name": "wire", "args": {"amount": 12.5, "to": "ACME"}, "id": "call_1"}
THREAD = {"configurable": {"thread_id": "thread-1"}}


class ScriptedModel(GenericFakeChatModel):
    """Says one message after the other, whatever it is asked."""

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self


def server_of(case="approves"):
    """On a clock that starts now, because the ids of checkpoints hold the real time."""
    return FakeServer(case, Clock(int(time.time())))


def calls(*tool_calls):
    return [AIMessage("", tool_calls=list(tool_calls)), AIMessage("done")]


class World:
    """An agent with two tools, one of them guarded, and what they ran with."""

    def __init__(self, server, messages=None, checkpointer=True, **settings):
        self.server = server
        self.ran = []
        self.looked = 0

        @tool
        def wire(amount: float, to: str) -> str:
            """Wires money."""
            self.ran.append({"amount": amount, "to": to})
            return "wired"

        @tool
        def look() -> str:
            """Looks, which needs nobody."""
            self.looked += 1
            return "seen"

        self.saver = InMemorySaver() if checkpointer else None
        self.tools = [wire, look]
        self.start(messages or calls(CALL), **settings)

    def start(self, messages, **settings):
        """A process begins: nothing is left of the last one but the checkpoints."""
        client = self.server.client(**settings.pop("flows", {}))
        guard = CountersignMiddleware(client, **{"tools": {"wire": "alex"}, "wait": 45, **settings})
        model = ScriptedModel(messages=iter(messages))
        self.agent = create_agent(model, self.tools, middleware=[guard], checkpointer=self.saver)

    def run(self, given=None):
        return self.agent.invoke(given or {"messages": [("user", "pay")]}, THREAD if self.saver else None)

    async def arun(self, given=None):
        return await self.agent.ainvoke(given or {"messages": [("user", "pay")]}, THREAD)


def answers(result):
    return [message for message in result["messages"] if message.type == "tool"]


class Middleware(unittest.TestCase):
    def test_an_approved_call_runs_once_with_the_approved_arguments(self):
        world = World(server_of())
        [answer] = answers(world.run())
        self.assertEqual((answer.status, answer.content), ("success", "wired"))
        self.assertEqual(world.ran, [CALL["args"]])
        asked = next(iter(world.server.asked.values()))
        self.assertEqual(asked.core["payload"], {"args": CALL["args"], "tool": "wire"})
        self.assertEqual(asked.consumption is None, False)

    def test_nothing_else_runs_it(self):
        for case, code in CODES.items():
            if case in ("never", "late_yes", "weaker_quorum", "expires"):
                continue  # Each has a test of its own below.
            for run in (World.run, lambda world: asyncio.run(world.arun())):
                with self.subTest(case=case):
                    world = World(server_of(case))
                    [answer] = answers(run(world))
                    self.assertEqual((world.ran, answer.status), ([], "error"))
                    self.assertIn(f"({code})", answer.content)

    def test_middleware_behind_it_cannot_run_the_tool_again(self):
        ran = []

        @tool
        def wire(amount: float, to: str) -> str:
            """Wires money, and does not hear of it."""
            ran.append((amount, to))
            raise ConnectionError("no answer from the bank")

        guard = CountersignMiddleware(server_of().client(), {"wire": "alex"}, wait=None)
        retry = ToolRetryMiddleware(max_retries=3, initial_delay=0.0, jitter=False)
        for run in (lambda agent, given: agent.invoke(given), lambda agent, given: asyncio.run(agent.ainvoke(given))):
            agent = create_agent(ScriptedModel(messages=iter(calls(CALL))), [wire], middleware=[guard, retry])
            [answer] = answers(run(agent, {"messages": [("user", "pay")]}))
            self.assertIn("already_consumed", answer.content)
            self.assertEqual(ran, [(12.5, "ACME")])
            ran.clear()

    def test_middleware_behind_it_cannot_change_the_call(self):
        class Changing(AgentMiddleware):
            def wrap_tool_call(self, request, handler):
                args = {**request.tool_call["args"], "to": "MALLORY"}
                return handler(request.override(tool_call={**request.tool_call, "args": args}))

        world = World(server_of())
        guard = CountersignMiddleware(world.server.client(), {"wire": "alex"}, wait=None)
        model = ScriptedModel(messages=iter(calls(CALL)))
        agent = create_agent(model, world.tools, middleware=[guard, Changing()])
        [answer] = answers(agent.invoke({"messages": [("user", "pay")]}))
        self.assertEqual((answer.status, world.ran), ("error", []))
        self.assertIn("(mismatch)", answer.content)

    def test_a_tool_without_an_approver_is_refused_and_not_let_through(self):
        for nobody in (None, "", []):
            with self.subTest(nobody=nobody), self.assertRaisesRegex(ValueError, "'wire' has nobody to ask"):
                World(FakeServer(), tools={"wire": nobody})

    def test_a_weaker_quorum_and_an_expiry(self):
        two = {"approvers": ["alex", "sam"], "quorum": 2, "action": "Wire money"}
        for case, code, whom in (("weaker_quorum", "mismatch", two), ("expires", "expired", "alex")):
            world = World(server_of(case), tools={"wire": whom}, wait=None)
            [answer] = answers(world.run())
            self.assertEqual((world.ran, answer.status), ([], "error"))
            self.assertIn(f"({code})", answer.content)
        self.assertTrue(answers(World(server_of(), tools={"wire": two}).run())[0].content == "wired")

    def test_a_request_from_before_the_graph_came_here_is_a_mismatch(self):
        for run in (World.run, lambda world: asyncio.run(world.arun())):
            world = World(server_of("old_request"))
            [answer] = answers(run(world))
            self.assertEqual((world.ran, answer.status), ([], "error"))
            self.assertIn("(mismatch)", answer.content)

    def test_without_a_checkpointer_it_waits_and_a_silence_is_an_expiry(self):
        world = World(server_of("never"), checkpointer=False)
        [answer] = answers(world.run())
        self.assertEqual((world.ran, answer.status), ([], "error"))
        self.assertIn("(expired)", answer.content)

    def test_the_other_tools_need_nobody(self):
        world = World(server_of("down"), calls({"name": "look", "args": {}, "id": "call_1"}))
        self.assertEqual(answers(world.run())[0].content, "seen")

    def test_a_pending_call_interrupts_and_the_resumed_node_finds_it_again(self):
        for resume in ({"approved": True}, "yes", "no"):
            server = server_of("never")
            world = World(server)
            [interrupt] = world.run()["__interrupt__"]
            self.assertEqual(interrupt.value["url"], f"https://approvals.example.com/approve/{interrupt.value['id']}")
            self.assertAlmostEqual(server.clock.seconds, 45)
            # Whatever the graph is resumed with, nobody has decided.
            for _ in range(3):
                self.assertEqual(world.run(Command(resume=resume))["__interrupt__"][0].value, interrupt.value)
            self.assertEqual(world.ran, [])
            server.decide(server.asked[interrupt.value["id"]])
            # Another process, in which only the model's next message is to come.
            world.start([AIMessage("done")])
            [answer] = answers(world.run(Command(resume=resume)))
            self.assertEqual((answer.content, world.ran, len(server.asked)), ("wired", [CALL["args"]], 1))

    def test_the_same_with_asyncio(self):
        async def run():
            server = server_of("never")
            world = World(server)
            [interrupt] = (await world.arun())["__interrupt__"]
            server.decide(server.asked[interrupt.value["id"]])
            [answer] = answers(await world.arun(Command(resume=None or "again")))
            return answer.content, world.ran, len(server.asked)

        self.assertEqual(asyncio.run(run()), ("wired", [CALL["args"]], 1))

    def test_a_rejection_after_an_interrupt(self):
        server = server_of("never")
        world = World(server)
        [interrupt] = world.run()["__interrupt__"]
        server.decide(server.asked[interrupt.value["id"]], "reject")
        [answer] = answers(world.run(Command(resume={"approved": True})))
        self.assertEqual((answer.status, world.ran), ("error", []))
        self.assertIn("not [U+202E]today", answer.content)

    def test_two_calls_in_one_message_are_two_requests_and_each_runs_once(self):
        server = server_of("never")
        second = {"name": "wire", "args": {"amount": 7, "to": "OTHER"}, "id": "call_2"}
        world = World(server, calls(CALL, second))
        interrupts = world.run()["__interrupt__"]
        self.assertEqual(len({one.value["id"] for one in interrupts}), 2)
        for asked in server.asked.values():
            server.decide(asked)
            resumed = {one.id: "again" for one in interrupts}
            result = world.run(Command(resume=resumed))
            interrupts = result.get("__interrupt__", [])
        self.assertEqual([answer.content for answer in answers(result)], ["wired", "wired"])
        self.assertEqual(sorted(one["amount"] for one in world.ran), [7, 12.5])

    def test_the_same_call_id_with_other_arguments_is_refused(self):
        server = server_of()
        world = World(server)
        world.run()
        world.start(calls({**CALL, "args": {"amount": 1250, "to": "MALLORY"}}))
        answer = answers(world.run())[-1]
        self.assertEqual((answer.status, len(world.ran)), ("error", 1))
        world.start(calls(CALL))
        self.assertIn("(already_consumed)", answers(world.run())[-1].content)
        self.assertEqual(len(world.ran), 1)

    def test_arguments_that_nobody_can_approve_exactly_are_refused(self):
        world = World(server_of(), calls({**CALL, "args": {"amount": 2**53 + 1, "to": "ACME"}}))
        [answer] = answers(world.run())
        self.assertEqual((answer.status, world.ran, world.server.requests), ("error", [], []))

    def test_an_asynchronous_client_serves_too(self):
        world = World(server_of())
        guard = CountersignMiddleware(world.server.async_client(), tools={"wire": "alex"})
        agent = create_agent(ScriptedModel(messages=iter(calls(CALL))), world.tools, middleware=[guard])
        self.assertEqual(answers(agent.invoke({"messages": [("user", "pay")]}))[0].content, "wired")


class ApprovedTool(unittest.TestCase):
    def setUp(self):
        self.ran = []

        @tool
        def wire(amount: float, to: str) -> str:
            """Wires money."""
            self.ran.append((amount, to))
            return "wired"

        self.wire = wire

    def test_a_model_gets_an_answer_and_a_program_an_error(self):
        guarded = approved_tool(self.wire, server_of("rejects").client(), username="alex")
        answer = guarded.invoke({**CALL, "type": "tool_call"})
        self.assertEqual((answer.status, answer.tool_call_id), ("error", "call_1"))
        for call in (guarded.invoke, guarded.run):
            with self.assertRaises(ApprovalDenied):
                call(CALL["args"])
        with self.assertRaises(ApprovalDenied):
            asyncio.run(guarded.ainvoke(CALL["args"]))
        with self.assertRaises(NotImplementedError):
            guarded._run(**CALL["args"])
        self.assertEqual(self.ran, [])

    def test_an_approved_call_runs(self):
        guarded = approved_tool(self.wire, server_of().client(), username="alex")
        self.assertEqual((guarded.name, guarded.description, guarded.args), ("wire", "Wires money.", self.wire.args))
        self.assertEqual(guarded.invoke(CALL["args"]), "wired")
        self.assertEqual(asyncio.run(guarded.ainvoke({**CALL, "type": "tool_call"})).content, "wired")
        self.assertEqual(self.ran, [(12.5, "ACME")] * 2)

    def test_what_the_graph_puts_in_is_not_asked_for(self):
        seen = []

        @tool
        def wire(amount: float, to: str, runtime: ToolRuntime) -> str:
            """Wires money."""
            seen.append((amount, to, runtime.tool_call_id))
            return "wired"

        server = server_of()
        guarded = approved_tool(wire, server.client(), username="alex")
        agent = create_agent(ScriptedModel(messages=iter(calls(CALL))), [guarded])
        self.assertEqual(answers(agent.invoke({"messages": [("user", "pay")]}))[0].content, "wired")
        self.assertEqual(seen, [(12.5, "ACME", "call_1")])
        self.assertEqual(next(iter(server.asked.values())).core["payload"], {"args": CALL["args"], "tool": "wire"})

    def test_what_only_the_model_does_not_see_is_asked_for(self):
        seen = []

        @tool
        def wire(amount: float, account: Annotated[str, InjectedToolArg]) -> str:
            """Wires money."""
            seen.append((amount, account))
            return "wired"

        server = server_of()
        guarded = approved_tool(wire, server.client(), username="alex")
        args = {"amount": 1.0, "account": "MALLORY"}
        self.assertEqual(guarded.invoke({**CALL, "args": args, "type": "tool_call"}).content, "wired")
        self.assertEqual(next(iter(server.asked.values())).core["payload"], {"args": args, "tool": "wire"})
        self.assertEqual(seen, [(1.0, "MALLORY")])

    def test_outside_of_a_graph_nobody_puts_anything_in(self):
        @tool
        def wire(amount: float, runtime: ToolRuntime) -> str:
            """Wires money."""
            raise AssertionError("ran")

        server = server_of()
        guarded = approved_tool(wire, server.client(), username="alex")
        with self.assertRaises(TypeError):
            guarded.run({"amount": 1.0, "runtime": object()})
        self.assertEqual(server.asked, {})

    def test_nothing_else_runs_it(self):
        for case in CODES:
            terms = {"approvers": ["alex", "sam"], "quorum": 2} if case == "weaker_quorum" else {"username": "alex"}
            guarded = approved_tool(self.wire, server_of(case).client(), **terms)
            with self.subTest(case=case):
                self.assertEqual(guarded.invoke({**CALL, "type": "tool_call"}).status, "error")
        self.assertEqual(self.ran, [])


class GivingUp(unittest.TestCase):
    """A call that is cancelled leaves its request only where the next run of the node finds it."""

    def cancelled(self, server, run):
        async def give_up():
            task = asyncio.ensure_future(run())
            loop = asyncio.get_running_loop()
            inner, waits = server.get, threading.Event()

            def get(*args):
                if not waits.is_set():
                    waits.set()
                    loop.call_soon_threadsafe(task.cancel)
                    done.wait(30)
                return inner(*args)

            server.get = get
            with self.assertRaises(asyncio.CancelledError):
                await task

        done = threading.Event()
        asyncio.run(give_up())
        done.set()
        join_threads()
        return [asked.status for asked in server.asked.values()]

    def test_a_wrapped_tool_takes_it_back(self):
        server = server_of("never")
        guarded = approved_tool(tool(lambda amount: "wired", description="Wires."), server.client(), username="alex")
        call = {**CALL, "args": {"amount": 1}, "type": "tool_call"}
        self.assertEqual(self.cancelled(server, lambda: guarded.ainvoke(call)), ["cancelled"])

    def test_an_agent_without_a_thread_takes_it_back_and_one_with_a_thread_leaves_it(self):
        for checkpointer, status in ((False, "cancelled"), (True, "pending")):
            server = server_of("never")
            world = World(server, checkpointer=checkpointer)
            given = {"messages": [("user", "pay")]}
            thread = THREAD if checkpointer else None
            with self.subTest(checkpointer=checkpointer):
                self.assertEqual(self.cancelled(server, lambda: world.agent.ainvoke(given, thread)), [status])
            self.assertEqual(world.ran, [])


def whom(terms):
    """Terms as the middleware takes them for a tool."""
    return {name: value for name, value in terms.items() if name not in ("payload", "timeout")}


def attempt(run):
    """A door whose denial is a message with the code in it."""
    done = doors.Attempt()

    @tool
    def wire(amount: float, to: str) -> str:
        """Wires money."""
        done.wire(amount=amount, to=to)
        return "wired"

    try:
        answer = run(wire)
    except CountersignError as error:
        done.code = error.code
        return done
    if answer.status == "error":
        done.code = re.search(r"\((\w+)\)", answer.content).group(1)
    return done


def guarded_agent(client, terms, wire):
    guard = CountersignMiddleware(client, tools={"wire": whom(terms)}, wait=None, timeout=terms["timeout"])
    call = {**CALL, "args": terms["payload"], "id": f"call_{secrets.token_hex(8)}"}
    model = ScriptedModel(messages=iter(calls(call)))
    return create_agent(model, [wire], middleware=[guard], checkpointer=InMemorySaver())


def middleware(clients, terms):
    asked = {"messages": [("user", "pay")]}
    return attempt(lambda wire: answers(guarded_agent(clients.sync(), terms, wire).invoke(asked, THREAD))[0])


def asynchronous_middleware(clients, terms):
    asked = {"messages": [("user", "pay")]}

    async def run(wire):
        return answers(await guarded_agent(clients.asynchronous(), terms, wire).ainvoke(asked, THREAD))[0]

    return attempt(lambda wire: asyncio.run(run(wire)))


def wrapped_tool(clients, terms):
    call = {**CALL, "args": terms["payload"], "type": "tool_call"}

    def guarded(wire):
        return approved_tool(wire, clients.sync(), timeout=terms["timeout"], **whom(terms))

    return attempt(lambda wire: guarded(wire).invoke(call))


class Doors(unittest.TestCase):
    def test_nothing_but_an_approval_runs_the_action(self):
        run_table(self, [middleware, asynchronous_middleware, wrapped_tool])
