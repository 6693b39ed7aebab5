"""The commands about what tills hold: `pos-app ledger lease` and `pos-app ledger pass` (sync-api 10 and 13)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from pos_app.cli_ledger import database_options
from pos_app.cli_ledger_people import ledger, organisation_option

__all__ = ["ledger"]

DAY_S = 86_400


def _place(place: Any, db: str | None, secrets_folder: Path | None) -> Any:
    from pos_app.bootstrap import central_ledger

    return central_ledger(place, db, secrets_folder)


@ledger.group("lease")
def ledger_lease() -> None:
    """What tills hold of wallets, so that they can redeem while the line is down."""


@ledger_lease.command("list")
@database_options
@click.option("--till", help="Only leases of this till.")
@click.option(
    "--state",
    type=click.Choice(["OPEN", "CLOSING", "CLOSED", "RECLAIMED"], case_sensitive=False),
    help="Only leases in this state.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_leases(
    place: Any, db: str | None, secrets_folder: Path | None, till: str | None, state: str | None, as_json: bool
) -> None:
    """List leases, oldest first."""
    from pos_app.ledger.care.lease_commands import list_ledger_leases

    where = _place(place, db, secrets_folder)
    sys.exit(list_ledger_leases(where, click.echo, till=till, state=state, as_json=as_json))


@ledger_lease.command("revoke")
@click.argument("lease_id", required=False)
@click.option("--till", help="Revoke every open lease of this till.")
@database_options
@click.pass_obj
def revoke_lease(
    place: Any, lease_id: str | None, till: str | None, db: str | None, secrets_folder: Path | None
) -> None:
    """Ask a till to stop spending under a lease. A till without a line hears of it only when the line is back."""
    from pos_app.ledger.care.lease_commands import revoke_ledger_leases

    if (lease_id is None) == (till is None):
        raise click.UsageError("name either one lease or, with --till, a till.")
    where = _place(place, db, secrets_folder)
    sys.exit(revoke_ledger_leases(where, click.echo, lease_id=lease_id, till=till))


@ledger_lease.command("write-off")
@click.argument("lease_id")
@database_options
@click.pass_obj
def write_off_lease(place: Any, lease_id: str, db: str | None, secrets_folder: Path | None) -> None:
    """Free what an expired lease still holds; what its till tells later is paid as far as points go."""
    from pos_app.ledger.care.lease_commands import write_off_ledger_lease

    sys.exit(write_off_ledger_lease(_place(place, db, secrets_folder), click.echo, lease_id=lease_id))


@ledger.command("pass")
@database_options
@organisation_option
@click.option("--customer-id", type=click.IntRange(min=1), required=True, help="Number of the customer.")
@click.option("--program-id", type=click.IntRange(min=1), required=True, help="Number of the program.")
@click.option("--till", required=True, help="Login of the till whose lease it is for.")
@click.option("--max-points", required=True, help="The most points it confirms in all.")
@click.option(
    "--valid-s",
    type=click.IntRange(1, DAY_S),
    default=DAY_S,
    show_default=True,
    help="For how long, in seconds; the lease may end earlier.",
)
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a QR code to this new file instead of printing it.",
)
@click.pass_obj
def make_pass(place: Any, /, db: str | None, secrets_folder: Path | None, **wish: Any) -> None:
    """Make a pass: with it a customer confirms redemptions at one till while its line is down."""
    from pos_app.ledger.care.lease_commands import make_ledger_pass

    sys.exit(make_ledger_pass(_place(place, db, secrets_folder), click.echo, **wish))
