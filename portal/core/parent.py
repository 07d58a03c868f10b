"""A child process that ends with its parent (Linux), so that a killed parent leaves nobody behind.

An orphan would go on holding the port that its parent's successor needs.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def death_signal(number: signal.Signals) -> Callable[[], None] | None:
    """Made in the parent, called in the child: from then on the kernel sends ``number`` to the child
    when the parent's thread that forked it ends. ``None`` where there is no such thing.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return ask
