"""Makes this machine a till of a ledger, and makes it one again (sync-api 4.1).

The first key of a till needs its password alone. A till that is damaged, cloned, lost or replaced takes another key,
which needs a code of head office; what it spent under the old key must have been told before, unless the journal that
held it is damaged and was exported (reliability 4.8).
"""

from __future__ import annotations

from typing import Final

from pos_app.domain.answers import Capabilities
from pos_app.domain.commands import Enrol
from pos_app.domain.redemption import State
from pos_app.domain.trouble import SyncRefusedError, WrongAddressError
from pos_app.services.offline_port import TillJournal
from pos_app.services.secret_ports import TillKeyring
from pos_app.services.service import Service
from pos_app.services.sync_port import SyncLedger

CODE_NEEDED: Final = "enrolment_code_needed"
OUTBOX_NOT_EMPTY: Final = "outbox_not_empty"
STALE: Final = "stale_till_epoch"
"""Why this till itself refuses; the other reasons are the ledger's. STALE: the ledger was restored, and knows of fewer
enrolments than this till had: head office must give it another login, or a code once more."""


class EnrolmentService:
    """Enrols this till. `software` and `platform` are what the ledger is told of it."""

    def __init__(
        self,
        *,
        service: Service,
        sync: SyncLedger,
        journal: TillJournal,
        keys: TillKeyring,
        software: str,
        platform: str,
    ) -> None:
        self._service = service
        self._sync = sync
        self._journal = journal
        self._keys = keys
        self._software = software
        self._platform = platform
        self._refused: str | None = None

    @property
    def refused(self) -> str | None:
        """Why the ledger did not enrol a new till (`enrolment_code_needed`, ...); None: it did, or was not asked."""
        return self._refused

    @property
    def till_epoch(self) -> int:
        """The epoch this till works in; 0: it was never enrolled."""
        return self._journal.chain_head().till_epoch

    @property
    def must_enrol_again(self) -> bool:
        """Say whether nothing can be spent without a line until this till is enrolled again (reliability 4.8).

        The journal was damaged, or is not the one that belongs to the key; or the ledger knows of a later enrolment, or
        took this till out of service.
        """
        if self._journal.offline_blocked() is not None or self._keys.epoch > self.till_epoch:
            return True
        told = self._service.told
        till = None if told is None else told.till
        return till is not None and (till.state in _OUT_OF_SERVICE or till.till_epoch > self.till_epoch > 0)

    def enrol(self, code: str | None = None) -> Capabilities:
        """Tell the ledger this till's key; with a `code` another one. Returns what the ledger can do.

        The same again changes nothing. A service without the extension enrols nobody: there the login is all.

        Raises:
            SyncRefusedError: `enrolment_code_needed`, `enrolment_code_wrong`, `till_disabled`; `outbox_not_empty`:
                this till has redemptions that the ledger was not told of.
            StorageError: it cannot be kept; the same again goes on from there.
            Trouble: as `Ledger.capabilities` and `SyncLedger.enrol`; the same may be sent again.
        """
        told = self._service.find_out()
        if not told.has_extension and not self._service.has_lost_extension:
            return told
        public_key = self._key_for(code, 0 if told.till is None else told.till.till_epoch)
        command = Enrol(public_key=public_key, enrolment_code=code, software=self._software, platform=self._platform)
        told = self._sync.enrol(command)
        if told.till is None or told.till.till_epoch < 1:
            raise WrongAddressError("the service enrolled nobody")
        if told.till.till_epoch < self.till_epoch:
            raise SyncRefusedError(STALE)
        self._journal.begin_epoch(told.till.till_epoch)
        self._keys.adopt(public_key, told.till.till_epoch)
        self._service.heard(told)
        self._refused = None
        return told

    def enrol_new(self) -> None:
        """A till that never was enrolled enrols by itself when the line is there (sync-api 4.1, step 3).

        Where the ledger wants a code somebody has to type it: it is not asked again before the next start.

        Raises: Trouble, as `enrol`.
        """
        if self.till_epoch or self._refused is not None or not self._service.can_sync:
            return
        try:
            self.enrol()
        except SyncRefusedError as refused:
            self._refused = refused.reason

    def _key_for(self, code: str | None, ledgers_epoch: int) -> str:
        """The key to tell: another one where a code goes with it, once everything under the old one was told."""
        enrolled = max(self._keys.epoch, self.till_epoch)
        if enrolled == 0:
            return self._keys.public_key()
        is_damaged = self._journal.offline_blocked() is not None or self._keys.epoch > self.till_epoch
        if code is None:
            if is_damaged:  # The chain under this key is lost: going on with it would look like a cloned till.
                raise SyncRefusedError(CODE_NEEDED)
            # A later epoch there: the ledger took the next key, and this till stopped before it could write it down.
            return self._keys.next_public_key() if ledgers_epoch > enrolled else self._keys.public_key()
        if not is_damaged and any(row.state is not State.PARKED for row in self._journal.open_redemptions()):
            raise SyncRefusedError(OUTBOX_NOT_EMPTY)
        return self._keys.next_public_key()


_OUT_OF_SERVICE: Final = frozenset({"LOST", "FROZEN"})
