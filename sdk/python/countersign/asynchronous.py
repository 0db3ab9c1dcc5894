"""The client for asyncio: the same flows as `countersign.client`, and each request in a thread of its own, so that a long
poll holds up nothing. These threads are daemons: none keeps a program alive, and each ends with its request's deadline. Only
a request that is being taken back keeps a program alive, for some seconds.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypeVar, Union, cast

from .arguments import Arguments, Text, check_guarded
from .client import Countersign, must_take_back
from .confirmation import AsyncDecision, Confirmation, Consumption, Outcome
from .flows import Asked, Effect, Flow, Pause, Send, Tell
from .question import EveryCall, Question, Terms
from .settings import Configured
from .transport import Request, Response, Transport, TransportError
from .verify import Expectation, Report

if TYPE_CHECKING:  # Python 3.10 has no Unpack.
    from typing_extensions import Unpack

T = TypeVar("T")
OnPending = Callable[[Confirmation], object]


class AsyncCountersign(Configured):
    """`Countersign` for asyncio: the same arguments, the same methods, each to be awaited. `on_pending` may be a coroutine
    function. A request whose task is cancelled is taken back, unless the caller gave it an idempotency key to find it by.
    """

    _pause = staticmethod(asyncio.sleep)

    async def request_approval(
        self,
        *,
        action: str,
        payload: Mapping[str, Any],
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[Terms],
    ) -> AsyncDecision:
        """Asks and waits. Look at the decision's status: only `approved` opens, and only after `consume()`."""
        question = Question.of(action, payload, **terms)
        return self._decision(await self._run(self.flows.request(question, timeout), on_pending))

    async def require_approval(
        self,
        *,
        action: str,
        payload: Mapping[str, Any],
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[Terms],
    ) -> AsyncDecision:
        """Asks, waits, verifies and consumes, all within the timeout. Raises `ApprovalDenied` for everything else."""
        question = Question.of(action, payload, **terms)
        return self._decision(await self._run(self.flows.require(question, timeout), on_pending))

    async def create_confirmation(
        self, *, action: str, payload: Mapping[str, Any], **terms: Unpack[Terms]
    ) -> Confirmation:
        """Asks, and does not wait."""
        return await self._run(self.flows.create(Question.of(action, payload, **terms)))

    async def resume_confirmation(
        self, id: str, *, action: str, payload: Mapping[str, Any], **terms: Unpack[Terms]
    ) -> Confirmation:
        """Finds a confirmation by its id. It must be about exactly what the arguments say."""
        return await self._run(self.flows.resume(id, Question.of(action, payload, **terms)))

    async def get_confirmation(self, id: str, wait: int = 0) -> AsyncDecision:
        """How it stands, after at most `wait` seconds. That the payload is the right one is for the caller to compare."""
        return self._decision(await self._run(self.flows.get(id, wait)))

    async def wait_for_decision(
        self, confirmation: Confirmation, *, timeout: Optional[float] = None, cancel: bool = True
    ) -> AsyncDecision:
        """Waits. After the timeout the request is cancelled; with `cancel=False` it stays, and the status is `pending`."""
        return self._decision(await self._run(self.flows.wait(confirmation, timeout, cancel)))

    async def cancel(self, confirmation: Union[Confirmation, Outcome, str]) -> None:
        """Takes a request back; a decided one is `Refused` with 409."""
        await self._run(self.flows.cancel(confirmation if isinstance(confirmation, str) else confirmation.id))

    async def consume(self, decision: Outcome, *, timeout: Optional[float] = None) -> Consumption:
        """Uses an approval, once, within a time. Only after this may the action run."""
        return await self._run(self.flows.consume(decision, timeout))

    async def verify_receipt(self, receipt: str, expectation: Optional[Expectation] = None) -> Report:
        """The verifier's report on a receipt, with this client's trust file."""
        return cast(Report, await self._run(self.flows.verify_receipt(receipt, expectation or Expectation())))

    def guard(
        self,
        *,
        action: Optional[Text] = None,
        idempotency_key: Optional[Text] = None,
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[EveryCall],
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator for functions and coroutine functions, which makes a coroutine function; see `Countersign.guard`."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            check_guarded(function, may_await=True)
            arguments = Arguments(function, action, idempotency_key)

            @functools.wraps(function)
            async def guarded(*args: Any, **kwargs: Any) -> Any:
                asked = arguments.bind(args, kwargs)
                decision = await self.require_approval(**asked, timeout=timeout, on_pending=on_pending, **terms)
                result = arguments.call(decision.payload)
                return await result if inspect.isawaitable(result) else result

            return guarded

        return decorate

    async def __aenter__(self) -> AsyncCountersign:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held between two calls; the context manager is there for symmetry."""

    def _decision(self, outcome: Outcome) -> AsyncDecision:
        return AsyncDecision(**vars(outcome), client=self)

    async def _run(self, flow: Flow[T], on_pending: Optional[OnPending] = None) -> T:
        asked: Optional[Asked] = None
        effect: Optional[Effect] = None
        try:
            effect = next(flow)
            while True:
                asked = effect if isinstance(effect, Asked) else asked
                try:
                    result = await self._carry_out(effect, on_pending)
                except TransportError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            return cast(T, end.value)
        except BaseException as error:
            if asked is not None and must_take_back(asked, effect, error):
                self._take_back(asked)
            raise
        finally:
            flow.close()

    async def _carry_out(self, effect: Effect, on_pending: Optional[OnPending]) -> object:
        if isinstance(effect, Send):
            return await _in_a_thread(self.transport, effect.request)
        if isinstance(effect, Pause):
            await self._sleep(effect.seconds)
        elif isinstance(effect, Tell) and on_pending is not None:
            told = on_pending(effect.confirmation)
            if inspect.isawaitable(told):
                await told
        return None

    def _take_back(self, asked: Asked) -> None:
        """In a thread that is no daemon: after Ctrl-C the loop is closed at once, and the interpreter still waits for it."""
        client = Countersign(flows=self.flows, transport=self.transport)
        threading.Thread(target=lambda: client._run(self.flows.take_back(asked)), name="countersign-take-back").start()


async def _in_a_thread(transport: Transport, request: Request) -> Response:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Response] = loop.create_future()

    def settle(response: Optional[Response], error: Optional[BaseException]) -> None:
        if answered.done():
            return
        if error is not None:
            answered.set_exception(error)
        elif response is not None:
            answered.set_result(response)

    def send() -> None:
        response: Optional[Response] = None
        error: Optional[BaseException] = None
        try:
            response = transport.send(request)
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle, response, error)
        except RuntimeError:
            pass  # The loop was closed while nobody waited any more.

    threading.Thread(target=send, name="countersign-request", daemon=True).start()
    return await answered
