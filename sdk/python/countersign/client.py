"""The client for programs without asyncio: it runs the flows of `countersign.flows`, one after the other."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypeVar, Union, cast

from .arguments import Arguments, Text, check_guarded
from .confirmation import Confirmation, Consumption, Decision, Outcome
from .errors import CountersignError
from .flows import Asked, Effect, Flow, Pause, Send, Tell
from .question import EveryCall, Question, Terms
from .settings import Configured
from .transport import TransportError
from .verify import Expectation, Report

if TYPE_CHECKING:  # Python 3.10 has no Unpack.
    from typing_extensions import Unpack

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
OnPending = Callable[[Confirmation], object]


class Countersign(Configured):
    """Asks people for approval, and believes nobody but their passkeys.

    `trust` is a trust file or its path (else COUNTERSIGN_TRUST; without it the server's own is taken on first use, and
    decisions say so). `memory` is the path of a file that keeps the largest log seen and that first trust, across processes.
    """

    _pause = staticmethod(time.sleep)

    def request_approval(
        self,
        *,
        action: str,
        payload: Mapping[str, Any],
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[Terms],
    ) -> Decision:
        """Asks and waits. Look at the decision's status: only `approved` opens, and only after `consume()`.

        `on_pending` is given the confirmation as soon as it is there, to show its link and compare code.
        """
        question = Question.of(action, payload, **terms)
        return self._decision(self._run(self.flows.request(question, timeout), on_pending))

    def require_approval(
        self,
        *,
        action: str,
        payload: Mapping[str, Any],
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[Terms],
    ) -> Decision:
        """Asks, waits, verifies and consumes, all within the timeout. Raises `ApprovalDenied` for everything else."""
        question = Question.of(action, payload, **terms)
        return self._decision(self._run(self.flows.require(question, timeout), on_pending))

    def create_confirmation(self, *, action: str, payload: Mapping[str, Any], **terms: Unpack[Terms]) -> Confirmation:
        """Asks, and does not wait."""
        return self._run(self.flows.create(Question.of(action, payload, **terms)))

    def resume_confirmation(
        self, id: str, *, action: str, payload: Mapping[str, Any], **terms: Unpack[Terms]
    ) -> Confirmation:
        """Finds a confirmation by its id. It must be about exactly what the arguments say."""
        return self._run(self.flows.resume(id, Question.of(action, payload, **terms)))

    def get_confirmation(self, id: str, wait: int = 0) -> Decision:
        """How it stands, after at most `wait` seconds. That the payload is the right one is for the caller to compare."""
        return self._decision(self._run(self.flows.get(id, wait)))

    def wait_for_decision(
        self, confirmation: Confirmation, *, timeout: Optional[float] = None, cancel: bool = True
    ) -> Decision:
        """Waits. After the timeout the request is cancelled; with `cancel=False` it stays, and the status is `pending`."""
        return self._decision(self._run(self.flows.wait(confirmation, timeout, cancel)))

    def cancel(self, confirmation: Union[Confirmation, Outcome, str]) -> None:
        """Takes a request back; a decided one is `Refused` with 409."""
        self._run(self.flows.cancel(confirmation if isinstance(confirmation, str) else confirmation.id))

    def consume(self, decision: Outcome, *, timeout: Optional[float] = None) -> Consumption:
        """Uses an approval, once, within a time. Only after this may the action run. After `Unreachable` it may be called
        again."""
        return self._run(self.flows.consume(decision, timeout))

    def verify_receipt(self, receipt: str, expectation: Optional[Expectation] = None) -> Report:
        """The verifier's report on a receipt, with this client's trust file."""
        return cast(Report, self._run(self.flows.verify_receipt(receipt, expectation or Expectation())))

    def guard(
        self,
        *,
        action: Optional[Text] = None,
        idempotency_key: Optional[Text] = None,
        timeout: Optional[float] = None,
        on_pending: Optional[OnPending] = None,
        **terms: Unpack[EveryCall],
    ) -> Callable[[F], F]:
        """A decorator: each call asks for approval of its arguments, and runs with exactly those that were approved.

        `action` is a text, or a function that makes it of the same arguments; the function's name if left out.
        `idempotency_key` is such a function too: a fixed text is for one call, and `already_consumed` for the next.
        """

        def decorate(function: F) -> F:
            check_guarded(function, may_await=False)
            arguments = Arguments(function, action, idempotency_key)

            @functools.wraps(function)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                asked = arguments.bind(args, kwargs)
                decision = self.require_approval(**asked, timeout=timeout, on_pending=on_pending, **terms)
                return arguments.call(decision.payload)

            return cast(F, guarded)

        return decorate

    def __enter__(self) -> Countersign:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held between two calls; the context manager is there for symmetry."""

    def _decision(self, outcome: Outcome) -> Decision:
        return Decision(**vars(outcome), client=self)

    def _run(self, flow: Flow[T], on_pending: Optional[OnPending] = None) -> T:
        asked: Optional[Asked] = None
        effect: Optional[Effect] = None
        try:
            effect = next(flow)
            while True:
                asked = effect if isinstance(effect, Asked) else asked
                try:
                    result = self._carry_out(effect, on_pending)
                except TransportError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as end:
            return cast(T, end.value)
        except BaseException as error:
            if asked is not None and must_take_back(asked, effect, error):
                self._run(self.flows.take_back(asked))
            raise
        finally:
            flow.close()

    def _carry_out(self, effect: Effect, on_pending: Optional[OnPending]) -> object:
        if isinstance(effect, Send):
            return self.transport.send(effect.request)
        if isinstance(effect, Pause):
            self._sleep(effect.seconds)
        elif isinstance(effect, Tell) and on_pending is not None:
            on_pending(effect.confirmation)
        return None


def must_take_back(asked: Asked, effect: Optional[Effect], error: BaseException) -> bool:
    """Whether an error that ends a flow leaves a request that nobody waits for: Ctrl-C, a task that is cancelled, an
    `on_pending` that fails. To its own errors the flow has seen itself."""
    is_its_own = isinstance(error, CountersignError) and not isinstance(effect, Tell)
    return not (is_its_own or asked.can_resume)
