"""How much memory one method takes in a process that other methods ran in before it."""

from __future__ import annotations

import gc
import re
from pathlib import Path

_PROCESS = Path("/proc/self")


class Memory:
    """Measures from now on what the process takes beyond what it holds already.

    The highest use of a process never falls by itself, so without this a rule would be told to
    need what a model took before it. Linux alone lets it be set back (proc(5), `clear_refs`).
    """

    def __init__(self) -> None:
        gc.collect()
        try:
            (_PROCESS / "clear_refs").write_text("5")
            self._before_mb: float | None = _peak_mb()
        except OSError:  # another system, or a container that does not allow it
            self._before_mb = None

    def added_mb(self) -> float | None:
        """Return the most that was taken since, in MB; None where the system does not tell."""
        if self._before_mb is None:
            return None
        return round(max(0.0, _peak_mb() - self._before_mb), 1)


def _peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", (_PROCESS / "status").read_text())
    if found is None:
        raise OSError("no VmHWM")
    return int(found[1]) / 1024
