"""The servers that the tests talk to: those of the crate `misbehaving`. The binaries are in COUNTERSIGN_TARGET, the folder that
cargo builds into.
"""

import json
import logging
import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).parents[2]
TARGET = pathlib.Path(os.environ.get("COUNTERSIGN_TARGET", ROOT / "target" / "debug"))
MISBEHAVING = TARGET / "misbehaving"


class WithServers(unittest.IsolatedAsyncioTestCase):
    """Tests that have the servers: `said` has their URLs, and what reaches them."""

    @classmethod
    def setUpClass(cls):
        # unittest runs event loops in debug mode, which remarks on every slow step.
        logging.getLogger("asyncio").setLevel(logging.ERROR)
        cls.process = subprocess.Popen([MISBEHAVING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        cls.said = json.loads(cls.process.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.process.communicate()

    def environment(self, url, memory):
        """What a command needs to reach one of them."""
        return {
            "COUNTERSIGN_URL": url,
            "COUNTERSIGN_API_KEY": self.said["api_key"],
            "COUNTERSIGN_TRUST": self.said["trust_file"],
            "COUNTERSIGN_MEMORY": str(memory),
        }
