"""One after the other, inside this process: copies of one request meet here before they meet the database.

This only keeps them from disturbing each other. What must be exclusive is exclusive in the database, which also
holds between processes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pos_app.ledger.errors import LedgerBusyError

_PLACES: Final = 64
_WAIT_S: Final = 5.0


class CustomerTurns:
    """A bounded number of locks; two customers may share one, which costs a short wait and nothing else."""

    def __init__(self) -> None:
        self._locks = tuple(threading.Lock() for _ in range(_PLACES))

    @contextmanager
    def take(self, customer_id: int) -> Iterator[None]:
        """Hold the customer's place.

        Raises:
            LedgerBusyError: it was not had in time.
        """
        lock = self._locks[customer_id % _PLACES]
        if not lock.acquire(timeout=_WAIT_S):
            raise LedgerBusyError
        try:
            yield
        finally:
            lock.release()
