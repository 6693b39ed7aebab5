"""What tills do without a line, and what keeps them able to: leases, offline redemptions, settling, rounds."""

from __future__ import annotations

from typing import Any

from simulate.acts import Act, random_request, request_of, wait_at
from simulate.shop_lines import CUSTOMERS, FAMILY, MAIN, OTHER
from simulate.till import SimTill
from simulate.world import World

from pos_app.domain.leases import LeaseState, Owner, OwnerKind
from pos_app.domain.request import RedemptionRequest
from pos_app.ledger.care.till_care import TillAction, change_till, give_enrolment_code
from pos_app.services.results import LineState
from pos_app.services.till import TillServices


def ask_for_lease(world: World, till: SimTill) -> None:
    """The cashier looks a customer up, and the till asks for a lease of one of her wallets, or of her family's."""
    rng = world.rng
    customer_id, program_id = rng.choice(CUSTOMERS), rng.choice((MAIN, MAIN, OTHER))
    owner = Owner(OwnerKind.CUSTOMER, customer_id)
    if customer_id in CUSTOMERS[:2] and rng.random() < 0.3:
        owner = Owner(OwnerKind.FAMILY_GROUP, FAMILY)

    till.serve(
        f"asks for a lease of {owner.kind} {owner.owner_id}",
        lambda _services: till.ask_for_lease(customer_id, owner, program_id),
    )


def redeem_here(world: World, till: SimTill) -> None:
    """The line is down, or goes down now: the cashier redeems under a lease."""
    request = _of_what_is_held(world, till) or random_request(world)[1]
    comes_again = world.rng.random() < 0.5
    stays_cut = world.rng.random() < 0.15
    was_cut, till.line.is_cut = till.line.is_cut, True
    was_full = till.is_full
    if world.swarm.disk_full and world.rng.random() < 0.15:
        till.is_full = True
    if world.swarm.till_crash and world.rng.random() < 0.15:
        till.dies_in = world.rng.randrange(30)

    def work(services: TillServices) -> Any:
        if services.line.view.state is not LineState.OFFLINE:
            services.line.probe()
        spent = services.spending.redeem(request, customer_label="M.", bill_number=f"B-{world.rng.randrange(1000)}")
        if spent.row is None:
            return f"no: {spent.covered.reason}"
        till.heard(spent.row)
        if not comes_again:
            return spent.row
        again = services.spending.redeem(request, customer_label="M.")
        if again.row is not None:
            till.heard(again.row)
        return [spent.row, again.row]

    till.act("redeems here", work)
    till.is_full = was_full
    if not was_cut and not stays_cut:
        till.line.is_cut = False


def _of_what_is_held(world: World, till: SimTill) -> RedemptionRequest | None:
    """Mostly somebody comes whose points are set aside here."""
    held = [each for each in till.leases() if each.state is LeaseState.OPEN]
    if not held or world.rng.random() < 0.15:
        return None
    lease = world.rng.choice(held).lease
    return request_of(world, lease.customer_ids[0], lease.program_id, lease.owner.kind is OwnerKind.FAMILY_GROUP)


def settle(_world: World, till: SimTill) -> None:
    """What was made here is told."""
    till.act("settles", lambda services: _told(till, services.settling.settle(at_once=True)))


def rounds(_world: World, till: SimTill) -> None:
    """Everything a till does by itself, once."""

    def work(services: TillServices) -> str:
        services.line.probe()
        done = services.rounds.run_due()
        till.hear_all()
        return " ".join(done)

    till.act("does its rounds", work)


def sync(_world: World, till: SimTill) -> None:
    """Everything at once, as a person may ask for it."""

    def work(services: TillServices) -> str:
        services.line.probe()
        services.rounds.run_all()
        till.hear_all()
        met = services.rounds.troubles
        till.wants_rounds = bool(met or services.offers.is_pending or services.redemptions.open_redemptions())
        return " ".join(f"{name} {type(each).__name__}" for name, each in met.items()) or "all done"

    till.act("syncs", work)


def close_lease(world: World, till: SimTill) -> None:
    """A lease is given back."""
    customer_id, program_id = world.rng.choice(CUSTOMERS), world.rng.choice((MAIN, OTHER))
    owner = Owner(OwnerKind.CUSTOMER, customer_id)
    till.act("gives a lease back", lambda services: services.leases.close(owner, program_id))


def long_wait(world: World, _till: SimTill) -> None:
    """A long weekend: leases end, and mostly also the time the ledger waits for what was made under them."""
    has_to_tell = any(till.services is not None and till.open_rows() for till in world.living())
    wait_at(world, world.rng.choice((0.98, 1.02, 1.02) if has_to_tell else (0.12, 0.12, 1.02)) * world.lifetime_s)


# --- What befalls tills --------------------------------------------------------------------------------------------


def mark_lost(world: World, till: SimTill) -> None:
    """A supervisor marks a till lost, or found again."""
    if world.central.is_down:
        return
    action = world.rng.choice((TillAction.LOST, TillAction.FOUND))
    try:
        with world.central.at_work():
            state = change_till(world.central.book.tools, till.login, action, who="manager")
    except Exception as error:  # She is told why not.
        state = type(error).__name__
    world.count("tills marked lost")
    world.note(f"the manager says that {till.login} is {action.value}: {state}")


def enrol_again(world: World, till: SimTill) -> None:
    """Head office gives a code, and the till is enrolled again."""
    if world.central.is_down:
        return
    with world.central.at_work():
        code = give_enrolment_code(world.central.book.tools, till.login, who="manager")

    def work(services: TillServices) -> int:
        services.enrolment.enrol(code)
        world.count("enrolled again")
        return services.enrolment.till_epoch

    till.act("enrols again", work)


def _told(till: SimTill, rows: Any) -> Any:
    for row in rows:
        till.heard(row)
    return rows


FIRST_LEASES: tuple[tuple[tuple[int, Owner, int], ...], ...] = (
    (
        (CUSTOMERS[0], Owner(OwnerKind.CUSTOMER, CUSTOMERS[0]), MAIN),
        (CUSTOMERS[1], Owner(OwnerKind.CUSTOMER, CUSTOMERS[1]), OTHER),
    ),
    (
        (CUSTOMERS[2], Owner(OwnerKind.CUSTOMER, CUSTOMERS[2]), MAIN),
        (CUSTOMERS[1], Owner(OwnerKind.FAMILY_GROUP, FAMILY), MAIN),
    ),
    (
        (CUSTOMERS[2], Owner(OwnerKind.CUSTOMER, CUSTOMERS[2]), OTHER),
        (CUSTOMERS[3], Owner(OwnerKind.CUSTOMER, CUSTOMERS[3]), MAIN),
    ),
)
"""What each till holds when a schedule begins."""

LEASING: tuple[tuple[Act, float], ...] = (
    (ask_for_lease, 2.5),
    (redeem_here, 13.0),
    (settle, 2.0),
    (rounds, 0.8),
    (sync, 0.8),
    (close_lease, 0.6),
    (long_wait, 4.5),
)
LEASING_FAULTS: tuple[tuple[Act, str], ...] = ((mark_lost, "marked_lost"), (enrol_again, "enrolled_again"))
