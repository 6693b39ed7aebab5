"""What the service at the till's address can do, and what it once could (sync-api 3)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from pos_app.domain.answers import Capabilities, LedgerKey
from pos_app.domain.trouble import StorageError, Trouble
from pos_app.services.line import Line
from pos_app.services.ports import Journal, Ledger

HAD_EXTENSION: Final = "service.extension"
"""The journal's note that the service at this address once had the extension."""
LEDGER_KEYS: Final = "service.keys"
"""The journal's note of the keys it signs with: leases are judged by them while the line is down."""

Told = Callable[[Capabilities], None]


class Service:
    """Asks what the service can do, and remembers it with its address. Safe to use from any thread.

    `has_idempotent_redeem` is the setting for a service without the extension, which cannot say so itself. `on_told`
    hears every answer.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        line: Line,
        *,
        address: str = "",
        has_idempotent_redeem: bool = False,
        on_told: Told | None = None,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._line = line
        self._address = address
        self._has_idempotent_redeem = has_idempotent_redeem
        self._on_told = on_told
        self._lock = threading.Lock()
        self._told: Capabilities | None = None

    @property
    def told(self) -> Capabilities | None:
        """What it said since the start; None while it said nothing. Asks nobody."""
        return self._told

    @property
    def had_extension(self) -> bool:
        """Say whether it has the extension, or had it whenever it was met before."""
        told = self._told
        return (told is not None and told.has_extension) or self._recall(HAD_EXTENSION) is not None

    @property
    def has_lost_extension(self) -> bool:
        """Say whether it once had the extension and has none now: a fault for a supervisor, never a step down."""
        told = self._told
        return told is not None and not told.has_extension and self._recall(HAD_EXTENSION) is not None

    @property
    def is_given(self) -> bool | None:
        """Say whether a key may be sent again; None while the service cannot be asked.

        A service that lost the extension is not trusted to repeat keys: something is wrong there.
        """
        told = self.ask()
        if told is None:
            return None
        if told.has_extension:
            return told.idempotent_redeem
        return self._has_idempotent_redeem and not self.has_lost_extension

    @property
    def can_sync(self) -> bool:
        """Say whether the extension may be used now: it was told since the start. Asks nobody."""
        return self._told is not None and self._told.has_extension

    def ask(self, *, anew: bool = False) -> Capabilities | None:
        """What the service can do, asked until it answers once, or `anew`; None while it cannot be asked. May be slow.

        Raises:
            StorageError: what it said for the first time could not be kept.
        """
        if self._told is not None and not anew:
            return self._told
        try:
            return self.find_out()
        except StorageError:
            raise
        except Trouble:
            return None

    def find_out(self) -> Capabilities:
        """What the service can do, asked now. Slow.

        Raises: Trouble, as `Ledger.capabilities`; StorageError as `ask`.
        """
        try:
            told = self._ledger.capabilities()
        except Trouble as trouble:
            self._line.met(trouble)
            raise
        self._line.met(None)
        self._keep(told)
        return told

    def heard(self, told: Capabilities) -> None:
        """Another call was answered with what the service can do: enrolment is. Raises: as `ask`."""
        self._keep(told)

    def remembered_keys(self) -> tuple[LedgerKey, ...]:
        """The ledger's keys as they were told last, at any start."""
        lines = (self._recall(LEDGER_KEYS) or "").splitlines()
        split = (line.split(" ", 1) for line in lines if " " in line)
        return tuple(LedgerKey(key_id=key_id, public_key=public_key) for key_id, public_key in split)

    def _keep(self, told: Capabilities) -> None:
        with self._lock:
            if told.has_extension:
                self._note(HAD_EXTENSION, "yes")
                self._note(LEDGER_KEYS, "\n".join(f"{key.key_id} {key.public_key}" for key in told.ledger_keys))
            self._told = told
        if self._on_told is not None:
            self._on_told(told)

    def _note(self, name: str, value: str) -> None:
        if value and self._recall(name) != value:
            self._journal.remember(f"{name} {self._address}", value)

    def _recall(self, name: str) -> str | None:
        return self._journal.recall(f"{name} {self._address}")


def had_extension(journal: Journal, address: str) -> bool:
    """Say whether the service at this address had the extension when it was met before, at any start."""
    return journal.recall(f"{HAD_EXTENSION} {address}") is not None


def kept_quietly(keep: Callable[[], None]) -> None:
    """Do what is good to have, and go on where the disk does not let us."""
    try:
        keep()
    except StorageError:
        return
