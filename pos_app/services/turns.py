"""Who may touch which redemption now: a submit, a give-up and the outbox meet here, and nowhere else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Keys that somebody submits (in hand) and keys that somebody gives up. Safe to use from any thread.

    What is in hand is left alone by the outbox. What is given up is not sent again, and a submit that waits between
    two tries stops waiting.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_hand: set[str] = set()
        self._giving_up: Counter[str] = Counter()

    @property
    def has_cashier(self) -> bool:
        """Say whether anybody submits or gives up: the outbox then steps aside."""
        with self._changed:
            return bool(self._in_hand or self._giving_up)

    @contextmanager
    def in_hand(self, key: str) -> Iterator[None]:
        """Submit alone: a second click waits for the first to end and then sees what came of it."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._in_hand)
            self._in_hand.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._in_hand.discard(key)
                self._changed.notify_all()

    @contextmanager
    def giving_up(self, key: str) -> Iterator[None]:
        """Give up: from now on nobody sends this redemption again."""
        with self._changed:
            self._giving_up[key] += 1
        try:
            yield
        finally:
            with self._changed:
                self._giving_up[key] -= 1
                if not self._giving_up[key]:
                    del self._giving_up[key]
                self._changed.notify_all()

    def is_given_up(self, key: str) -> bool:
        """Say whether somebody is giving this redemption up."""
        with self._changed:
            return key in self._giving_up

    def wait_for_give_up(self, key: str) -> None:
        """Wait until nobody is giving it up any more; a give-up takes one request at most."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._giving_up)
