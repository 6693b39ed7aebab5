"""The ledger's part of the command line: one small function a command (house 5)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


@click.group()
def ledger() -> None:
    """Load, run and audit a central ledger."""


def database_options(command: Any) -> Any:
    """Give a command the options that say which ledger it is about."""
    command = click.option("--db", "db", help="Address of the database; ledger.db in the data folder when missing.")(
        command
    )
    return click.option(
        "--secrets", "secrets_folder", type=click.Path(file_okay=False, path_type=Path), help="The ledger's secrets."
    )(command)


@ledger.command("import")
@click.argument("file", type=click.Path(allow_dash=True, path_type=Path))
@database_options
@click.option("--keep-good", is_flag=True, help="Load the good lines, write the others to FILE.refused.jsonl.")
@click.pass_obj
def import_(place: Any, file: Path, db: str | None, secrets_folder: Path | None, keep_good: bool) -> None:
    """Load a file in the import format; - reads standard input."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.commands import import_into

    sys.exit(import_into(central_ledger(place, db, secrets_folder), file, keep_good=keep_good, say=click.echo))


@ledger.command()
@database_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port to listen at; 0 finds a free one.",
)
@click.option("--code-sender", help="Where codes go: spool:DIRECTORY.")
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The ledger's settings file (TOML).")
@click.option("--tls-cert", type=click.Path(dir_okay=False, path_type=Path), help="Certificate file.")
@click.option("--tls-key", type=click.Path(dir_okay=False, path_type=Path), help="Key file of the certificate.")
@click.option("--behind-proxy", is_flag=True, help="A TLS front stands before this server.")
@click.pass_obj
def serve(place: Any, /, db: str | None, secrets_folder: Path | None, **options: Any) -> None:
    """Answer tills over HTTP until stopped. Without TLS only this machine is answered."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.http.serving import serve_ledger

    sys.exit(serve_ledger(central_ledger(place, db, secrets_folder), **options))


@ledger.command()
@database_options
@click.pass_obj
def verify(place: Any, db: str | None, secrets_folder: Path | None) -> None:
    """Recompute every balance from the entries; exit 1 on a difference."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.commands import verify_ledger

    sys.exit(verify_ledger(central_ledger(place, db, secrets_folder), click.echo))


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
@click.pass_obj
def add_till(place: Any, /, db: str | None, secrets_folder: Path | None, **till: Any) -> None:
    """Add a till with a random password, printed once."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.commands import add_ledger_till

    sys.exit(add_ledger_till(central_ledger(place, db, secrets_folder), click.echo, **till))
