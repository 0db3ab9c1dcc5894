"""The transport on real sockets, against servers that answer with bytes of the test's choice."""

import os
import socket
import ssl
import tempfile
import threading
import unittest
from contextlib import contextmanager
from unittest import mock

from countersign import AsyncCountersign, Countersign, Unreachable
from countersign.transport import HttpTransport, Request, TransportError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KEY = "csk_0123456789"


@contextmanager
def server(answer):
    """A server that calls `answer` with each connection, after it has read a request's head. Yields its URL and what it read."""
    listener = socket.create_server(("127.0.0.1", 0))
    read = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                read.append(connection.recv(65536))
                try:
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", read
    finally:
        # A blocked accept does not always notice that its socket was closed.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def says(data):
    return lambda connection: connection.sendall(data)


class Sending(unittest.TestCase):
    def test_an_answer_comes_back_whole(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
        for data in (OK, chunked, b"HTTP/1.1 200 OK\r\n\r\n{}"):
            with self.subTest(data=data), server(says(data)) as (url, read):
                response = HttpTransport(url + "/below/").send(Request("GET", "/x?wait=1", {"X-Api-Key": KEY}))
                self.assertEqual((response.status, response.body), (200, b"{}"))
                self.assertIn(b"GET /below/x?wait=1 HTTP/1.1\r\n", read[0])

    def test_no_whole_answer_is_an_error(self):
        cases = {
            "closed at once": b"",
            "closed in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "closed in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
            "not HTTP": b"SSH-2.0-x\r\n\r\n",
            "too long": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
        }
        for name, data in cases.items():
            with self.subTest(case=name), server(says(data)) as (url, _), self.assertRaises(TransportError) as caught:
                HttpTransport(url).send(Request("GET", "/", {"X-Api-Key": KEY}))
            self.assertNotIn(KEY, str(caught.exception))

    def test_the_cap_holds_without_a_length_too(self):
        def endless(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)

        with mock.patch("countersign.transport.MAX_ANSWER", 1_000_000), server(endless) as (url, _):
            with self.assertRaisesRegex(TransportError, "more than 1000000 bytes"):
                HttpTransport(url).send(Request("GET", "/"))

    def test_the_deadline_ends_an_answer_that_dribbles(self):
        for head in (b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"):
            gone = threading.Event()

            def dribble(connection, head=head, gone=gone):
                connection.sendall(head)
                try:
                    while True:
                        connection.sendall(b"x")
                        gone.wait(0.01)
                except OSError:
                    gone.set()

            with self.subTest(head=head), server(dribble) as (url, _):
                # It would go on for ever.
                with self.assertRaisesRegex(TransportError, r"no whole answer within 0\.2 s"):
                    HttpTransport(url).send(Request("GET", "/", deadline=0.2))

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with self.assertRaises(TransportError):
            HttpTransport(f"http://127.0.0.1:{port}").send(Request("GET", "/"))

    def test_tls_is_checked(self):
        # A server that speaks no TLS, and a context that would not believe it: the handshake fails either way.
        with server(says(OK)) as (url, _), self.assertRaises(TransportError):
            HttpTransport(url.replace("http:", "https:")).send(Request("GET", "/", deadline=5))
        context = HttpTransport("https://approvals.example.com")._tls
        self.assertEqual((context.verify_mode, context.check_hostname), (ssl.CERT_REQUIRED, True))

    def test_http_is_for_this_machine(self):
        for url in ("http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://approvals.example.com"):
            HttpTransport(url)
        for url in ("http://approvals.example.com", "ftp://localhost", "localhost:8080", "https://a:b@c", "https://c?d"):
            with self.subTest(url=url), self.assertRaises(ValueError):
                HttpTransport(url)
        HttpTransport("http://approvals.internal", allow_http=True)


class Settings(unittest.TestCase):
    def setUp(self):
        clean = {name: text for name, text in os.environ.items() if not name.startswith("COUNTERSIGN_")}
        patched = mock.patch.dict(os.environ, clean, clear=True)
        patched.start()
        self.addCleanup(patched.stop)

    def test_the_environment_serves_both_clients(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(KEY + "\n")
            file.flush()
            os.environ.update(COUNTERSIGN_URL="http://localhost:1", COUNTERSIGN_API_KEY_FILE=file.name)
            for client in (Countersign(), AsyncCountersign()):
                self.assertEqual(client.flows.api_key, KEY)
        os.environ["COUNTERSIGN_API_KEY"] = "csk_other"
        self.assertEqual(Countersign().flows.api_key, "csk_other")
        self.assertEqual(Countersign("csk_given").flows.api_key, "csk_given")

    def test_what_is_missing_or_wrong_is_named(self):
        with self.assertRaisesRegex(ValueError, "COUNTERSIGN_API_KEY"):
            Countersign(base_url="http://localhost")
        with self.assertRaisesRegex(ValueError, "COUNTERSIGN_URL"):
            Countersign(KEY)
        with self.assertRaises(FileNotFoundError):
            Countersign(KEY, "http://localhost", trust="/nowhere/trust.json")
        with self.assertRaises(ValueError) as caught:
            Countersign("csk_secret\r\nX: y", "http://localhost")
        self.assertNotIn("secret", str(caught.exception))

    def test_the_key_is_in_no_error_and_no_text(self):
        with server(says(b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n")) as (url, _):
            client = Countersign(KEY, url, max_retries=0)
            with self.assertRaises(Unreachable) as caught:
                client.create_confirmation(username="alex", action="Wire money", payload={})
        shown = repr(caught.exception) + repr(client) + repr(client.flows) + repr(Request("GET", "/", {"X-Api-Key": KEY}))
        self.assertNotIn(KEY, shown)
