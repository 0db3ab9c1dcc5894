"""What a client remembers: the largest checkpoint that it has verified for each log, so that a log cannot take anything back
unseen; and what a server said about itself the first time, where no trust file is pinned.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from dataclasses import dataclass
from typing import Dict, Optional, Protocol, Tuple


@dataclass(frozen=True)
class TreeHead:
    """A verified tree head: how many entries, and the root hash over them."""

    size: int
    root: bytes


class Memory(Protocol):
    """Where the largest verified tree heads are kept, each under its log's key id, and trust files of a first use."""

    def largest(self, log: str) -> Optional[TreeHead]:
        """The largest one of a log, if there is one."""
        ...

    def keep(self, log: str, head: TreeHead) -> None:
        """Keeps a larger one; a smaller one is ignored."""
        ...

    def first_use(self, server: str) -> Optional[str]:
        """The trust file that a server showed the first time."""
        ...

    def keep_first_use(self, server: str, trust: str) -> str:
        """Keeps a trust file, unless one is kept already; answers the one that is kept then."""
        ...


class ProcessMemory:
    """Lasts as long as the process."""

    def __init__(self) -> None:
        self._heads: Dict[str, TreeHead] = {}
        self._first_use: Dict[str, str] = {}
        self._lock = threading.Lock()

    def largest(self, log: str) -> Optional[TreeHead]:
        """The largest one of a log, if there is one."""
        with self._lock:
            return self._heads.get(log)

    def keep(self, log: str, head: TreeHead) -> None:
        """Keeps a larger one; a smaller one is ignored."""
        with self._lock:
            known = self._heads.get(log)
            if known is None or head.size > known.size:
                self._heads[log] = head

    def first_use(self, server: str) -> Optional[str]:
        """The trust file that a server showed the first time."""
        with self._lock:
            return self._first_use.get(server)

    def keep_first_use(self, server: str, trust: str) -> str:
        """Keeps a trust file, unless one is kept already; answers the one that is kept then."""
        with self._lock:
            return self._first_use.setdefault(server, trust)


class FileMemory:
    """A JSON file `{"first_use": {server: trust file}, "heads": {log: {"root", "size"}}}`. A damaged one is a `ValueError`, for
    an empty memory would believe anything.

    The file is replaced whole, so a crash leaves the old one or the new one. Two processes that write in the same moment
    may leave the smaller of their two heads, which were both verified.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()

    def largest(self, log: str) -> Optional[TreeHead]:
        """The largest one of a log, if there is one."""
        with self._lock:
            return self._read()[0].get(log)

    def keep(self, log: str, head: TreeHead) -> None:
        """Keeps a larger one; a smaller one is ignored."""
        with self._lock:
            heads, first_use = self._read()
            known = heads.get(log)
            if known is None or head.size > known.size:
                self._write({**heads, log: head}, first_use)

    def first_use(self, server: str) -> Optional[str]:
        """The trust file that a server showed the first time."""
        with self._lock:
            return self._read()[1].get(server)

    def keep_first_use(self, server: str, trust: str) -> str:
        """Keeps a trust file, unless one is kept already; answers the one that is kept then."""
        with self._lock:
            heads, first_use = self._read()
            if server not in first_use:
                first_use[server] = trust
                self._write(heads, first_use)
            return first_use[server]

    def _read(self) -> Tuple[Dict[str, TreeHead], Dict[str, str]]:
        try:
            with open(self._path, "rb") as file:
                members = json.loads(file.read())
            heads = {log: TreeHead(int(one["size"]), bytes.fromhex(one["root"])) for log, one in members["heads"].items()}
            return heads, {server: str(trust) for server, trust in members["first_use"].items()}
        except FileNotFoundError:
            return {}, {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._path} is damaged ({error}): look at it before you delete it") from None

    def _write(self, heads: Dict[str, TreeHead], first_use: Dict[str, str]) -> None:
        members = {
            "first_use": dict(sorted(first_use.items())),
            "heads": {log: {"root": head.root.hex(), "size": head.size} for log, head in sorted(heads.items())},
        }
        folder = os.path.dirname(os.path.abspath(self._path))
        handle, temporary = tempfile.mkstemp(prefix=".countersign-", dir=folder)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(members, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            os.unlink(temporary)
            raise
