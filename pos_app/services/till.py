"""What the window is given: the services of one till, and the few plain values it shows or waits by.

The services are named here, not loaded: the window is painted from a `TillView` before anything slow is read from disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pos_app.domain.feed import OperatorTold
    from pos_app.services.allowances import Allowances
    from pos_app.services.clock_trust import ClockTrust
    from pos_app.services.decisions import Decisions
    from pos_app.services.enrolment import EnrolmentService
    from pos_app.services.heartbeats import Heartbeats
    from pos_app.services.kept_rules import KeptRules
    from pos_app.services.leasing import LeaseKeeper
    from pos_app.services.line import Line
    from pos_app.services.local_operators import LocalOperators
    from pos_app.services.lookup import LookupService
    from pos_app.services.offers import Offers
    from pos_app.services.offline_port import TillJournal
    from pos_app.services.operators import OperatorService
    from pos_app.services.ports import Clock
    from pos_app.services.redemption import RedemptionService
    from pos_app.services.reports import DayReports
    from pos_app.services.reversing import ReversalService
    from pos_app.services.rounds import Rounds
    from pos_app.services.searching import Search
    from pos_app.services.service import Service
    from pos_app.services.settling import Settling
    from pos_app.services.spending import OfflineSpending
    from pos_app.services.syncing import SyncService
    from pos_app.services.validation import ValidationService

_LEFT_OUT: Final[Any] = None
"""`services.joining` wires all of a till; a test of the window alone leaves out what it does not touch."""


@dataclass(frozen=True, slots=True)
class CacheStatus:
    """How the cache is (a word of `feed_port.CacheState`), and where it stands in the feed; None: nowhere."""

    state: str
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TillServices:
    """One till's services, wired by bootstrap for live use or for training."""

    clock: Clock
    line: Line
    lookup: LookupService
    validation: ValidationService
    redemptions: RedemptionService
    has_secrets_file: bool = False
    """No keyring here: the secrets lie in a file only its owner can read; the window says so (house 9)."""
    journal: TillJournal = _LEFT_OUT
    service: Service = _LEFT_OUT
    trust: ClockTrust = _LEFT_OUT
    enrolment: EnrolmentService = _LEFT_OUT
    operators: OperatorService = _LEFT_OUT
    local_operators: LocalOperators = _LEFT_OUT
    allowances: Allowances = _LEFT_OUT
    leases: LeaseKeeper = _LEFT_OUT
    spending: OfflineSpending = _LEFT_OUT
    settling: Settling = _LEFT_OUT
    offers: Offers = _LEFT_OUT
    heartbeats: Heartbeats = _LEFT_OUT
    rules: KeptRules = _LEFT_OUT
    ask_for_regulars: Callable[[], None] = _LEFT_OUT
    """Asks the ledger for its regulars and wants a lease of each, at the start of a shift. Raises: Trouble."""
    reversals: ReversalService = _LEFT_OUT
    decisions: Decisions = _LEFT_OUT
    reports: DayReports = _LEFT_OUT
    rounds: Rounds = _LEFT_OUT
    """What the till does by itself; whoever has a thread to spare walks them (`rounds.Roundsman`)."""
    sync: SyncService | None = None
    """Takes the feed into the cache; None: this till takes none."""
    search: Search | None = None
    """Searches among the customers that are kept here; None: nobody is."""
    cache_status: Callable[[], CacheStatus] = _LEFT_OUT
    colleagues: Callable[[], Sequence[OperatorTold]] = _LEFT_OUT
    """Who may sign in here, as far as this till knows: names and roles, never PINs (sync-api 4.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TillView:
    """What the window shows of the till itself, and the settings its forms follow (ux B.4, B.5).

    `bill` is off, optional or required. `code_validity_s` is the till's own guess, used when neither the ledger's
    answer nor the organisation tells. `is_training` only draws the marks: training is other wiring.
    """

    store: str = ""
    till: str = ""
    operator: str = ""
    operator_role: str = ""
    is_training: bool = False
    bill: str = "optional"
    ask_before_code: bool = False
    resend_waits_s: tuple[int, ...] = (30, 60, 120)
    code_validity_s: int = 600
    whole_values_only: bool = False
    theme: str = "light"
    base_px: int = 16
    probe_s: float = 4.0
    drain_s: float = 2.0
    status_s: float = 1.0
