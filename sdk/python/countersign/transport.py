"""One request over HTTP/1.1 and its answer: TLS is checked, redirects are not followed, the size is capped, and the whole
of it ends at a deadline, however slowly the server dribbles. A connection serves one request.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Dict, Optional, Protocol
from urllib.parse import urlsplit

MAX_ANSWER = 34 * 1024 * 1024
_LOCAL = ("localhost", "127.0.0.1", "::1")


class TransportError(Exception):
    """No answer; the text says why. The request may have been carried out or not."""


@dataclass(frozen=True)
class Request:
    """What is to be sent."""

    method: str
    #: Path and query, below the base URL.
    target: str
    headers: Dict[str, str] = field(default_factory=dict, repr=False)
    body: Optional[bytes] = None
    #: Seconds for all of it.
    deadline: float = 30.0


@dataclass(frozen=True)
class Response:
    """What came back. `headers` has lower-case names."""

    status: int
    headers: Dict[str, str]
    body: bytes


class Transport(Protocol):
    """Who sends a request. Tests may bring another."""

    def send(self, request: Request) -> Response:
        """Sends and waits for the whole answer; `TransportError` if there is none."""
        ...


class HttpTransport:
    """The transport on sockets. It holds nothing that changes, so threads may share it."""

    def __init__(
        self, base_url: str, *, allow_http: bool = False, ssl_context: Optional[ssl.SSLContext] = None
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query:
            raise ValueError("base_url must be https://host, with a port and a path if you like")
        if parts.scheme == "http" and parts.hostname not in _LOCAL and not allow_http:
            raise ValueError("base_url must be https: http is for localhost alone, unless allow_http is set")
        self._tls = (ssl_context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._host = parts.hostname
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")

    def send(self, request: Request) -> Response:
        """Sends and waits for the whole answer; `TransportError` if there is none."""
        try:
            return self._exchange(request)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The words of these errors do not hold headers, so not the API key.
            raise TransportError(f"{request.method} {request.target}: {_words(error)}") from None

    def _exchange(self, request: Request) -> Response:
        ended = threading.Event()
        sock = socket.create_connection((self._host, self._port), timeout=request.deadline)
        if self._tls:
            try:
                # The handshake comes later, when the deadline's timer can already end it.
                sock = self._tls.wrap_socket(sock, server_hostname=self._host, do_handshake_on_connect=False)
            except BaseException:
                sock.close()
                raise

        def end() -> None:
            ended.set()
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass

        timer = threading.Timer(request.deadline, end)
        timer.daemon = True
        timer.start()
        try:
            response = self._on(sock, request)
            # An answer without a length would look complete when the timer ended it.
            if not ended.is_set():
                return response
        except (OSError, http.client.HTTPException):
            if not ended.is_set():
                raise
        finally:
            timer.cancel()
            sock.close()
        raise TimeoutError(f"no whole answer within {request.deadline:.1f} s")

    def _on(self, sock: socket.socket, request: Request) -> Response:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection = http.client.HTTPConnection(self._host, self._port)
        connection.sock = sock
        headers = {"Accept": "application/json", "Connection": "close", **request.headers}
        connection.request(request.method, self._path + request.target, body=request.body, headers=headers)
        response = connection.getresponse()
        try:
            body = _read(response)
        finally:
            response.close()
        return Response(response.status, {name.lower(): text for name, text in response.getheaders()}, body)


def _read(response: http.client.HTTPResponse) -> bytes:
    if response.length is not None and response.length > MAX_ANSWER:
        raise http.client.HTTPException(f"an answer of {response.length} bytes, at most {MAX_ANSWER} are read")
    parts = []
    size = 0
    while True:
        part = response.read1(65536)
        if not part:
            break
        size += len(part)
        if size > MAX_ANSWER:
            raise http.client.HTTPException(f"an answer of more than {MAX_ANSWER} bytes")
        parts.append(part)
    # Unlike `read`, `read1` does not say that the connection ended before the announced length.
    if response.length:
        raise http.client.HTTPException(f"the answer ended {response.length} bytes early")
    return b"".join(parts)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
