"""Time by two clocks at once (docs/doors.md, "Clocks"): the monotonic clock of a machine stands still while the machine
sleeps, and its wall clock can be set back. So a time is over as soon as one of the two says so.
"""

from __future__ import annotations

import threading
from typing import Callable


class BothClocks:
    """Seconds that go on, between two looks, by whichever clock went further, and never back."""

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._clocks = (wall, monotonic)
        self._last = (wall(), monotonic())
        self._gone = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            wall, monotonic = (clock() for clock in self._clocks)
            self._gone += max(0.0, wall - self._last[0], monotonic - self._last[1])
            self._last = (wall, monotonic)
            return self._gone
