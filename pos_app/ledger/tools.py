"""What the calls of the ledger share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from pos_app.ledger.codes import Codes
from pos_app.ledger.database import Store
from pos_app.ledger.errors import TillChangedError
from pos_app.ledger.rulebook import OrganisationRules, Rulebook
from pos_app.ledger.tills import Till
from pos_app.services.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The database, the clock, the rules in memory, the one-time codes; and the pepper fingerprints need."""

    store: Store
    clock: Clock
    rulebook: Rulebook
    codes: Codes
    pepper: bytes = field(repr=False)

    def moment(self, connection: Connection, till: Till) -> Moment:
        """This transaction's moment: the time, the ledger's epoch, and the rules of the till's organisation.

        Raises:
            TillChangedError: the till is no longer what it was when it was let in.
        """
        rules = self.rulebook.at(connection)
        kept = rules.tills.get(till.login)
        if kept is not till and kept != till:
            raise TillChangedError
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
