"""A call as a payload, and the call made again from the approved payload: what a guarded function runs with."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

#: A request's title: a text, or a function that makes it of the call's arguments.
Title = Union[str, Callable[..., str]]


class Arguments:
    """The arguments of one function, by their names. `*rest` is a list, `**more` an object."""

    def __init__(self, function: Callable[..., Any], action: Optional[Title]) -> None:
        self._function = function
        self._signature = inspect.signature(function)
        self._action: Title = action if action is not None else f"Run {getattr(function, '__name__', 'a function')}"

    def bind(self, args: Tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tuple[str, Dict[str, Any]]:
        """The title and the payload of a call, its defaults filled in."""
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        title = self._action if isinstance(self._action, str) else self._action(*args, **kwargs)
        return title, dict(bound.arguments)

    def call(self, payload: Mapping[str, Any]) -> Any:
        """Calls the function with what the payload says and nothing else."""
        bound = inspect.BoundArguments(self._signature, {})
        for name, parameter in self._signature.parameters.items():
            value = payload[name]
            bound.arguments[name] = tuple(value) if parameter.kind is parameter.VAR_POSITIONAL else value
        return self._function(*bound.args, **bound.kwargs)
