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
    from pos_app.ledger.care.moving import import_into

    sys.exit(import_into(central_ledger(place, db, secrets_folder), file, keep_good=keep_good, say=click.echo))


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@database_options
@click.option("--organisation", type=int, help="Only the organisation of this number.")
@click.pass_obj
def export(place: Any, file: Path, db: str | None, secrets_folder: Path | None, organisation: int | None) -> None:
    """Write a ledger in the import format, while it goes on working; - is standard output."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.care.moving import export_from

    sys.exit(export_from(central_ledger(place, db, secrets_folder), file, organisation_id=organisation, say=click.echo))


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
@click.option(
    "--code-sender",
    help="Where codes go: spool:DIRECTORY, smtp://[user@]HOST:PORT, smtps://[user@]HOST:PORT or webhook:URL.",
)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="The ledger's settings file (TOML).")
@click.option("--tls-cert", type=click.Path(dir_okay=False, path_type=Path), help="Certificate file.")
@click.option("--tls-key", type=click.Path(dir_okay=False, path_type=Path), help="Key file of the certificate.")
@click.option("--behind-proxy", is_flag=True, help="A TLS front stands before this server.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Worker processes that share the port.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How lines on standard error look.",
)
@click.option("--test-mode", is_flag=True, help="For tests: an administrator may move the clock and give points.")
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
    """Recompute every balance from the entries, while tills go on; exit 1 on a difference."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.care.care_commands import verify_ledger

    sys.exit(verify_ledger(central_ledger(place, db, secrets_folder), click.echo))


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@database_options
@click.option("--with-secrets", is_flag=True, help="Also copy the secrets: whoever has the file is the ledger.")
@click.pass_obj
def backup(place: Any, file: Path, db: str | None, secrets_folder: Path | None, with_secrets: bool) -> None:
    """Back a ledger up, as of one moment, while tills go on."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.care.care_commands import back_up_ledger

    where = central_ledger(place, db, secrets_folder)
    sys.exit(back_up_ledger(where, file, with_secrets=with_secrets, say=click.echo))


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@database_options
@click.pass_obj
def restore(place: Any, file: Path, db: str | None, secrets_folder: Path | None) -> None:
    """Bring a backup back into an empty database, of the same kind or another."""
    from pos_app.bootstrap import central_ledger
    from pos_app.ledger.care.care_commands import restore_ledger

    sys.exit(restore_ledger(central_ledger(place, db, secrets_folder), file, click.echo))
