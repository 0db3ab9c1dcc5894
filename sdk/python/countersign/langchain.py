"""Tools of LangChain that wait for a person. Needs the packages langchain and langgraph; nothing else here imports this.

A middleware stands where tools are run, so no message of a model and no answer to an interrupt gets around it: what runs,
once, is what a verified and consumed approval holds, whatever other middleware does behind it. A denial is answered as a `ToolMessage` with `status="error"`.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Tuple, Union

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, InjectedToolArg
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.runtime import ExecutionInfo, get_runtime
from langgraph.types import Command, interrupt

from .asynchronous import AsyncCountersign
from .client import Countersign
from .confirmation import Confirmation, Outcome
from .errors import AlreadyConsumed, CountersignError, Mismatch
from .flows import Flow, Flows
from .question import Question
from .values import json_of
from .verify import _base64url, _canonical

Client = Union[Countersign, AsyncCountersign]
#: Whom to ask: a username; or terms, such as `{"approvers": ["alex", "sam"], "quorum": 2, "action": "Wire money"}`.
Whom = Union[str, Mapping[str, Any]]
Answer = Union[ToolMessage, Command[Any]]


class CountersignMiddleware(AgentMiddleware[Any, Any, Any]):
    """Holds the calls of the tools that `tools` names until they are approved and consumed; the others run as ever.

    It waits for `wait` seconds. Then it interrupts the graph with the link in the interrupt's value, and looks again when
    the graph is resumed, with whatever value: that value decides nothing. LangGraph runs the node again from its top; the
    request is found again by a key made of the thread's id and the tool call's. This needs a checkpointer; without one
    use `wait=None`, which waits until the request expires, or until the `timeout`, and then cancels it.
    """

    def __init__(
        self,
        client: Client,
        tools: Mapping[str, Whom],
        wait: Optional[float] = 45,
        timeout: Optional[float] = None,
    ) -> None:
        super().__init__()
        self._clients = _both(client)
        for name, whom in tools.items():
            if not whom:
                raise ValueError(f"tools: {name!r} has nobody to ask")
        self._tools = dict(tools)
        self._wait = wait
        self._timeout = timeout

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Answer]) -> Answer:
        """Runs the call once it is approved."""
        if request.tool_call["name"] not in self._tools:
            return handler(request)
        whom = self._tools[request.tool_call["name"]]
        try:
            outcome = self._clients[0]._run(self._flow(request, whom))
        except (CountersignError, ValueError, TypeError) as error:
            return _denied(request, error)
        return handler(_approved(request, outcome))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Answer]]
    ) -> Answer:
        """Runs the call once it is approved."""
        if request.tool_call["name"] not in self._tools:
            return await handler(request)
        whom = self._tools[request.tool_call["name"]]
        try:
            outcome = await self._clients[1]._run(self._flow(request, whom))
        except (CountersignError, ValueError, TypeError) as error:
            return _denied(request, error)
        return await handler(_approved(request, outcome))

    def _flow(self, request: ToolCallRequest, whom: Whom) -> Flow[Outcome]:
        call = request.tool_call
        if request.tool is None:
            raise ValueError(f"the tool {call['name']} is not there yet: whatever brings it must stand before this middleware")
        key = _key(request.runtime.config, call["id"])
        payload = {"args": call["args"], "tool": call["name"]}
        since = _checkpoint_time(request.runtime.execution_info)
        return _held(self._clients[0].flows, whom, payload, key, since, self._wait, self._timeout)


def approved_tool(
    tool: BaseTool, client: Client, wait: Optional[float] = None, timeout: Optional[float] = None, **terms: Any
) -> BaseTool:
    """The same tool, whose every call is approved and consumed first: `approved_tool(tool, client, username="alex")`.

    A denial is a `ToolMessage` with `status="error"` where a model called the tool, and `ApprovalDenied` or another
    `CountersignError` where a program did. `wait` and `timeout` are as in `CountersignMiddleware`; by default it waits for the decision.
    """
    schema = tool.args_schema
    return _ApprovedTool(
        name=tool.name,
        description=tool.description,
        args_schema=schema,
        return_direct=tool.return_direct,
        inner=tool,
        clients=_both(client),
        terms=terms,
        wait=wait,
        timeout=timeout,
    )


class _Wrapped(BaseTool):
    """A tool around another one, which looks the same from outside."""

    inner: BaseTool

    @property
    def tool_call_schema(self) -> Any:
        return self.inner.tool_call_schema

    @property
    def _injected_args_keys(self) -> frozenset[str]:
        return self.inner._injected_args_keys

    def _run(self, *args: Any, **kwargs: Any) -> Any:
        # `run` and `arun` go to the inner tool; nothing may run it from here.
        raise NotImplementedError("call invoke or run")

    def _called_with(self, tool_input: Mapping[str, Any]) -> Dict[str, Any]:
        """The arguments of a call without what the graph puts in."""
        injected = self._injected()
        return {name: value for name, value in tool_input.items() if name not in injected}

    def _injected(self) -> frozenset[str]:
        """The names of the arguments that the graph puts in: its state, its store, its runtime. Outside of a graph nobody
        does, and what is hidden from the model alone comes from whoever calls: both must be approved."""
        if not _is_in_graph():
            return frozenset()
        whole, called = self.args_schema, self.tool_call_schema
        fields = getattr(whole, "model_fields", {}) if isinstance(whole, type) else {}
        seen = getattr(called, "model_fields", {}) if isinstance(called, type) else fields
        of_callers = {name for name, field in fields.items() if any(_is_hidden_only(it) for it in field.metadata)}
        return (self._injected_args_keys | (set(fields) - set(seen))) - of_callers

    def _denied(self, error: Exception, kwargs: Mapping[str, Any]) -> ToolMessage:
        call_id = kwargs.get("tool_call_id")
        if call_id is None:
            raise error
        return ToolMessage(content=_words(error), tool_call_id=call_id, name=self.name, status="error")


class _Once(_Wrapped):
    """The tool of one approved call. Middleware that stands behind may run a tool again, or change the call: neither was
    approved."""

    approved: Dict[str, Any]
    taken: Any

    def run(self, tool_input: Union[str, Dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            self._take(tool_input)
        except (CountersignError, ValueError, TypeError) as error:
            return self._denied(error, kwargs)
        return self.inner.run(tool_input, *args, **kwargs)

    async def arun(self, tool_input: Union[str, Dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            self._take(tool_input)
        except (CountersignError, ValueError, TypeError) as error:
            return self._denied(error, kwargs)
        return await self.inner.arun(tool_input, *args, **kwargs)

    def _take(self, tool_input: Union[str, Dict[str, Any]]) -> None:
        given = {} if isinstance(tool_input, str) else tool_input
        if _canonical(json_of(self._called_with(given))) != _canonical(json_of(self._called_with(self.approved))):
            raise Mismatch("the call was changed after it was approved")
        if not self.taken.acquire(blocking=False):
            raise AlreadyConsumed("this approval was for one run")


class _ApprovedTool(_Wrapped):
    clients: Any
    terms: Dict[str, Any]
    wait: Optional[float] = None
    timeout: Optional[float] = None

    def run(self, tool_input: Union[str, Dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            outcome = self.clients[0]._run(self._flow(tool_input, kwargs))
        except (CountersignError, ValueError, TypeError) as error:
            return self._denied(error, kwargs)
        return self.inner.run(self._approved(tool_input, outcome), *args, **kwargs)

    async def arun(self, tool_input: Union[str, Dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
        try:
            outcome = await self.clients[1]._run(self._flow(tool_input, kwargs))
        except (CountersignError, ValueError, TypeError) as error:
            return self._denied(error, kwargs)
        return await self.inner.arun(self._approved(tool_input, outcome), *args, **kwargs)

    def _flow(self, tool_input: Union[str, Dict[str, Any]], kwargs: Mapping[str, Any]) -> Flow[Outcome]:
        payload: Dict[str, Any] = {"tool": self.name}
        if isinstance(tool_input, str):
            payload["input"] = tool_input
        else:
            payload["args"] = self._called_with(tool_input)
        key = _key(kwargs.get("config"), kwargs.get("tool_call_id"))
        since = _current_checkpoint_time()
        return _held(self.clients[0].flows, self.terms, payload, key, since, self.wait, self.timeout)

    def _approved(self, tool_input: Union[str, Dict[str, Any]], outcome: Outcome) -> Union[str, Dict[str, Any]]:
        """What the approval holds; and what the graph, not the model, puts into a call."""
        if isinstance(tool_input, str):
            text: str = outcome.payload["input"]
            return text
        injected = self._injected()
        return {**outcome.payload["args"], **{name: tool_input[name] for name in tool_input if name in injected}}


def _held(
    flows: Flows,
    whom: Whom,
    payload: Dict[str, Any],
    key: Optional[str],
    since: Optional[float],
    wait: Optional[float],
    timeout: Optional[float],
) -> Flow[Outcome]:
    """Asks, or finds what was asked before the node was run again; waits; consumes."""
    terms: Dict[str, Any] = {"username": whom} if isinstance(whom, str) else dict(whom)
    began = flows.elapsed()
    terms.setdefault("action", f"Run the tool {payload['tool']}")
    question = Question.of(payload=payload, **{"idempotency_key": key, **terms})
    # Without a key nobody would find the request again after an interrupt.
    may_interrupt = key is not None and wait is not None
    # A graph that is resumed may take as long as the request lasts.
    timeout = None if may_interrupt else timeout
    until = None if timeout is None else began + timeout
    confirmation = yield from flows.create(question, timeout, since)
    left = None if until is None else until - flows.elapsed()
    patience = wait if may_interrupt else left
    outcome = yield from flows.wait_or_take_back(question, confirmation, patience, cancel=not may_interrupt)
    while outcome.status == "pending":
        # Raises, or returns what an earlier run of this node was resumed with.
        interrupt(_shown(confirmation, payload))
        outcome = yield from flows.wait(confirmation, 1, cancel=False)
    yield from flows.consume(outcome, None if until is None else until - flows.elapsed())
    return outcome


def _shown(confirmation: Confirmation, payload: Dict[str, Any]) -> Dict[str, Any]:
    """The value of the interrupt: what whoever runs the graph needs to show."""
    return {
        "type": "countersign",
        "id": confirmation.id,
        "url": confirmation.url,
        "compare_code": confirmation.compare_code,
        "action": confirmation.action,
        "approvers": list(confirmation.approvers),
        "expires_at": confirmation.expires_at,
        **payload,
    }


def _key(config: Any, call_id: Optional[str]) -> Optional[str]:
    """The same for every run of the same tool call in the same thread; none where either has no name."""
    thread = ((config or {}).get("configurable") or {}).get("thread_id")
    if thread is None or not call_id:
        return None
    # Lengths first, so that no two pairs make one text.
    name = f"countersign/langchain\n{len(str(thread))}\n{thread}\n{call_id}"
    return "langchain-" + _base64url(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest())


def _checkpoint_time(info: Optional[ExecutionInfo]) -> Optional[float]:
    """When the checkpoint was made from which this node runs, however often it runs: no request for it can be older. Its
    id is a UUID of version 6, which holds the time (RFC 9562 §5.6), in seconds since 1970. None if it is another id."""
    try:
        id = uuid.UUID(info.checkpoint_id) if info is not None else None
    except (ValueError, AttributeError, TypeError):
        return None
    if id is None or id.version != 6:
        return None
    since_1582 = (id.int >> 80 << 12) | (id.int >> 64 & 0xFFF)
    return (since_1582 - 0x01B21DD213814000) / 1e7


def _current_checkpoint_time() -> Optional[float]:
    try:
        return _checkpoint_time(get_runtime().execution_info)
    except (RuntimeError, KeyError):
        return None  # Outside of a graph.


def _is_in_graph() -> bool:
    try:
        get_runtime()
    except (RuntimeError, KeyError):
        return False
    return True


def _is_hidden_only(metadata: Any) -> bool:
    """Whether an argument is marked as not the model's, and not as the graph's either."""
    return metadata is InjectedToolArg or type(metadata) is InjectedToolArg


def _approved(request: ToolCallRequest, outcome: Outcome) -> ToolCallRequest:
    tool = request.tool
    assert tool is not None, "no call without a tool is asked for"
    once = _Once(
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema,
        return_direct=tool.return_direct,
        inner=tool,
        approved=outcome.payload["args"],
        taken=threading.Lock(),
    )
    return request.override(tool_call={**request.tool_call, "args": outcome.payload["args"]}, tool=once)


def _denied(request: ToolCallRequest, error: Exception) -> ToolMessage:
    call = request.tool_call
    return ToolMessage(content=_words(error), tool_call_id=call["id"], name=call["name"], status="error")


def _words(error: Exception) -> str:
    code = error.code if isinstance(error, CountersignError) else "not asked"
    return f"Not run ({code}): {error}. Do not try to reach the same effect in another way."


def _both(client: Client) -> Tuple[Countersign, AsyncCountersign]:
    """A client for each of LangChain's two worlds, with the same settings, memory and connection."""
    if isinstance(client, Countersign):
        return client, AsyncCountersign(flows=client.flows, transport=client.transport)
    return Countersign(flows=client.flows, transport=client.transport), client
