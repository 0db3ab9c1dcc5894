"""Values of Python as the JSON of a payload, and back: what is approved is what runs, so nothing is converted quietly."""

from __future__ import annotations

import math
from typing import Any, Dict, List

from .verify import Json, Number, _canonical, _ecmascript, _Limits, _parse_json, parse_payload

#: What metadata and answers may be at most.
_MAX_DEPTH = 64
_LIMITS = _Limits(34 * 1024 * 1024, _MAX_DEPTH)


def payload_of(value: Any) -> Dict[str, Json]:
    """A payload as the verifier compares it. Raises `ValueError` or `TypeError` naming the place of what is no JSON."""
    if not isinstance(value, dict):
        raise TypeError(f"the payload must be a dict, not {type(value).__name__}")
    return parse_payload(_canonical(json_of(value)).encode("utf-8", "surrogatepass"))


def json_of(value: Any, path: str = "", depth: int = 0) -> Json:
    """A value of Python as JSON: None, bool, int, float, str, list, tuple and dict with text keys, nothing else."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"{path[:100]}…: nested deeper than {_MAX_DEPTH} levels, or holds itself")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, path)
    if isinstance(value, int):
        return Number(int.__repr__(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path or 'the payload'}: {value} is no number of JSON")
        return Number(_ecmascript(value))
    if isinstance(value, (list, tuple)):
        return [json_of(element, f"{path}/{at}", depth + 1) for at, element in enumerate(value)]
    if isinstance(value, dict):
        members: Dict[str, Json] = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{path or 'the payload'}: the key {key!r} is not a text")
            members[_text(key, path)] = json_of(member, f"{path}/{key}", depth + 1)
        return members
    raise TypeError(f"{path or 'the payload'}: {type(value).__name__} is no value of JSON")


def _text(value: str, path: str) -> str:
    # A member of an enum is a text too; what is sent and shown is the text alone.
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{path or 'the payload'}: a lone surrogate, which no UTF-8 text can hold") from None
    return text


def plain(value: Json) -> Any:
    """JSON as plain Python. A number that is written without a fraction or an exponent is an int."""
    if isinstance(value, Number):
        is_whole = value.text.lstrip("-").isdigit()
        return int(value.text) if is_whole else float(value.text)
    if isinstance(value, list):
        elements: List[Any] = [plain(element) for element in value]
        return elements
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return value


def parsed(data: bytes) -> Json:
    """An answer of the server, strictly; refuses with `Refusal`."""
    return _parse_json(data, _LIMITS)
