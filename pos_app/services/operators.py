"""People sign in at this till and approve for each other, with and without a line (sync-api 4.2, 4.3; reliability 4.7).

PINs belong to the ledger. While the line is up it is asked; who proved her PIN here can prove it again without a line,
by this till's own hash of it, five tries in a row. Where the service has no extension, operators belong to the till.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from pos_app.domain.answers import SignedIn
from pos_app.domain.commands import Approval, ApprovalPurpose, ApprovalReason, ChangePin, SignIn
from pos_app.domain.held import PIN_TRIES_MAX, KeptOperator
from pos_app.domain.roles import Act, may
from pos_app.domain.trouble import (
    LineDownError,
    NotSafeError,
    NotTheServiceError,
    ServiceTroubleError,
    SlowDownError,
    StorageError,
    SyncRefusedError,
    UnclearAnswerError,
)
from pos_app.services.line import Line
from pos_app.services.local_operators import LocalOperators
from pos_app.services.offline_port import TillJournal
from pos_app.services.ports import Clock
from pos_app.services.results import LineState
from pos_app.services.secret_ports import Pins
from pos_app.services.service import Service
from pos_app.services.sync_port import SyncLedger

NEEDS_LINE: Final = "line_needed"
"""Without a line only those sign in who proved their PIN here before, and have tries left."""
TOKEN_EXPIRED: Final = "token_expired"  # noqa: S105 - a word of the contract
ROLE_TOO_LOW: Final = "role_too_low"
SAME_PERSON: Final = "same_person"
NOTE_NEEDED: Final = "note_needed"

_UNKNOWN: Final = "operator_unknown"
_WRONG: Final = "pin_wrong"
_NO_LINE: Final = (
    LineDownError,
    NotTheServiceError,
    NotSafeError,
    UnclearAnswerError,
    ServiceTroubleError,
    SlowDownError,
)
"""The ledger could not be asked: this till's own hash decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who is signed in at this till. `is_proved_here`: without a line, or at a service that knows no operators."""

    operator_id: int
    name: str = field(repr=False)
    role: str
    is_proved_here: bool = False
    must_change_pin: bool = False

    def may(self, act: Act) -> bool:
        """Say whether she may do it (reliability 4.7)."""
        return may(self.role, act)


class OperatorService:
    """Signs people in and gives approvals. Safe to use from any thread; comparing PINs is slow on purpose."""

    def __init__(
        self,
        *,
        service: Service,
        sync: SyncLedger,
        journal: TillJournal,
        local: LocalOperators,
        line: Line,
        clock: Clock,
        pins: Pins,
    ) -> None:
        self._service = service
        self._sync = sync
        self._journal = journal
        self._local = local
        self._line = line
        self._clock = clock
        self._pins = pins
        self._current: Operator | None = None

    @property
    def current(self) -> Operator | None:
        """Who is signed in; None: nobody."""
        return self._current

    @property
    def cashier(self) -> int | None:
        """The number of who is signed in, as the ledger keeps it with what she does."""
        current = self._current
        return None if current is None or self.are_local else current.operator_id

    @property
    def are_local(self) -> bool:
        """Say whether operators belong to this till: its service has no extension and never had it. Asks nobody."""
        told = self._service.told
        if told is not None:
            return not told.has_extension and not self._service.had_extension
        return not self._service.had_extension and self._local.has_any

    # --- Signing in ------------------------------------------------------------------------------------------------

    def sign_in(self, operator_id: int, pin: str) -> Operator:
        """Sign an operator in; whoever was signed in no longer is.

        Raises:
            SyncRefusedError: `pin_wrong` (`tries_left`), `operator_locked` (`until`), `operator_unknown`, or
                `line_needed`: she cannot be signed in without a line.
            NotAcceptedError: the till's own login was not accepted.
            StorageError: the try could not be written down, so no PIN was compared.
        """
        operator, _ = self._prove(operator_id, pin)
        self._current = operator
        self._note("sign_in", operator, {"here": operator.is_proved_here})
        return operator

    def sign_out(self) -> None:
        """Nobody is signed in any more."""
        self._current = None

    def change_pin(self, operator_id: int, pin: str, new_pin: str) -> None:
        """Give an operator another PIN, which needs the line unless operators belong to this till.

        Raises:
            SyncRefusedError: as `sign_in`.
            Trouble: as `SyncLedger.change_pin`; the same again is harmless.
        """
        if self.are_local:
            self._local.change_pin(operator_id, pin, new_pin)
            return
        self._sync.change_pin(ChangePin(operator_id=operator_id, pin=pin, new_pin=new_pin))
        kept = self._journal.operator(operator_id)
        if kept is not None:
            self._journal.keep_operator(replace(kept, pin_hash=self._pins.hash(new_pin), tries_left=PIN_TRIES_MAX))
        current = self._current
        if current is not None and current.operator_id == operator_id:
            self._current = replace(current, must_change_pin=False)

    # --- Approvals -------------------------------------------------------------------------------------------------

    def approve(
        self, operator_id: int, pin: str, purpose: ApprovalPurpose, reason: ApprovalReason, note: str = ""
    ) -> Approval:
        """A second person's word for one task of whoever is signed in; it is good for that task only.

        Without a line the ledger's last word for her goes with it, at most 12 hours old.

        Raises:
            SyncRefusedError: as `sign_in`; `role_too_low`, `same_person`, `token_expired`, and `note_needed` where the
                reason is another one.
        """
        current = self._current
        if current is not None and current.operator_id == operator_id:
            raise SyncRefusedError(SAME_PERSON)
        if reason is ApprovalReason.OTHER and not note.strip():
            raise SyncRefusedError(NOTE_NEEDED)
        approver, token = self._prove(operator_id, pin)
        if not approver.may(Act.APPROVE):
            raise SyncRefusedError(ROLE_TOO_LOW)
        if not token and not self.are_local:
            raise SyncRefusedError(TOKEN_EXPIRED)
        self._note("approve", approver, {"purpose": purpose.value, "reason": reason.value})
        return Approval(token=token, purpose=purpose, reason=reason, note=note.strip())

    # --- Proving a PIN ---------------------------------------------------------------------------------------------

    def _prove(self, operator_id: int, pin: str) -> tuple[Operator, str]:
        """Who proved her PIN, and the ledger's word for it; empty where operators belong to this till."""
        self._service.ask()
        if self.are_local:
            found = self._local.prove(operator_id, pin)
            return Operator(operator_id=found.operator_id, name=found.name, role=found.role, is_proved_here=True), ""
        if self._line.view.state is LineState.OFFLINE:
            return self._prove_here(operator_id, pin)
        try:
            signed_in = self._sync.sign_in(SignIn(operator_id=operator_id, pin=pin))
        except _NO_LINE as trouble:
            self._line.met(trouble)
            return self._prove_here(operator_id, pin)
        except SyncRefusedError as refused:
            self._line.met(None)
            if refused.reason == _UNKNOWN:
                self._journal.forget_operator(operator_id)
            raise
        self._line.met(None)
        self._keep(signed_in, pin)
        return (
            Operator(
                operator_id=signed_in.operator_id,
                name=signed_in.name,
                role=signed_in.role,
                must_change_pin=signed_in.must_change_pin,
            ),
            signed_in.token,
        )

    def _keep(self, signed_in: SignedIn, pin: str) -> None:
        """Keep what lets her sign in without a line; a full disk keeps nobody from working now."""
        with suppress(StorageError):
            self._journal.keep_operator(
                KeptOperator(
                    operator_id=signed_in.operator_id,
                    name=signed_in.name,
                    role=signed_in.role,
                    pin_hash=self._pins.hash(pin),
                    token=signed_in.token,
                    proved_at=signed_in.proved_at,
                    not_after=signed_in.not_after,
                )
            )

    def _prove_here(self, operator_id: int, pin: str) -> tuple[Operator, str]:
        """Compare with this till's own hash; the try is counted before, so that no kill gives it back."""
        kept = self._journal.take_pin_try(operator_id)
        if kept is None or kept.pin_hash is None:
            raise SyncRefusedError(NEEDS_LINE)
        if not self._pins.is_right(kept.pin_hash, pin):
            raise SyncRefusedError(_WRONG, {"tries_left": kept.tries_left})
        self._journal.keep_operator(replace(kept, tries_left=PIN_TRIES_MAX))
        token = kept.token if kept.token is not None and self._clock.wall() <= kept.not_after else None
        operator = Operator(operator_id=kept.operator_id, name=kept.name, role=kept.role, is_proved_here=True)
        return operator, token or ""

    def _note(self, act: str, who: Operator, detail: dict[str, object]) -> None:
        """The audit has it; what cannot be written is no reason to keep people from working."""
        with suppress(StorageError):
            self._journal.note(act, who.operator_id, f"operator:{who.operator_id}", detail)
