"""Every door of Python at every case of testdata/doors.json, against servers that misbehave over real sockets."""

import os
import signal
import subprocess
import sys
import unittest

import doors
from misbehaving import PAYLOAD, Misbehaving, run_table

SDK = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Asks with a key of its own, says the id, and waits.
ASKS = """
import sys
from countersign import Countersign
Countersign().request_approval(
    username="alex", action="Wire money", payload={"amount": 12.5, "to": "ACME"}, idempotency_key="run-7",
    on_pending=lambda confirmation: print(confirmation.id, flush=True))
"""
#: Asks without one; with asyncio where it is told so.
GIVES_UP = """
import asyncio, signal, sys
# What runs the tests may ignore the signal, and Python would leave it at that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from countersign import AsyncCountersign, Countersign
terms = dict(username="alex", action="Wire money", payload={"amount": 12.5, "to": "ACME"},
    on_pending=lambda confirmation: print(confirmation.id, flush=True))
if sys.argv[1] == "sync":
    Countersign().request_approval(**terms)
async def run():
    await AsyncCountersign().request_approval(**terms)
asyncio.run(run())
"""


class Doors(unittest.TestCase):
    def test_nothing_but_an_approval_runs_the_action(self):
        run_table(self, doors.DOORS)

    def test_a_killed_client_finds_the_same_request_when_it_starts_again(self):
        with Misbehaving() as servers:
            environment = {**os.environ, **servers.environment("never"), "PYTHONPATH": SDK}
            ids = []
            for _ in range(2):
                client = subprocess.Popen([sys.executable, "-c", ASKS], stdout=subprocess.PIPE, env=environment)
                ids.append(client.stdout.readline())
                client.send_signal(signal.SIGKILL)
                client.stdout.close()
                client.wait(60)
            self.assertRegex(ids[0], rb"^cnf_")
            self.assertEqual(ids[0], ids[1])

    def test_ctrl_c_takes_the_request_back(self):
        with Misbehaving() as servers:
            environment = {**os.environ, **servers.environment("never"), "PYTHONPATH": SDK}
            for kind in ("sync", "async"):
                command = [sys.executable, "-c", GIVES_UP, kind]
                client = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
                )
                id = client.stdout.readline().strip()
                client.send_signal(signal.SIGINT)
                _, errors = client.communicate(timeout=60)
                with self.subTest(kind=kind, errors=errors):
                    self.assertIn("KeyboardInterrupt", errors)
                    self.assertEqual(servers.clients("never").sync().get_confirmation(id).status, "cancelled")

    def test_a_timed_out_client_does_not_act_on_a_late_yes(self):
        with Misbehaving() as servers:
            client = servers.clients("late_yes").sync()
            asked = {"username": "alex", "action": "Wire money", "payload": PAYLOAD, "idempotency_key": "run-8"}
            decision = client.request_approval(**asked, timeout=8)
            self.assertEqual(decision.status, "timed_out")
            # The yes is there, and this decision still opens nothing.
            self.assertEqual(client.get_confirmation(decision.id).status, "approved")
            self.assertEqual(decision.status, "timed_out")
