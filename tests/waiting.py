"""Waiting for something that another process does: ends as soon as it is done, fails after a deadline."""

import threading
import time
from collections.abc import Callable


def wait_for(condition: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Return once `condition()` is true; AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain"
        pause.wait(0.02)
