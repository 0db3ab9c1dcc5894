#!/usr/bin/env python3
"""What reading a whole log costs: fills a server with raw entries, then times a monitor's first look and an audit.

    python3 benches/readers.py --countersign target/debug/countersign --entries 1000000

`make bench-readers` builds the command and calls it. Server and readers share the machine. The memory is the largest that was
resident, as the kernel counts it for a process that has ended.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

LIST = 256
SIZE = 600


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--countersign", required=True, type=os.path.abspath)
    parser.add_argument("--entries", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Server(arguments.countersign, folder, port)
        try:
            server.fill(arguments.entries)
            measure(arguments, server)
        finally:
            server.stop()
        # The directory can be read once its server is gone.
        report("audit --data-dir", arguments, [*server.reader("audit"), "--data-dir", "data", "--anchor", "anchor"])


def measure(arguments, server):
    trust = subprocess.run([server.command, "trust", "--url", server.url], capture_output=True, check=True, cwd=server.folder)
    pathlib.Path(server.folder, "trust.json").write_bytes(trust.stdout)
    print("| reader | entries | seconds | entries/s | largest resident MiB |\n|---|--:|--:|--:|--:|")
    monitor = [*server.reader("monitor"), "--url", server.url, "--state", "state", "--once"]
    report("monitor, the first look", arguments, monitor)
    report("monitor, nothing new", arguments, monitor)
    report("audit --url", arguments, [*server.reader("audit"), "--url", server.url])
    report("audit --url --threads 1", arguments, [*server.reader("audit"), "--url", server.url, "--threads", "1"])


def report(name, arguments, command):
    begun = time.monotonic()
    process = subprocess.Popen(command[1:], cwd=command[0], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    if status != 0:
        sys.exit(f"{name} ended with {os.waitstatus_to_exitcode(status)}")
    rate = f"{arguments.entries / seconds:.0f}" if "nothing" not in name else ""
    print(f"| {name} | {arguments.entries} | {seconds:.1f} | {rate} | {usage.ru_maxrss / 1024:.0f} |", flush=True)


class Server:
    """A server in a folder of its own."""

    def __init__(self, command, folder, port):
        self.command, self.folder, self.port = command, folder, port
        self.url = f"http://localhost:{port}"
        arguments = ["serve", "--data-dir", "data", "--anchor", "anchor", "--public-url", self.url]
        listen = ["--listen", f"127.0.0.1:{port}"]
        with open(os.path.join(folder, "server.txt"), "wb") as output:
            self.process = subprocess.Popen([command, *arguments, *listen], cwd=folder, stdout=output, stderr=output)
        while self.process.poll() is None and not self.answers():
            time.sleep(0.05)

    def answers(self):
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def reader(self, name):
        return [self.folder, self.command, name, "--trust", "trust.json"]

    def request(self, method, path, key=None, body=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/json"} | ({"X-Api-Key": key} if key else {})
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        answer.text = answer.read()
        return answer

    def fill(self, entries):
        admin = pathlib.Path(self.folder, "data", "admin.key").read_text().strip()
        made = self.request("POST", "/api/keys", admin, {"name": "filler", "scopes": ["append"]})
        key = json.loads(made.text)["key"]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        for first in range(0, entries, LIST):
            numbers = range(first, min(entries, first + LIST))
            body = [base64.b64encode(number.to_bytes(8, "big").ljust(SIZE, b".")).decode() for number in numbers]
            answer = self.request("POST", "/log/entries", key, body, connection)
            if answer.status != 200:
                sys.exit(f"an append was answered with {answer.status}: {answer.text[:200]}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


main()
