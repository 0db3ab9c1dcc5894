"""A call as a payload, and the call made again from the approved payload: what a guarded function runs with."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

#: A text, or a function that makes it of the call's arguments: a request's title, or its idempotency key.
Text = Union[str, Callable[..., str]]


def check_guarded(function: Callable[..., Any], may_await: bool) -> None:
    """Raises `TypeError` for what would not run when it is called, so after the approval was used, but later or never."""
    while isinstance(function, functools.partial):
        function = function.func
    # An object is called by its class.
    for called in (function, getattr(type(function), "__call__", None)):  # noqa: B004
        if inspect.isgeneratorfunction(called) or inspect.isasyncgenfunction(called):
            raise TypeError("a generator function runs after its call, so after the use: guard a function that returns")
        if inspect.iscoroutinefunction(called) and not may_await:
            raise TypeError("a coroutine function needs AsyncCountersign.guard")


class Arguments:
    """The arguments of one function, by their names. `*rest` is a list, `**more` an object."""

    def __init__(self, function: Callable[..., Any], action: Optional[Text], key: Optional[Text] = None) -> None:
        self._function = function
        self._signature = inspect.signature(function)
        self._key = key
        self._action: Text = action if action is not None else f"Run {getattr(function, '__name__', 'a function')}"

    def bind(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Dict[str, Any]:
        """What a call asks for: its title, its payload with the defaults filled in, and its key, if there is one."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        asked = {"action": _text(self._action, args, kwargs), "payload": dict(bound.arguments)}
        return asked if self._key is None else {**asked, "idempotency_key": _text(self._key, args, kwargs)}

    def call(self, payload: Mapping[str, Any]) -> Any:
        """Calls the function with what the payload says and nothing else."""
        bound = inspect.BoundArguments(self._signature, {})
        for name, parameter in self._signature.parameters.items():
            value = payload[name]
            bound.arguments[name] = tuple(value) if parameter.kind is parameter.VAR_POSITIONAL else value
        return self._function(*bound.args, **bound.kwargs)


def _text(text: Text, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    return text if isinstance(text, str) else text(*args, **kwargs)
