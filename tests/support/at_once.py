"""Runs things at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def at_once(work: Sequence[Callable[[], Made]]) -> list[Made]:
    """Run everything at the same moment, each on a thread of its own; the outcomes in the order of `work`."""
    ready = threading.Barrier(len(work))

    def run(each: Callable[[], Made]) -> Made:
        ready.wait()
        return each()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(run, work))
