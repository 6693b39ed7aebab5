"""Faults stop: lines are mended, tills start, supervisors decide; then everything must drain (reliability 5.4)."""

from __future__ import annotations

from simulate import swarm
from simulate.acts import jobs
from simulate.invariants import check_drained, check_let_go
from simulate.till import SimTill
from simulate.world import World

from pos_app.domain.commands import CancelReason
from pos_app.domain.redemption import State
from pos_app.domain.trouble import SyncRefusedError
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.services.till import TillServices

ROUNDS = 12
_ROUND_S = 61.0
_QUICK_ROUNDS, _LATER_ROUND_S = 6, 1300.0
"""A clock that ran fast may have put the next try off by as much as two hours (`services.repeating.has_come`)."""


def heal(world: World) -> None:
    """Stop all faults and let everything come to rest."""
    world.note("--- all faults stop")
    _stop_faults(world)
    for number in range(ROUNDS):
        busy = [till for till in world.living() if till.wants_rounds]
        if not busy:
            break
        for till in busy:
            _find(world, till)
            _decide(world, till)
            _tell(world, till)
        world.check()
        world.time.advance(_ROUND_S if number < _QUICK_ROUNDS else _LATER_ROUND_S)
    check_drained(world)
    world.time.advance(world.settings.term_s + world.settings.settle_window_s + 3600)
    jobs(world, world.living()[0])
    world.check()
    check_let_go(world)


def _find(world: World, till: SimTill) -> None:
    """A till that was marked lost is there again; a frozen one is enrolled anew once it has told everything."""
    with world.central.at_work():
        known = world.central.book.find_till(till.login, in_any_state=True)
        if known is not None and known.state == "LOST":
            change_till(world.central.book.tools, till.login, TillAction.FOUND, who="manager")


def _stop_faults(world: World) -> None:
    world.swarm = swarm.NONE
    if world.central.is_down:
        world.central.restart()
        world.central.is_down = False
    world.network.deliver_late(everything=True)
    for till in world.living():
        till.line.is_cut = till.is_full = False
        till.line.weather = []
        till.dies_in = None
        till.wants_rounds = True
        till.clock.put_right()
        till.start()


def _tell(world: World, till: SimTill) -> None:
    """What the rounds of a till do to empty its outbox, each in its own time."""

    def work(services: TillServices) -> str:
        services.line.probe()
        services.service.ask(anew=True)
        services.redemptions.drain()
        services.settling.settle()
        till.hear_all()
        if services.enrolment.must_enrol_again:
            _enrol(world, services, till.login)
        services.heartbeats.beat()
        services.offers.offer()
        services.leases.tend()
        till.hear_all()
        till.wants_rounds = bool(services.offers.is_pending or services.redemptions.open_redemptions())
        return "still busy" if till.wants_rounds else "at rest"

    till.act("tells all", work)


def _enrol(world: World, services: TillServices, login: str) -> None:
    """Finish an enrolment that was cut short, or begin another one with a code of head office."""
    services.service.ask(anew=True)
    try:
        services.enrolment.enrol()
    except SyncRefusedError:
        with world.central.at_work():
            code = give_enrolment_code(world.central.book.tools, login, who="manager")
        services.enrolment.enrol(code)


def _decide(world: World, till: SimTill) -> None:
    """What waits for a person is decided: not sent by itself any more, or waiting for a customer who has left."""

    def work(services: TillServices) -> str:
        decided = 0
        for row in services.redemptions.open_redemptions():
            waits_for_her = row.state in {State.READY, State.UNKNOWN} and row.next_try_at is None
            if waits_for_her or row.state is State.PARKED:
                till.heard(services.redemptions.give_up(row.key, CancelReason.OTHER, till.heard))
                decided += 1
        return f"decided {decided}"

    till.act("supervisor", work)
