"""What the calls of the ledger share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from pos_app.ledger.codes import Codes
from pos_app.ledger.databases.database import Store
from pos_app.ledger.errors import TillChangedError
from pos_app.ledger.feed.visits import Visits
from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.rulebook import OrganisationRules, Rulebook, Rules
from pos_app.ledger.staff.signing import Signer
from pos_app.ledger.tills import Till
from pos_app.services.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What calls share: database, clock, rules in memory, codes, the pepper of fingerprints, key, visits, settings."""

    store: Store
    clock: Clock
    rulebook: Rulebook
    codes: Codes
    pepper: bytes = field(repr=False)
    signer: Signer
    visits: Visits
    lease_settings: LeaseSettings

    def moment(self, connection: Connection, till: Till) -> Moment:
        """This transaction's moment: the time, the ledger's epoch, and the rules of the till's organisation.

        Raises:
            TillChangedError: the till is no longer what it was when it was let in.
        """
        rules = self.rulebook.at(connection)
        if not self.is_kept(rules, till):
            raise TillChangedError
        return self.now_by(rules, till)

    @staticmethod
    def is_kept(rules: Rules, till: Till) -> bool:
        """Say whether a till is by these rules what it was when it was let in."""
        kept = rules.tills.get(till.login)
        return kept is till or kept == till

    def now_by(self, rules: Rules, till: Till) -> Moment:
        """Now, by rules that are known to hold."""
        # Answers and rows carry milliseconds: what is finer would differ between a first answer and its repeat.
        now = self.clock.wall()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return Moment(now=now, epoch=rules.epoch, rules=rules.organisations[till.organisation_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a call is answered, and by which rules."""

    now: datetime
    epoch: int
    rules: OrganisationRules
