"""Joins the services of one till that can work without a line: for live use, headless use, training and tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pos_app.domain.answers import Capabilities
from pos_app.domain.facts import CustomerRecord
from pos_app.domain.feed import OperatorTold, RiskLimits, Scope
from pos_app.domain.request import CustomerRef
from pos_app.services.allowances import Allowances
from pos_app.services.clock_trust import BootClock, ClockTrust
from pos_app.services.decisions import Decisions
from pos_app.services.duties import Work, duties
from pos_app.services.enrolment import EnrolmentService
from pos_app.services.feed_port import FeedCache
from pos_app.services.giving_back import GivingBack
from pos_app.services.heartbeats import Heartbeats
from pos_app.services.kept_rules import KeptRules, RulesText
from pos_app.services.leasing import LeaseKeeper
from pos_app.services.line import Line
from pos_app.services.local_operators import LocalOperators
from pos_app.services.lookup import LookupService
from pos_app.services.offers import Offers
from pos_app.services.offline_port import TillJournal
from pos_app.services.operators import OperatorService
from pos_app.services.paying import Payers
from pos_app.services.ports import Cache, Ledger, Waits
from pos_app.services.redemption import RedemptionService
from pos_app.services.repeating import Backoff
from pos_app.services.reports import DayReports
from pos_app.services.reversing import ReversalService
from pos_app.services.risking import Risking
from pos_app.services.rounds import Rounds
from pos_app.services.row_lookup import RowLookup
from pos_app.services.seals_port import Seals
from pos_app.services.searching import Search
from pos_app.services.secret_ports import Pins, TillKeyring
from pos_app.services.service import Service, kept_quietly
from pos_app.services.settling import Settling
from pos_app.services.spending import OfflineSpending
from pos_app.services.sync_port import SyncLedger
from pos_app.services.syncing import SyncService
from pos_app.services.till import CacheStatus, TillServices
from pos_app.services.validation import ValidationService
from pos_app.services.wishes import InTheWay, wishes_for, wishes_of_regulars


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What stands around one till. `random_bytes(n)` is the source of keys; `login` names the till at its ledger."""

    ledger: Ledger
    sync: SyncLedger
    journal: TillJournal
    cache: Cache
    clock: BootClock
    seals: Seals
    texts: RulesText
    """Writes rules as text and back: the module `cache.rules` does."""
    feed: FeedCache | None
    """The cache's half of the sync; None: this till takes no feed."""
    search: Search | None = None
    """Searches what the cache keeps."""
    keys: TillKeyring
    pins: Pins
    random_bytes: Callable[[int], bytes]
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Settings as the services take them.

    `address` is the service's; `limits` are what the organisation risks, as the feed told them last.
    """

    waits: Waits = field(default_factory=Waits)
    address: str = ""
    version: str = ""
    platform: str = ""
    key_prefix: str = ""
    has_idempotent_redeem: bool = False
    has_secrets_file: bool = False
    asks_per_lookup: bool = True
    is_risk_off: bool = False
    scope: Scope = Scope.STORE
    limits: Callable[[], RiskLimits] = RiskLimits
    cache_status: Callable[[], CacheStatus] = lambda: CacheStatus("ok")
    operators: Callable[[], Sequence[OperatorTold]] = tuple
    """The operators as the feed told them last."""


class Joined:
    """One till's services while they are joined: what several of them share."""

    def __init__(self, ports: Ports, choices: Choices) -> None:
        self.ports = ports
        self.choices = choices
        self.line = Line(ports.ledger, ports.clock)
        self.trust = ClockTrust(ports.clock, ports.journal)
        self.backoff = Backoff(ports.clock, choices.waits, ports.random_bytes)
        self.rules = KeptRules(ports.journal, ports.cache, ports.texts)
        self.allowances = Allowances(ports.journal, self.trust, ports.seals, login=ports.login)
        self.service = Service(
            ports.ledger,
            ports.journal,
            self.line,
            address=choices.address,
            has_idempotent_redeem=choices.has_idempotent_redeem,
            on_told=self._learn,
        )
        self.leases = LeaseKeeper(
            ledger=ports.sync,
            journal=ports.journal,
            rules=self.rules,
            trust=self.trust,
            line=self.line,
            seals=ports.seals,
            backoff=self.backoff,
            random_bytes=ports.random_bytes,
            login=ports.login,
        )

    def settling(self) -> Settling:
        """Tells the ledger what was redeemed without it."""
        return Settling(
            ledger=self.ports.sync,
            journal=self.ports.journal,
            cache=self.ports.cache,
            clock=self.ports.clock,
            trust=self.trust,
            line=self.line,
            backoff=self.backoff,
        )

    def offers(self, settling: Settling) -> Offers:
        """Offers a restored ledger what it may have lost."""
        return Offers(
            ledger=self.ports.ledger,
            journal=self.ports.journal,
            cache=self.ports.cache,
            clock=self.ports.clock,
            seals=self.ports.seals,
            settling=settling,
            leases=self.leases,
        )

    def heartbeats(self, offers: Offers) -> Heartbeats:
        """Tells the ledger how this till is."""
        return Heartbeats(
            ledger=self.ports.sync,
            journal=self.ports.journal,
            clock=self.ports.clock,
            trust=self.trust,
            line=self.line,
            seals=self.ports.seals,
            rules=self.rules,
            leases=self.leases,
            offers=offers,
            version=self.choices.version,
        )

    def spending(self) -> OfflineSpending:
        """Redeems without a line."""
        return OfflineSpending(
            journal=self.ports.journal,
            payers=Payers(self.ports.journal, self.ports.cache, self.rules),
            allowances=self.allowances,
            risking=Risking(self.ports.journal, self.choices.limits, is_off=self.choices.is_risk_off),
            seals=self.ports.seals,
            clock=self.ports.clock,
            random_bytes=self.ports.random_bytes,
            login=self.ports.login,
            key_prefix=self.choices.key_prefix,
        )

    def redemptions(self, in_the_way: InTheWay, on_moved: Callable[[], None]) -> RedemptionService:
        """Redeems at the ledger."""
        return RedemptionService(
            ledger=self.ports.ledger,
            journal=self.ports.journal,
            cache=self.ports.cache,
            line=self.line,
            clock=self.ports.clock,
            random_bytes=self.ports.random_bytes,
            waits=self.choices.waits,
            key_prefix=self.choices.key_prefix,
            service=self.service,
            gives_back=GivingBack(self.ports.journal, in_the_way, self.leases),
            on_met=self.trust.met,
            on_moved=on_moved,
        )

    def ask_for_lease(self, record: CustomerRecord, named: CustomerRef) -> None:
        """After an online lookup: a lease in the background, where this till may have any (4.3)."""
        is_enrolled = self.ports.journal.chain_head().till_epoch > 0
        if self.choices.asks_per_lookup and self.service.can_sync and is_enrolled:
            self.leases.want(wishes_for(record, named))

    def ask_for_regulars(self) -> None:
        """At the start of a shift: leases of the wallets this store sees often. Raises: Trouble."""
        self.leases.want(wishes_of_regulars(self.ports.sync.regulars(), self.ports.cache))

    def _learn(self, told: Capabilities) -> None:
        """What the service says of itself: the keys it signs with, and its time."""
        if not told.has_extension:
            return
        self.ports.seals.learn(told.ledger_keys)
        server_time = told.server_time
        if server_time is not None:
            kept_quietly(lambda: self.trust.met(server_time))


def join(ports: Ports, choices: Choices) -> TillServices:
    """All services of one till. Reads the ledger's keys from the journal; asks nobody."""
    joined = Joined(ports, choices)
    ports.seals.learn(joined.service.remembered_keys())
    in_the_way = InTheWay(ports.journal, ports.cache)
    settling, spending = joined.settling(), joined.spending()
    offers = joined.offers(settling)
    heartbeats = joined.heartbeats(offers)

    def ask_for_changes() -> None:
        if sync is not None:
            sync.nudge()

    redemptions = joined.redemptions(in_the_way, ask_for_changes)
    reversals = ReversalService(ports.journal, redemptions, ports.clock)
    local = LocalOperators(ports.journal, ports.clock, ports.pins)
    sync, rows = None, None
    if ports.feed is not None:
        rows = RowLookup(ports.sync, ports.feed, lambda: joined.service.can_sync)
        sync = SyncService(ports.sync, ports.feed, joined.line, ports.clock, scope=choices.scope, on_epoch=offers.seen)
    work = Work(
        line=joined.line,
        service=joined.service,
        trust=joined.trust,
        redemptions=redemptions,
        settling=settling,
        heartbeats=heartbeats,
        offers=offers,
        leases=joined.leases,
        sync=sync,
    )
    return TillServices(
        clock=ports.clock,
        line=joined.line,
        lookup=LookupService(
            ports.ledger, ports.cache, joined.line, ports.clock, on_found=joined.ask_for_lease, rows=rows
        ),
        validation=ValidationService(
            ports.ledger, ports.cache, joined.line, ports.clock, in_the_way=in_the_way, spending=spending
        ),
        redemptions=redemptions,
        has_secrets_file=choices.has_secrets_file,
        journal=ports.journal,
        service=joined.service,
        trust=joined.trust,
        enrolment=EnrolmentService(
            service=joined.service,
            sync=ports.sync,
            journal=ports.journal,
            keys=ports.keys,
            software=choices.version,
            platform=choices.platform,
        ),
        operators=OperatorService(
            service=joined.service,
            sync=ports.sync,
            journal=ports.journal,
            local=local,
            line=joined.line,
            clock=ports.clock,
            pins=ports.pins,
        ),
        local_operators=local,
        allowances=joined.allowances,
        leases=joined.leases,
        spending=spending,
        settling=settling,
        offers=offers,
        heartbeats=heartbeats,
        ask_for_regulars=joined.ask_for_regulars,
        reversals=reversals,
        decisions=Decisions(journal=ports.journal, redemptions=redemptions, reversals=reversals, clock=ports.clock),
        reports=DayReports(ports.journal, ports.clock),
        rounds=Rounds(ports.clock, joined.line, duties(work)),
        sync=sync,
        search=ports.search,
        cache_status=choices.cache_status,
        colleagues=lambda: _colleagues(local, choices.operators(), joined.service.told),
    )


def _colleagues(
    local: LocalOperators, told: Sequence[OperatorTold], service: Capabilities | None
) -> Sequence[OperatorTold]:
    """Who may sign in here: operators of the till where it has any, else those of the feed that serve its store."""
    made_here = [
        OperatorTold(operator_id=each.operator_id, name=each.name, role=each.role)
        for each in local.everybody()
        if each.is_active
    ]
    store = service.till.store if service is not None and service.till is not None else ""
    return made_here or [
        each for each in told if each.is_active and (not each.stores or not store or store in each.stores)
    ]
