"""A disk that refuses the journal's commits, or makes them and then fails, as long as it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event, exc

from pos_app.files.database import DRIVER


class FailingDisk:
    """`refuses` is asked at each commit; while `fails_late` is set a commit is made and then reported as failed."""

    def __init__(self) -> None:
        self.refuses: Callable[[], bool] = lambda: False
        self.fails_late = False
        self.refused = 0
        self.failed_late = 0
        self._number = 0

    def at_commit(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if self.refuses():
            self.refused += 1
            raise exc.OperationalError("COMMIT", {}, DRIVER.OperationalError("database or disk is full"))
        number = _number_of(driver)
        if self.fails_late and number > self._number:  # A commit that takes another back has a lower number.
            self.failed_late += 1
            driver.execute("COMMIT")
            raise exc.OperationalError("COMMIT", {}, DRIVER.OperationalError("disk I/O error"))
        self._number = number


def _number_of(driver: Any) -> int:
    try:
        return int(driver.execute("SELECT commit_no FROM mark").fetchone()[0])
    except DRIVER.Error:  # Not a journal, or not one yet.
        return 0


@contextmanager
def a_failing_disk() -> Iterator[FailingDisk]:
    """Put such a disk under every database of this process that SQLAlchemy opens."""
    disk = FailingDisk()
    event.listen(Engine, "commit", disk.at_commit)
    try:
        yield disk
    finally:
        event.remove(Engine, "commit", disk.at_commit)
