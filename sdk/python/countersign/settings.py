"""Where a client's settings come from: its arguments, or the environment that every client of Countersign reads."""

from __future__ import annotations

import os
import random
import ssl
import time
from typing import Any, Callable, Optional, Union

from .flows import Flows
from .memory import FileMemory, Memory, ProcessMemory
from .transport import HttpTransport, Transport
from .verify import Trust

_MAX_KEY_FILE, _MAX_TRUST_FILE = 4096, 1024 * 1024


def flows_of(
    api_key: Optional[str],
    trust: Union[Trust, str, os.PathLike[str], None],
    memory: Union[Memory, str, os.PathLike[str], None],
    request_timeout: float,
    max_retries: int,
    poll: int,
    base_url: Optional[str] = None,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Flows:
    """The flows of a client; `ValueError` if something that is needed is missing or wrong."""
    if not 1 <= poll <= 60 or max_retries < 0 or request_timeout <= 0:
        raise ValueError("poll must be 1 to 60, max_retries at least 0, request_timeout more than 0")
    return Flows(
        _api_key(api_key),
        _trust(trust),
        _memory(memory),
        now,
        monotonic,
        uniform,
        request_timeout,
        max_retries,
        poll,
        server=(base_url or os.environ.get("COUNTERSIGN_URL") or "").rstrip("/"),
    )


def base_url_of(base_url: Optional[str]) -> str:
    """The server's URL: as given, or from COUNTERSIGN_URL."""
    found = base_url or os.environ.get("COUNTERSIGN_URL")
    if not found:
        raise ValueError("no server: give base_url or set COUNTERSIGN_URL")
    return found


def _api_key(api_key: Optional[str]) -> str:
    found = api_key or os.environ.get("COUNTERSIGN_API_KEY")
    if not found and os.environ.get("COUNTERSIGN_API_KEY_FILE"):
        found = _read(os.environ["COUNTERSIGN_API_KEY_FILE"], _MAX_KEY_FILE).decode("ascii", "replace").strip()
    if not found:
        raise ValueError("no API key: give api_key or set COUNTERSIGN_API_KEY or COUNTERSIGN_API_KEY_FILE")
    if not all("!" <= character <= "~" for character in found):
        # The key itself must not be shown, not even a wrong one.
        raise ValueError("the API key holds a character that no key has")
    return found


def _trust(trust: Union[Trust, str, os.PathLike[str], None]) -> Optional[Trust]:
    if isinstance(trust, Trust):
        return trust
    path = os.environ.get("COUNTERSIGN_TRUST") if trust is None else trust
    if path == "":
        # A variable that a script did not fill must not turn a pinned key into one that is believed at first sight.
        raise ValueError("the path of the trust file (trust, COUNTERSIGN_TRUST) is empty")
    return None if path is None else Trust.parse(_read(path, _MAX_TRUST_FILE))


def _memory(memory: Union[Memory, str, os.PathLike[str], None]) -> Memory:
    if memory is None:
        return ProcessMemory()
    return FileMemory(os.fspath(memory)) if isinstance(memory, (str, os.PathLike)) else memory


def _read(path: Union[str, os.PathLike[str]], limit: int) -> bytes:
    with open(path, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path} has more than {limit} bytes")
    return data


class Configured:
    """What both kinds of client are made of; `Countersign` says what the arguments are."""

    _pause: Callable[[float], Any]

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        trust: Union[Trust, str, os.PathLike[str], None] = None,
        memory: Union[Memory, str, os.PathLike[str], None] = None,
        *,
        request_timeout: float = 10.0,
        max_retries: int = 5,
        poll: int = 25,
        allow_http: bool = False,
        ssl_context: Optional[ssl.SSLContext] = None,
        transport: Optional[Transport] = None,
        sleep: Optional[Callable[[float], Any]] = None,
        flows: Optional[Flows] = None,
    ) -> None:
        self.flows = flows or flows_of(api_key, trust, memory, request_timeout, max_retries, poll, base_url)
        self.transport: Transport = transport or HttpTransport(
            base_url_of(base_url), allow_http=allow_http, ssl_context=ssl_context
        )
        self._sleep = sleep or self._pause
