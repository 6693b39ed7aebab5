"""The central ledger as everybody meets it: training and tests in process, tills through its HTTP face.

`Book` only opens the door: behind each method stands one function of a module of this room. What only the HTTP face
or an administrator needs goes to those modules directly, with the book's `tools`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from pos_app import __version__
from pos_app.domain.answers import (
    CancelAnswer,
    Capabilities,
    CheckAnswer,
    CodeAnswer,
    LedgerKey,
    RedeemAnswer,
    ReverseAnswer,
    TillInfo,
)
from pos_app.domain.commands import Cancel, Redeem, Reverse, SendCode
from pos_app.domain.facts import CustomerRecord, Organisation, Program
from pos_app.domain.feed import ChangesPage, CustomerRows, Heartbeat, HeartbeatAnswer, Scope, SnapshotPage
from pos_app.domain.leases import Freed, GiveBack, LeaseRequest, LeaseResult, Owner
from pos_app.domain.request import CustomerRef, RedemptionRequest
from pos_app.domain.settling import SettleAnswer, Spend
from pos_app.ledger import cancelling, checking, lookups, redeeming, reversing
from pos_app.ledger.care.seen import TillsSeen
from pos_app.ledger.care.verify import Difference, differences
from pos_app.ledger.codes import Codes
from pos_app.ledger.databases.database import Store
from pos_app.ledger.errors import LedgerBusyError, TillStateError
from pos_app.ledger.feed.door import Feed
from pos_app.ledger.feed.visits import Visits
from pos_app.ledger.figures import Figures
from pos_app.ledger.leases.beating import heartbeat
from pos_app.ledger.leases.closing import close_leases
from pos_app.ledger.leases.granting import lease
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.leases.settling import settle
from pos_app.ledger.rulebook import OrganisationRules, Rulebook, Rules
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.maker import SenderMaker
from pos_app.ledger.sending.senders import CodeSender
from pos_app.ledger.sending.settings import SenderSettings
from pos_app.ledger.sending.text import UnknownSenderError
from pos_app.ledger.staff.signing import Signer
from pos_app.ledger.tills import Till, proof_of
from pos_app.ledger.tools import Tools
from pos_app.services.ports import Clock
from pos_app.wire.extension import ExtensionAsk
from pos_app.wire.settling import ReceivedSpend

FEATURES: Final = frozenset({"post_reads", "cancel", "operators", "sync", "leases", "settle", "passes"})
"""What this ledger offers of sync-api 3; further features join with their calls."""

_NOBODY: Final = "0" * 64


class Book:
    """One ledger over one database. Safe to use from any thread; several processes may share the database.

    Answers always carry the extension; the HTTP face leaves it out where it was not asked for.
    """

    def __init__(
        self,
        store: Store,
        *,
        secrets: LedgerSecrets,
        clock: Clock,
        sender: CodeSender | str | None = None,
        sender_settings: SenderSettings | None = None,
        lease_settings: LeaseSettings | None = None,
        has_extension: bool = True,
    ) -> None:
        self.store: Final = store
        self.secrets: Final = secrets
        self.clock: Final = clock
        self.has_extension: Final = has_extension
        settings = sender_settings or SenderSettings()
        self._maker = SenderMaker(secrets, settings, clock)
        self._sender = self._maker.make(sender) if isinstance(sender, str) else sender
        self._senders: dict[str, CodeSender | None] = {}
        rulebook = Rulebook()
        codes = Codes(store, clock, secrets.pepper, self._sender_for, settings)
        self.tools: Final = Tools(
            store=store,
            clock=clock,
            rulebook=rulebook,
            codes=codes,
            pepper=secrets.pepper,
            signer=Signer.of(secrets),
            visits=Visits(store),
            lease_settings=lease_settings or LeaseSettings(),
        )
        self.seen: Final = TillsSeen(store, clock)
        self.feed: Final = Feed(self.tools)

    # --- Who calls ---------------------------------------------------------------------------------------------------

    def till(self, login: str, digest: str, *, in_any_state: bool = False) -> Till | None:
        """The till of a login, if the digest of its password is right (contract 1.2). None: not authenticated.

        A till that is disabled or lost may ask only what is answered `in_any_state`.

        The rules in memory may say yes: each question of this till makes sure, in its own transaction, that they still
        hold (`TillChangedError`). They may be too old to say no.

        Raises:
            TillStateError: it is disabled or marked lost; said to nobody but the one who has its password.
            LedgerBusyError: the database could not be read in time.
        """
        proof = proof_of(digest, self.secrets.pepper)
        newest = self.tools.rulebook.newest
        till = None if newest is None else self._proved(newest, login, proof)
        if till is None or (till.is_blocked and not in_any_state):
            with self.store.read() as connection:
                till = self._proved(self.rules(connection), login, proof)
        if till is not None and till.is_blocked and not in_any_state:
            raise TillStateError(f"till_{till.state.lower()}")
        return till

    def find_till(self, login: str, *, in_any_state: bool = False) -> Till | None:
        """The till of a login, without its password: for callers inside this process.

        None too while it is blocked, unless it is asked for `in_any_state`.
        """
        with self.store.read() as connection:
            till = self.rules(connection).tills.get(login)
        return None if till is None or (till.is_blocked and not in_any_state) else till

    def rules(self, connection: Connection) -> Rules:
        """Organisations, programs and tills as a transaction sees them."""
        return self.tools.rulebook.at(connection)

    @staticmethod
    def _proved(rules: Rules, login: str, proof: str) -> Till | None:
        till = rules.tills.get(login)
        # A login nobody has takes as long as a wrong password, so that logins cannot be told apart.
        is_right = hmac.compare_digest(_NOBODY if till is None else till.proof, proof)
        return till if is_right else None

    # --- Questions -------------------------------------------------------------------------------------------------

    def check(
        self, till: Till, request: RedemptionRequest, ask: ExtensionAsk | None = None, *, with_extension: bool = True
    ) -> CheckAnswer:
        """Answer `isredeemable` (contract 2). Moves nothing; may send a code, and counts a wrong one.

        It is asked so often that what the extension says is only put together where it will be told.

        Raises:
            LedgerBusyError: the database could not be read in time.
        """
        cashier = None if ask is None else ask.cashier
        if ask is not None and ask.give_back:
            request = replace(request, give_back=ask.give_back)
        return checking.check(self.tools, till, request, cashier, with_extension=with_extension)

    def send_code(self, till: Till, command: SendCode, ask: ExtensionAsk | None = None) -> CodeAnswer:
        """Answer `validationcode` (contract 3). `ask` names the cashier, who is not part of this command's record.

        Raises:
            LedgerBusyError: as `check`.
        """
        return checking.send_code(self.tools, till, command, None if ask is None else ask.cashier)

    def find_customers(self, till: Till, refs: Sequence[CustomerRef]) -> list[CustomerRecord | None]:
        """Answer `customer/get` (contract 5), one record for each identifier, in their order."""
        return lookups.find_customers(self.tools, till, refs)

    def program(self, till: Till, program_id: int) -> Program | None:
        """A program with its rules (sync-api 11); None where the organisation has none of this id."""
        return lookups.find_program(self.tools, till, program_id)

    def organisation(self, till: Till) -> Organisation:
        """The organisation's switches."""
        with self.store.read() as connection:
            return self.tools.moment(connection, till).rules.organisation

    def capabilities(self, till: Till) -> Capabilities:
        """What this ledger can do, and what it knows of the till that asks (sync-api 3)."""
        with self.store.read() as connection:
            moment = self.tools.moment(connection, till)
        if not self.has_extension:
            return Capabilities()
        self.seen.note(till.login)
        # A till mapped to no program asks by the default one (contract 2.3): that is the program in force for it.
        default = moment.rules.default_program
        default_id = None if default is None else default.program_id
        return Capabilities(
            service="pos-app-ledger",
            version=__version__,
            epoch=moment.epoch,
            server_time=moment.now,
            has_extension=True,
            idempotent_redeem=True,
            features=FEATURES,
            till=TillInfo(
                login=till.login,
                store=till.store,
                name=till.name,
                program_id=till.program_id if till.program_id is not None else default_id,
                currency=till.currency,
                currency_rate=till.currency_rate,
                state=till.state,
                till_epoch=till.till_epoch,
            ),
            ledger_keys=(LedgerKey(key_id=self.secrets.key_id, public_key=self.secrets.public_key),),
        )

    # --- The feed --------------------------------------------------------------------------------------------------

    def snapshot(self, till: Till, scope: Scope, page: str | None = None, limit: int = 1000) -> SnapshotPage:
        """One page of all rows this till keeps (sync-api 5).

        Raises:
            GoneError: `page_expired`, `epoch_changed` or `scope_changed`: it begins again.
            LedgerBusyError: the database could not be read in time.
        """
        return self.feed.snapshot(till, scope, page, limit)

    def changes(self, till: Till, cursor: str, limit: int = 500, scope: Scope | None = None) -> ChangesPage:
        """What changed after a cursor (sync-api 5); `scope` None: that of the cursor.

        Raises:
            GoneError: `cursor_too_old`, `epoch_changed` or `scope_changed`: it takes a new snapshot.
            LedgerBusyError: as `snapshot`.
        """
        return self.feed.changes(till, cursor, limit, scope)

    def customer_rows(self, till: Till, ref: CustomerRef) -> CustomerRows | None:
        """The rows of one customer, who comes into the store's scope (sync-api 5). None: nobody.

        Raises:
            LedgerBusyError: as `snapshot`.
        """
        return self.feed.customer_rows(till, ref)

    def regulars(self, till: Till) -> Sequence[tuple[Owner, int]]:
        """Owners with a program that this store sees often (sync-api 6).

        Raises:
            LedgerBusyError: as `snapshot`.
        """
        return self.feed.regulars(till)

    # --- Leases ----------------------------------------------------------------------------------------------------

    def lease(self, till: Till, till_epoch: int, requests: Sequence[LeaseRequest]) -> Sequence[LeaseResult]:
        """Set points aside for a till that loses its line (sync-api 6); answers in the order of the requests.

        Raises:
            ForbiddenError: `not_enrolled`, `stale_till_epoch`, `till_frozen`, `till_lost`, `till_disabled`.
            LedgerBusyError: the database was not had in time; the same call may come again.
        """
        return lease(self.tools, till, till_epoch, requests)

    def close_leases(self, till: Till, till_epoch: int, given_back: Sequence[GiveBack]) -> Sequence[Freed]:
        """Give leases back (sync-api 6). Raises: as `lease`, but a frozen till may."""
        return close_leases(self.tools, till, till_epoch, given_back)

    def settle(self, till: Till, till_epoch: int, spends: Sequence[Spend | ReceivedSpend]) -> SettleAnswer:
        """Charge what a till redeemed without a line (sync-api 7); taken from a till in any state.

        Raises:
            ForbiddenError: `not_enrolled`, or `stale_till_epoch`: no such enrolment is known here.
            ConflictError: `gap`, with `next_seq`.
            LedgerBusyError: as `lease`; what was settled before is kept.
        """
        return settle(self.tools, till, till_epoch, spends)

    def heartbeat(self, till: Till, beat: Heartbeat) -> HeartbeatAnswer:
        """Hear how a till is, in whatever state, and say what is wanted of it (sync-api 9).

        Raises:
            ForbiddenError: `stale_till_epoch`.
            LedgerBusyError: as `lease`.
        """
        answer = heartbeat(self.tools, till, beat)
        return replace(answer, has_changes=self.feed.has_changes(till))

    # --- Commands --------------------------------------------------------------------------------------------------

    def redeem(self, till: Till, command: Redeem, ask: ExtensionAsk | None = None) -> RedeemAnswer:
        """Redeem, once under the command's key (contract 4).

        Raises:
            LedgerBusyError: the database could not be read in time; nothing was done.
        """
        if ask is not None:
            cashier = ask.cashier if command.cashier is None else command.cashier
            command = replace(command, cashier=cashier, approval=command.approval or ask.approval)
            if ask.give_back:
                command = replace(command, request=replace(command.request, give_back=ask.give_back))
        return redeeming.redeem(self.tools, till, command)

    def cancel(self, till: Till, command: Cancel) -> CancelAnswer:
        """Make sure that a redemption does not stand (sync-api 8).

        Raises:
            UnknownKeyError: the key belongs to another till.
            LedgerBusyError: nothing was done.
        """
        return cancelling.cancel(self.tools, till, command)

    def reverse(self, till: Till, command: Reverse, ask: ExtensionAsk | None = None) -> ReverseAnswer:
        """Give points of a redemption back, once under the command's key (contract 7).

        Raises:
            LedgerBusyError: the database could not be read in time; nothing was done.
        """
        if ask is not None:
            own = {"key": command.key, "cashier": command.cashier, "approval": command.approval}
            said = {name: getattr(ask, name) for name, value in own.items() if value is None}
            command = replace(command, **said)
        return reversing.reverse(self.tools, till, command)

    # --- Care ------------------------------------------------------------------------------------------------------

    def verify(self) -> list[Difference]:
        """Recompute everything from the entries; an empty list is a sound ledger."""
        with self.store.read() as connection:
            return differences(connection)

    @property
    def figures(self) -> Figures:
        """What it counts of itself."""
        return self.store.figures

    def is_ready(self) -> bool:
        """Say whether the database answers (`readyz`)."""
        return self.store.is_answering()

    def close(self) -> None:
        """Close the database. Nothing may be asked afterwards."""
        with suppress(LedgerBusyError, DBAPIError):
            self.tools.visits.write_down()
        self.store.close()

    def _sender_for(self, rules: OrganisationRules) -> CodeSender | None:
        """Where an organisation's codes go: its own setting wins over the server's (import format)."""
        if rules.sender is None:
            return self._sender
        if rules.sender not in self._senders:
            try:
                self._senders[rules.sender] = self._maker.make(rules.sender)
            except (UnknownSenderError, OSError):
                self._senders[rules.sender] = None  # A sender that cannot be had is no fault of the import.
        return self._senders[rules.sender]
