"""What people do at the tills of a schedule, and what befalls them; each is one event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from simulate.shop_lines import CEILING, CODED, CUSTOMERS, FAMILY, MAIN, OTHER
from simulate.till import SimTill, by_mobile
from simulate.virtual import START
from simulate.world import World

from pos_app.domain.commands import CancelReason
from pos_app.domain.points import Points
from pos_app.domain.redemption import Redemption, State
from pos_app.domain.request import AskedPoints, CustomerRef, FamilyGroupRef, RedemptionRequest
from pos_app.services.results import Checked, Source
from pos_app.services.till import TillServices

Act = Callable[[World, SimTill], None]
_OFTEN_S = 1800.0
"""The ledger's own work is done every minute; after a longer wait it has surely been done."""

_WAITS_S = (1.0, 20.0, 300.0, 3600.0, 9 * 3600.0, 26 * 3600.0)


def random_request(world: World) -> tuple[int, RedemptionRequest]:
    """Somebody asks for some points."""
    rng = world.rng
    customer_id = rng.choice(CUSTOMERS)
    program_id = rng.choice((MAIN, OTHER) if world.swarm.race else (MAIN, MAIN, OTHER))
    is_family = customer_id in CUSTOMERS[:2] and rng.random() < 0.2
    return customer_id, request_of(world, customer_id, program_id, is_family)


def request_of(
    world: World, customer_id: int, program_id: int, is_family: bool, points: int | None = None
) -> RedemptionRequest:
    """This customer, or her family, asks for so many points, or for some."""
    points = points or world.rng.choice((10, 20, 30, 50, 80, 120) if program_id == MAIN else (3, 7, 20, 35, 60))
    return RedemptionRequest(
        customer=by_mobile(customer_id),
        amount=AskedPoints(Points.of(points)),
        program_id=program_id,
        family_group=FamilyGroupRef(group_id=FAMILY) if is_family else None,
    )


def look_up(world: World, till: SimTill) -> None:
    """The cashier looks a customer up."""
    ref = by_mobile(world.rng.choice(CUSTOMERS))
    till.serve("looks up", lambda services: _found(services, ref))


def check(world: World, till: SimTill) -> None:
    """The cashier checks and goes no further."""
    _, request = random_request(world)

    def work(services: TillServices) -> str:
        checked = services.validation.check(request)
        if checked.source is Source.LEDGER and checked.is_redeemable:
            till.checked = checked
        return _answer_of(checked)

    till.serve("checks", work)


def redeem(world: World, till: SimTill) -> None:
    """The cashier checks, starts and submits; with a code where one is wanted, sometimes a wrong one."""
    _, request = random_request(world)
    if world.central.serving and world.asked_for is not None:  # Two tills at one customer, at one moment.
        request = request_of(world, *world.asked_for, is_family=False, points=CEILING)
    wants_code = world.kind == CODED or world.rng.random() < 0.15
    mistypes = world.rng.random() < 0.2
    uses_old_check, keeps_check = world.rng.random() < 0.4, world.rng.random() < 0.5
    bill = f"B-{world.rng.randrange(1000)}"

    def work(services: TillServices) -> Any:
        checked = till.checked if uses_old_check else None
        if checked is None:
            checked = services.validation.check(replace(request, issue_otp=wants_code))
        if checked.source is not Source.LEDGER or not checked.is_redeemable:
            return f"not redeemable, said {checked.source}"
        till.checked = checked if keeps_check else None
        whose = int(checked.request.customer.value[-5:])
        code = world.central.code_of(whose) if wants_code else None
        code = "QQQQQQ" if code is not None and mistypes else code
        row = services.redemptions.start(
            replace(checked, request=replace(checked.request, issue_otp=False)),
            customer_id=whose,
            customer_label="M.",
            bill_number=bill,
        )
        till.pending.append(row.key)
        return submit(world, till, services, row.key, code)

    till.serve("redeems", work)


def redeem_unchecked(world: World, till: SimTill) -> None:
    """A redemption that nobody checked before, often of more than there is: the ledger judges it whole."""
    rng = world.rng
    customer_id, program_id = rng.choice(CUSTOMERS), rng.choice((MAIN, OTHER))
    points = rng.choice((30, 60)) if program_id == OTHER else rng.choice((30, 100, 150, 200))
    request = request_of(world, customer_id, program_id, is_family=False, points=points)
    comes_twice = rng.random() < 0.5

    def work(services: TillServices) -> Any:
        row = services.redemptions.begin(
            request,
            points=Points.of(points),
            program_id=program_id,
            customer_id=customer_id,
            customer_label="M.",
        )
        till.pending.append(row.key)
        if comes_twice and world.swarm.duplicate:
            till.line.weather = ["duplicate"]
        return submit(world, till, services, row.key, None)

    till.serve("redeems unchecked", work)


def go_on(world: World, till: SimTill) -> None:
    """The cashier takes up something that is not finished: once more, with a code, or cancel."""
    if not till.pending:
        return
    key = world.rng.choice(till.pending)
    gives_up = world.rng.random() < 0.5

    def work(services: TillServices) -> Any:
        row = _row(services, key)
        if row is None or row.state not in {State.READY, State.UNKNOWN, State.CANCELLING, State.PARKED}:
            till.pending.remove(key)
            return "is finished"
        if gives_up or row.state in {State.CANCELLING, State.PARKED}:
            return _give_up(till, services, key)
        code = None if row.customer_id is None else world.central.code_of(row.customer_id)
        return submit(world, till, services, key, code)

    till.serve("goes on", work)


def submit(world: World, till: SimTill, services: TillServices, key: str, code: str | None) -> Redemption:
    """Submit; while it waits between two tries the cashier may give it up. Some lines are at their worst just then."""
    leaves_at_once = False
    if world.swarm.weather and world.rng.random() < 0.45:
        fate = world.rng.choice(("drop_request", "drop_reply", "drop_reply", "delay", "duplicate", "duplicate"))
        till.line.weather = [fate] * world.rng.randrange(1, 6)
        leaves_at_once = world.rng.random() < 0.4
        if leaves_at_once:  # Everything is late but her cancel.
            till.line.weather = ["delay"] * 9
    may_give_up = world.rng.random() < 0.3

    def while_waiting() -> None:
        nonlocal may_give_up
        if may_give_up and not services.redemptions._road.locked():
            may_give_up = False
            world.count("given up while waiting")
            _give_up(till, services, key)

    till.while_waiting = while_waiting
    try:
        row = services.redemptions.submit(key, code, till.heard)
    finally:
        till.while_waiting = None
    till.heard(row)
    if row.state is State.UNKNOWN and leaves_at_once:
        till.line.weather = []
        return _give_up(till, services, key)
    return row


def guess(world: World, till: SimTill) -> None:
    """Somebody who does not have the customer's phone tries codes."""
    customer_id, request = random_request(world)
    tries = world.rng.choice((2, 5, 6, 7))

    def work(services: TillServices) -> Any:
        checked = services.validation.check(replace(request, issue_otp=True))
        if checked.source is not Source.LEDGER or not checked.is_redeemable:
            return "not redeemable"
        asked = replace(checked, request=replace(checked.request, issue_otp=False))
        row = services.redemptions.start(asked, customer_id=customer_id, customer_label="M.")
        till.pending.append(row.key)
        for number in range(tries):
            row = submit(world, till, services, row.key, f"QQQQQ{number}")
            if row.state is not State.READY:
                return row
        return submit(world, till, services, row.key, world.central.code_of(customer_id))

    till.serve("guesses", work)


def drain(_world: World, till: SimTill) -> None:
    """The outbox sends what is due."""

    def work(services: TillServices) -> Any:
        changed = services.redemptions.drain()
        for row in changed:
            till.heard(row)
        return changed

    till.act("drains", work)


def probe(_world: World, till: SimTill) -> None:
    """The line is probed."""
    till.act("probes", lambda services: services.line.probe().state.value)


def wait(world: World, _till: SimTill) -> None:
    """Nothing happens for a while, up to days."""
    wait_at(world, world.rng.random() * world.rng.choice(_WAITS_S))


def wait_at(world: World, seconds: float) -> None:
    """So many seconds pass."""
    world.time.advance(seconds)
    world.note(f"{seconds:.1f} s pass")
    if seconds > _OFTEN_S and not world.central.is_down:
        world.watch.passed_days()
        world.central.run_jobs()


def jobs(world: World, _till: SimTill) -> None:
    """The ledger's own work is due."""
    if not world.central.is_down:
        world.watch.passed_days()
        world.central.run_jobs(at_once=True)
        world.note("the ledger's jobs ran")


def earn(world: World, _till: SimTill) -> None:
    """A customer earns points, which may expire soon."""
    if world.central.is_down:
        return
    today = (START + timedelta(seconds=world.time.seconds)).date()
    refused = [slip for slip in world.slips.by_key.values() if slip.is_not_done and slip.customer_id]
    if refused and world.rng.random() < 0.7:  # A late copy of what was refused would have points now.
        slip = world.rng.choice(refused)
        customer_id, program_id, points, expires_on = slip.customer_id or 0, slip.program_id, 300, None
    else:
        customer_id, program_id = world.rng.choice(CUSTOMERS), world.rng.choice((MAIN, OTHER))
        points = world.rng.choice((10, 40, 100))
        expires_on = world.rng.choice((None, today, today + timedelta(days=1), today + timedelta(days=400)))
    world.central.earn(customer_id, program_id, points, expires_on)
    world.note(f"{customer_id} earns {points}")


def bad_weather(world: World, till: SimTill) -> None:
    """The line of a till stays bad in one way for its next parcels."""
    fate = world.rng.choice(("drop_request", "drop_reply", "delay", "duplicate", "garbage"))
    till.line.weather = [""] * world.rng.randrange(4) + [fate] * world.rng.randrange(1, 7)
    world.note(f"the line of {till.name} will {fate} {len(till.line.weather)} parcels")


# --- What befalls them -----------------------------------------------------------------------------------------------


def outage(world: World, till: SimTill) -> None:
    """The cable of a till, or of everybody, is pulled or plugged in again."""
    cut = not till.line.is_cut
    for each in world.tills if world.rng.random() < 0.4 else [till]:
        each.line.is_cut = cut
    world.count("outages")
    world.note(f"the line of {till.name} is {'cut' if cut else 'mended'}")


def crash_soon(world: World, till: SimTill) -> None:
    """The till's process will die at one of its next commits."""
    till.dies_in = world.rng.randrange(14)


def ledger_restart(world: World, _till: SimTill) -> None:
    """The ledger stops for a while, or comes back."""
    if world.central.is_down:
        world.central.restart()
        world.central.is_down = False
    elif world.rng.random() < 0.5:
        world.central.is_down = True
    else:
        world.central.restart()
    world.count("ledger restarts")
    world.note(f"the ledger {'stops' if world.central.is_down else 'starts again'}")


def ledger_restore(world: World, _till: SimTill) -> None:
    """Somebody makes a backup of the ledger; or it is lost, and brought back from one."""
    central = world.central
    if central.is_down:
        return
    if not central.copies or world.rng.random() < 0.25:
        central.copy()
        world.note("the ledger is backed up")
        return
    central.restore(world.rng.randrange(central.copies))
    world.network.forget()
    world.count("epoch changes")
    world.note("the ledger is restored from a backup")


def clock_jump(world: World, till: SimTill) -> None:
    """Somebody sets the till's clock wrong, or its battery is empty."""
    seconds = world.rng.choice((-1, 1)) * world.rng.choice((60, 3600, 86400, 40 * 86400, 11 * 365 * 86400))
    till.clock.jump(seconds)
    world.count("clock jumps")
    world.note(f"the clock of {till.name} jumps by {seconds} s")


def clock_rate(world: World, till: SimTill) -> None:
    """The till's clock runs fast or slow."""
    till.clock.set_rate(world.rng.choice((0.2, 0.5, 0.99, 1.01, 2.0, 5.0)))
    world.note(f"the clock of {till.name} runs at {till.clock.rate}")


def disk(world: World, till: SimTill) -> None:
    """The till's disk gets full, or room is made."""
    till.is_full = not till.is_full
    world.note(f"the disk of {till.name} is {'full' if till.is_full else 'free again'}")


def lose(world: World, till: SimTill) -> None:
    """A till is stolen or burns; nothing in it is ever seen again."""
    if len(world.living()) > 1:
        till.die()
        till.is_lost = True
        world.count("lost tills")
        world.note(f"{till.name} is lost")


def clone(world: World, till: SimTill) -> None:
    """Somebody copies a till's data directory; both machines go on."""
    if till.login in world.cloned or not till.folder.exists():
        return
    till.start()
    assert till.journal is not None
    world.shared_keys.update(row.key for row in till.journal.recent(1000))
    till.die()
    twin = till.clone(till.name + "'", till.folder.with_name(till.folder.name + "-clone"))
    world.tills.append(twin)
    world.cloned.add(till.login)
    world.count("clones")
    world.note(f"{till.name} is cloned")


# --- Small helpers ---------------------------------------------------------------------------------------------------


def _found(services: TillServices, ref: CustomerRef) -> str:
    found = services.lookup.find(ref)
    return "nobody" if found is None else found.source.value


def _answer_of(checked: Checked) -> str:
    return f"{checked.source} says {'yes' if checked.is_redeemable else ' '.join(checked.refusals)}"


def _row(services: TillServices, key: str) -> Redemption | None:
    try:
        return services.redemptions.get(key)
    except KeyError:
        return None


def _give_up(till: SimTill, services: TillServices, key: str) -> Redemption:
    row = services.redemptions.give_up(key, CancelReason.CUSTOMER_LEFT, till.heard)
    till.heard(row)
    return row


PEOPLE: tuple[tuple[Act, float], ...] = (
    (look_up, 0.5),
    (check, 0.7),
    (redeem, 6.0),
    (redeem_unchecked, 2.0),
    (go_on, 2.5),
    (drain, 2.5),
    (probe, 1.5),
    (wait, 3.0),
    (jobs, 1.0),
    (earn, 1.2),
)

MEANWHILE: tuple[tuple[Act, float], ...] = ((redeem, 6.0), (go_on, 1.0), (drain, 1.0))
"""What a till may do while the ledger is in the middle of an answer to another one."""

CODED_ONLY: tuple[tuple[Act, float], ...] = ((guess, 1.5),)

FAULTS: tuple[tuple[Act, str], ...] = (
    (bad_weather, "weather"),
    (outage, "outage"),
    (crash_soon, "till_crash"),
    (ledger_restart, "ledger_restart"),
    (ledger_restore, "ledger_restore"),
    (ledger_restore, "ledger_restore"),
    (clock_jump, "clock_jump"),
    (clock_rate, "clock_rate"),
    (disk, "disk_full"),
    (lose, "lost_till"),
    (clone, "clone"),
)
"""Each with the swarm's name of it; while switched on it comes about as often as anything people do."""
