"""The examples and the code of the guides, each run as a reader would run it, against a server whose approver approves at
once, with the SDK as the guides' commands install it. testdata/documents.json says which blocks there are. Needs the packages
of tests/requirements.txt, pip, and curl.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))]

from misbehaving import ROOT, Misbehaving, table  # noqa: E402

EXAMPLES = os.path.join(ROOT, "examples")
COMMANDS = {
    "python/wire.py": [sys.executable],
    "langchain/agent.py": [sys.executable],
    "rest-python/approve.py": [sys.executable],
    "rest-curl/approve.sh": ["sh"],
}
#: What a page's code may assume: a model that calls the tool.
BEFORE = {
    "docs/langchain.md": """
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

class Model(GenericFakeChatModel):
    def bind_tools(self, tools, **_):
        return self

call = {"name": "wire", "args": {"amount": 12.5, "to": "ACME"}, "id": "call_1"}
model = Model(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("That is all.")]))
"""
}
AFTER = {"docs/langchain.md": "print(run(agent_of(model))[-2].content)"}


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = Misbehaving()
        cls.addClassCleanup(cls.servers.stop)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.installed = folder.name
        # By the guides' commands, into this folder. What the SDK needs besides is here already; and pip reads this 0 as yes.
        settings = {"PIP_TARGET": folder.name, "PIP_UPGRADE": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        settings |= {"PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        for page in pages("sh"):
            for block in blocks(page, "sh"):
                if block.startswith("pip install"):
                    subprocess.run(["sh", "-euc", block], cwd=ROOT, env={**here(), **settings}, check=True, timeout=900)

    def run_in(self, folder, case, command):
        environment = {**here(), **self.servers.environment(case), "PYTHONPATH": self.installed}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)

    def test_every_example_acts_on_an_approval(self):
        for name, command in COMMANDS.items():
            with self.subTest(example=name), tempfile.TemporaryDirectory() as folder:
                done = self.run_in(folder, "approves", [*command, os.path.join(EXAMPLES, name)])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.endswith("wired 12.5 to ACME\n"), done.stdout)

    def test_and_on_nothing_else(self):
        for case in ("rejects", "cancels", "already_consumed"):
            for name, command in COMMANDS.items():
                if name.startswith("rest-"):
                    continue  # Below.
                with self.subTest(example=name, case=case), tempfile.TemporaryDirectory() as folder:
                    done = self.run_in(folder, case, [*command, os.path.join(EXAMPLES, name)])
                    self.assertNotIn("wired 12.5", done.stdout)
                    # The agent's own answer is a message to its model.
                    self.assertEqual(done.returncode == 0, name == "langchain/agent.py", done.stderr)

    def test_the_scripts_without_an_sdk_refuse_what_their_guide_says(self):
        refused, acted_on = cases_of_the_guide_to_rest()
        rows = {row["case"] for row in table() if not row["runs"]}
        self.assertEqual(refused | acted_on, rows - {"refuses"}, "the guide names every case that its request can have")
        with ThreadPoolExecutor(8) as pool, tempfile.TemporaryDirectory() as folder:

            def attempt(name, case):
                return self.run_in(folder, case, [*COMMANDS[name], os.path.join(EXAMPLES, name)])

            scripts = [name for name in COMMANDS if name.startswith("rest-")]
            running = [(name, case, pool.submit(attempt, name, case)) for name in scripts for case in sorted(refused)]
            for name, case, done in running:
                with self.subTest(example=name, case=case):
                    self.assertNotIn("wired", done.result().stdout)
                    self.assertNotEqual(done.result().returncode, 0)

    def test_the_code_of_the_guides_runs(self):
        for page in pages("python"):
            with self.subTest(page=page), tempfile.TemporaryDirectory() as folder:
                code = [BEFORE.get(page, ""), *blocks(page, "python"), AFTER.get(page, "")]
                done = self.run_in(folder, "approves", [sys.executable, "-c", "\n".join(code)])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"wired 12\.5|approved\n$")
                # A denial would be a message to the model, and no error of the program.
                self.assertNotIn("Not run", done.stdout)

    def test_the_commands_of_the_guide_to_rest_run(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_in(folder, "approves", ["sh", "-euc", "\n".join(blocks("docs/rest.md", "sh"))])
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("APPROVED", done.stdout)

    def test_no_example_is_longer_than_it_has_to_be(self):
        for name in COMMANDS:
            with self.subTest(example=name), open(os.path.join(EXAMPLES, name)) as file:
                self.assertLess(len(file.readlines()), 40)


def cases_of_the_guide_to_rest():
    """Those in which its scripts do not act, and those in which they do."""
    with open(os.path.join(ROOT, "docs", "rest.md"), encoding="utf-8") as file:
        _, text = file.read().split("They do not act", 1)
    refused, acted_on = text.split("They act in all", 1)
    return tuple(set(re.findall(r"`([a-z0-9_]+)`", part.split("The SDKs")[0])) for part in (refused, acted_on))


def here():
    """The environment, in which python3 and pip are those of this Python, with its packages."""
    return {**os.environ, "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}


def rows(language):
    """What the table says that this file runs in a language."""
    with open(os.path.join(ROOT, "testdata", "documents.json"), encoding="utf-8") as file:
        own = [row for row in json.load(file) if row["run_by"] == "sdk/python/tests/with_packages/test_examples.py"]
    return {row["page"]: row["blocks"] for row in own if row["language"] == language}


def pages(language):
    return sorted(rows(language))


def blocks(page, language):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        found = re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.M | re.S)
    wanted = rows(language)[page]
    assert len(found) == wanted, f"{page} has other blocks in {language} than the table says"
    return found
