"""The largest checkpoint that a client has verified for each log, so that a log cannot take anything back unseen."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from dataclasses import dataclass
from typing import Dict, Optional, Protocol


@dataclass(frozen=True)
class TreeHead:
    """A verified tree head: how many entries, and the root hash over them."""

    size: int
    root: bytes


class Memory(Protocol):
    """Where the largest verified tree heads are kept, each under its log's key id."""

    def largest(self, log: str) -> Optional[TreeHead]:
        """The largest one of a log, if there is one."""
        ...

    def keep(self, log: str, head: TreeHead) -> None:
        """Keeps a larger one; a smaller one is ignored."""
        ...


class ProcessMemory:
    """Lasts as long as the process."""

    def __init__(self) -> None:
        self._heads: Dict[str, TreeHead] = {}
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


class FileMemory:
    """A JSON file `{log: {"root", "size"}}`. A damaged one is an error, for an empty memory would believe anything.

    The file is replaced whole, so a crash leaves the old one or the new one. Two processes that write in the same moment
    may leave the smaller of their two heads, which were both verified.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()

    def largest(self, log: str) -> Optional[TreeHead]:
        """The largest one of a log, if there is one."""
        with self._lock:
            return self._read().get(log)

    def keep(self, log: str, head: TreeHead) -> None:
        """Keeps a larger one; a smaller one is ignored."""
        with self._lock:
            heads = self._read()
            known = heads.get(log)
            if known is None or head.size > known.size:
                self._write({**heads, log: head})

    def _read(self) -> Dict[str, TreeHead]:
        try:
            with open(self._path, "rb") as file:
                members = json.loads(file.read())
            return {log: TreeHead(int(head["size"]), bytes.fromhex(head["root"])) for log, head in members.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._path} is damaged ({error}): look at it before you delete it") from None

    def _write(self, heads: Dict[str, TreeHead]) -> None:
        members = {log: {"root": head.root.hex(), "size": head.size} for log, head in sorted(heads.items())}
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
