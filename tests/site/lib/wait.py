"""Await a condition; never sleep for its own sake."""
import time

PATIENCE = 20.0


def until(cond, what="the condition", timeout=PATIENCE, every=0.01):
    """Calls cond until it is true and returns what it returned."""
    end = time.monotonic() + timeout
    while True:
        got = cond()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(every)
