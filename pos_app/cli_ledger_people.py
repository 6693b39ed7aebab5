"""The commands about a ledger's tills, operators and customers: `pos-app ledger till|operator|customer` (house 5)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pos_app.cli_ledger import database_options, ledger
from pos_app.domain.request import CustomerRef, IdentifierKind

__all__ = ["ledger"]

TROUBLE = 2


def _run(place: Any, db: str | None, secrets_folder: Path | None, command: Callable[..., int], **given: Any) -> None:
    """Run a command of `ledger.people_commands` and end with its exit code."""
    from pos_app.bootstrap import central_ledger

    sys.exit(command(central_ledger(place, db, secrets_folder), click.echo, **given))


organisation_option = click.option(
    "--organisation", type=int, help="Number of the organisation; not needed where there is one only."
)


# --- Tills ---------------------------------------------------------------------------------------------------------


@ledger.group("till")
def ledger_till() -> None:
    """The ledger's tills."""


@ledger_till.command("add")
@database_options
@click.option("--organisation", type=int, required=True, help="Number of the organisation.")
@click.option("--store", required=True, help="Code of the store.")
@click.option("--login", required=True, help="Login of the new till; one of its kind in the whole ledger.")
@click.option("--name", default="", help="Name people read.")
@click.option("--program-id", type=int, help="The till's own program.")
@click.option(
    "--provision",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write address, login and password to this new file instead of showing the password.",
)
@click.option("--address", help="The ledger's address as the till will use it; goes with --provision.")
@click.pass_obj
def add_till(place: Any, /, db: str | None, secrets_folder: Path | None, **till: Any) -> None:
    """Add a till with a random password, printed once or written to a provisioning file."""
    from pos_app.ledger.care.people_commands import add_ledger_till

    _run(place, db, secrets_folder, add_ledger_till, **till)


@ledger_till.command("list")
@database_options
@organisation_option
@click.pass_obj
def list_tills(place: Any, db: str | None, secrets_folder: Path | None, organisation: int | None) -> None:
    """List the tills, their states, and when each was last heard of."""
    from pos_app.ledger.care.people_commands import list_ledger_tills

    _run(place, db, secrets_folder, list_ledger_tills, organisation=organisation)


def _till_command(action: str, meaning: str) -> None:
    @ledger_till.command(action, help=meaning)
    @click.argument("login")
    @database_options
    @click.pass_obj
    def change(place: Any, login: str, db: str | None, secrets_folder: Path | None) -> None:
        from pos_app.ledger.care.people_commands import change_ledger_till

        _run(place, db, secrets_folder, change_ledger_till, login=login, action=action)


_till_command("disable", "Take a till out of service: its password opens nothing any more.")
_till_command("enable", "Put a disabled till back into the state it was disabled in.")
_till_command("lost", "Mark a till as lost: no service, no leases; it comes back by enrolling again with a code.")
_till_command("found", "Take the mark of a lost till away, when it was never out of sight.")


@ledger_till.command("rotate")
@click.argument("login")
@database_options
@click.pass_obj
def rotate_till(place: Any, login: str, db: str | None, secrets_folder: Path | None) -> None:
    """Give a till another random password, printed once."""
    from pos_app.ledger.care.people_commands import rotate_ledger_till

    _run(place, db, secrets_folder, rotate_ledger_till, login=login)


@ledger_till.command("enrolment-code")
@click.argument("login")
@database_options
@click.pass_obj
def enrolment_code(place: Any, login: str, db: str | None, secrets_folder: Path | None) -> None:
    """Make a code with which a damaged, lost or replaced till may enrol again; printed once, good for 72 hours."""
    from pos_app.ledger.care.people_commands import make_enrolment_code

    _run(place, db, secrets_folder, make_enrolment_code, login=login)


# --- Operators -----------------------------------------------------------------------------------------------------


@ledger.group("operator")
def ledger_operator() -> None:
    """The people who sign in at tills."""


def _pin_options(command: Any) -> Any:
    command = click.option(
        "--pin-file", type=click.Path(dir_okay=False, path_type=Path), help="File whose first line is the PIN."
    )(command)
    return click.option("--ask-pin", is_flag=True, help="Ask for the PIN, without showing it.")(command)


def _pin_from(ask_pin: bool, pin_file: Path | None) -> str | None:
    """The PIN that was given; None: a random one is wanted. It is never an argument, which others could read."""
    if pin_file is not None:
        try:
            lines = pin_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            click.echo(f"--pin-file: {pin_file} cannot be read as text.")
            sys.exit(TROUBLE)
        return lines[0].strip() if lines else ""
    if ask_pin:
        pin: str = click.prompt("PIN (4 to 6 digits)", hide_input=True, confirmation_prompt=True)
        return pin
    return None


@ledger_operator.command("add")
@database_options
@organisation_option
@click.option("--name", required=True, help="Name people read.")
@click.option(
    "--role",
    required=True,
    type=click.Choice(["cashier", "supervisor", "manager", "auditor", "trainer"]),
    help="What the operator may do.",
)
@click.option("--id", "number", type=int, help="The operator's number; the next free one when missing.")
@click.option("--store", "stores", multiple=True, help="Code of a store; may be repeated. None: all stores.")
@click.option("--badge", help="Text of the operator's badge.")
@_pin_options
@click.pass_obj
def add_operator(
    place: Any,
    /,
    db: str | None,
    secrets_folder: Path | None,
    organisation: int | None,
    number: int | None,
    stores: tuple[str, ...],
    ask_pin: bool,
    pin_file: Path | None,
    **operator: Any,
) -> None:
    """Add an operator. Without a PIN a random first one is printed once; it must be changed."""
    from pos_app.ledger.care.operator_care import NewOperator
    from pos_app.ledger.care.people_commands import add_ledger_operator

    new = NewOperator(operator_id=number, stores=stores, **operator)
    pin = _pin_from(ask_pin, pin_file)
    _run(place, db, secrets_folder, add_ledger_operator, organisation=organisation, operator=new, pin=pin)


@ledger_operator.command("list")
@database_options
@organisation_option
@click.pass_obj
def list_operators(place: Any, db: str | None, secrets_folder: Path | None, organisation: int | None) -> None:
    """List the operators and whether each can sign in."""
    from pos_app.ledger.care.people_commands import list_ledger_operators

    _run(place, db, secrets_folder, list_ledger_operators, organisation=organisation)


def _operator_command(name: str, meaning: str, *, active: bool) -> None:
    @ledger_operator.command(name, help=meaning)
    @click.argument("number", type=int)
    @database_options
    @organisation_option
    @click.pass_obj
    def change(place: Any, number: int, db: str | None, secrets_folder: Path | None, organisation: int | None) -> None:
        from pos_app.ledger.care.people_commands import activate_ledger_operator

        given = {"organisation": organisation, "number": number, "active": active}
        _run(place, db, secrets_folder, activate_ledger_operator, **given)


_operator_command("disable", "Let an operator sign in and approve no more.", active=False)
_operator_command("enable", "Let an operator sign in again.", active=True)


@ledger_operator.command("pin")
@click.argument("number", type=int)
@database_options
@organisation_option
@_pin_options
@click.pass_obj
def operator_pin(
    place: Any,
    number: int,
    db: str | None,
    secrets_folder: Path | None,
    organisation: int | None,
    ask_pin: bool,
    pin_file: Path | None,
) -> None:
    """Give an operator another PIN, which also ends a lock. Without one a random PIN is printed once."""
    from pos_app.ledger.care.people_commands import give_ledger_pin

    pin = _pin_from(ask_pin, pin_file)
    _run(place, db, secrets_folder, give_ledger_pin, organisation=organisation, number=number, pin=pin)


# --- Customers -----------------------------------------------------------------------------------------------------


@ledger.group("customer")
def ledger_customer() -> None:
    """The ledger's customers."""


def _customer_options(command: Any) -> Any:
    for kind in reversed(IdentifierKind):
        option = f"--{kind.value.replace('_', '-')}"
        command = click.option(option, kind.value, help=f"Find her by her {kind.value.replace('_', ' ')}.")(command)
    return command


def _ref_from(named: dict[str, str | None]) -> CustomerRef:
    """The one identifier that was given."""
    given = [CustomerRef(IdentifierKind(kind), value) for kind, value in named.items() if value]
    if len(given) != 1:
        click.echo("Name one customer by exactly one of --mobile, --email, --external-id, --card-number,")
        click.echo("--card-external-id or --id.")
        sys.exit(TROUBLE)
    return given[0]


@ledger_customer.command("show")
@database_options
@organisation_option
@_customer_options
@click.option("--reveal", is_flag=True, help="Show identifiers whole; that is recorded.")
@click.pass_obj
def show_customer(
    place: Any,
    /,
    db: str | None,
    secrets_folder: Path | None,
    organisation: int | None,
    reveal: bool,
    **named: str | None,
) -> None:
    """Show a customer's wallets, lots, last entries, and whether her codes are locked."""
    from pos_app.ledger.care.people_commands import show_ledger_customer

    ref = _ref_from(named)
    _run(place, db, secrets_folder, show_ledger_customer, organisation=organisation, ref=ref, reveal=reveal)


@ledger_customer.command("unlock")
@database_options
@organisation_option
@_customer_options
@click.pass_obj
def unlock_customer(
    place: Any, /, db: str | None, secrets_folder: Path | None, organisation: int | None, **named: str | None
) -> None:
    """Lift the lock that too many wrong codes put on a customer."""
    from pos_app.ledger.care.people_commands import unlock_ledger_customer

    _run(place, db, secrets_folder, unlock_ledger_customer, organisation=organisation, ref=_ref_from(named))


# --- Points --------------------------------------------------------------------------------------------------------


@ledger.command("adjust")
@database_options
@organisation_option
@_customer_options
@click.option("--family-group-id", type=int, help="Adjust a family group's own wallet instead.")
@click.option("--program-id", type=int, help="The program; the default one when missing.")
@click.option("--points", required=True, metavar="+N|-N", help="Points to give (+) or to take (-).")
@click.option("--expires-on", type=click.DateTime(["%Y-%m-%d"]), help="Last day of points given; never when missing.")
@click.option("--reason", required=True, help="Why, in a sentence; it is kept with the entry.")
@click.option("--by", required=True, type=int, help="Number of the operator who adjusts.")
@click.option("--approved-by", required=True, type=int, help="Number of the supervisor or manager who approves.")
@click.option(
    "--pin-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the PIN of --by; else it is asked."
)
@click.option(
    "--approver-pin-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the PIN of --approved-by."
)
@click.pass_obj
def adjust_points(
    place: Any,
    /,
    db: str | None,
    secrets_folder: Path | None,
    organisation: int | None,
    family_group_id: int | None,
    program_id: int | None,
    points: str,
    expires_on: datetime | None,
    reason: str,
    by: int,
    approved_by: int,
    pin_file: Path | None,
    approver_pin_file: Path | None,
    **named: str | None,
) -> None:
    """Give or take points by hand. Two people prove who they are; the second is a supervisor or manager."""
    from pos_app.ledger.care.adjusting import Adjustment, Person
    from pos_app.ledger.care.points_commands import adjust_ledger_points, read_points

    wish = Adjustment(
        organisation_id=organisation,
        customer=None if family_group_id is not None and not any(named.values()) else _ref_from(named),
        family_group_id=family_group_id,
        program_id=program_id,
        points=read_points(points, click.echo),
        expires_on=None if expires_on is None else expires_on.date(),
        reason=reason,
    )
    pins = {each: _pin_of(each, file) for each, file in ((by, pin_file), (approved_by, approver_pin_file))}
    people = {"by": Person(operator_id=by, pin=pins[by])}
    people["approved_by"] = Person(operator_id=approved_by, pin=pins[approved_by])
    _run(place, db, secrets_folder, adjust_ledger_points, wish=wish, **people)


def _pin_of(operator_id: int, pin_file: Path | None) -> str:
    """An operator's PIN, from a file or asked for; never an argument, which others could read."""
    given = _pin_from(ask_pin=False, pin_file=pin_file)
    pin: str = click.prompt(f"PIN of operator {operator_id}", hide_input=True) if given is None else given
    return pin
