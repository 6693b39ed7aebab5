"""The command line: one small function a command (house 5). What a command needs is imported when it runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from pos_app import __version__
from pos_app.cli_ledger_leases import ledger
from pos_app.domain.answers import CAN_BE_REDEEMED

REDEEMABLE, REFUSED, TROUBLE = 0, 1, 2
"""Exit codes of `pos-app check`."""

CONTRACT_OPTIONS = {
    "mobile": "Registered mobile number.",
    "email": "Registered e-mail address.",
    "external_id": "The organisation's own customer number.",
    "card_number": "Loyalty card number.",
    "card_external_id": "External id of the card.",
    "id": "The customer's unique user id.",
    "points": "Points to redeem.",
    "program_id": "Loyalty program; the till's own when missing.",
    "group_redemption": "true: use points of all programs.",
    "user_group2_id": "Family group, by its number.",
    "user_group2_external_id": "Family group, by its external id.",
    "user_group2_primary_user_id": "Family group, by its main member's number.",
    "user_group2_primary_user_identifier_type": "mobile, email, cardnumber, cardExternalId or id.",
    "user_group2_primary_user_identifier_value": "Goes with the type.",
    "user_group2_primary_user_source": "Where the main member is known from; INSTORE when missing.",
    "user_group2_primary_user_accountId": "Account of that source, such as WECHAT.",
    "use_default_user_group2": "true: the customer's own default family group.",
    "issue_otp": "true: send the customer a code when everything else has passed.",
    "validation_code": "The code the customer read out; - reads it from standard input.",
    "skip_validation": "true: do without confirmation.",
    "validation_type": "SMS, MISSED_CALL or INVALID.",
    "currency_input": "true: the amount is money, see --currency-value.",
    "currency_value": "Money to pay with points.",
}


IDENTIFIERS = ("mobile", "email", "external_id", "card_number", "card_external_id", "id")
"""The options that name a customer; a check takes exactly one of them (contract 2.1)."""


def fail(sentence: str, code: int = TROUBLE) -> NoReturn:
    """End with a sentence a person can act on."""
    click.echo(sentence, err=True)
    sys.exit(code)


@click.group(invoke_without_command=True)
@click.version_option(__version__, prog_name="Points Desk")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of this till's files.")
@click.option("--config", type=click.Path(path_type=Path), help="The user's settings file.")
@click.option("--set", "changed", multiple=True, metavar="NAME=VALUE", help="A setting for this start only.")
@click.pass_context
def pos_app(context: click.Context, data_dir: Path | None, config: Path | None, changed: tuple[str, ...]) -> None:
    """Points Desk: may this customer pay with her points, now? Without a command the till window opens."""
    from pos_app.settings import Place

    settings: dict[str, object] = {}
    for each in changed:
        name, equals, value = each.partition("=")
        if not equals:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--set")
        settings[name] = value
    context.obj = Place(data_dir=data_dir, settings_file=config, command_line=settings)
    if context.invoked_subcommand is None:
        from pos_app.starting import run_window

        sys.exit(run_window(context.obj))


@pos_app.command()
@click.option("--tour", type=click.Path(file_okay=False, path_type=Path), help="Play a redemption, keep its pictures.")
def demo(tour: Path | None) -> None:
    """Trainer mode: a practice ledger in this process, no network, throwaway files."""
    from pos_app.starting import run_demo

    sys.exit(run_demo(tour, click.echo))


def _option(parameter: str) -> str:
    """What the command line calls a parameter of the contract; "customer" is whichever names one."""
    if parameter == "customer":
        return ", ".join(_option(each) for each in IDENTIFIERS)
    return f"--{parameter.replace('_', '-').lower()}"


def _contract_options(command: Any) -> Any:
    for name, sentence in reversed(CONTRACT_OPTIONS.items()):
        command = click.option(_option(name), name, help=sentence)(command)
    return command


@pos_app.command()
@_contract_options
@click.option("--ledger", "url", help="Address of a ledger, on a machine that is no till.")
@click.option("--login", help="Login at that ledger.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file with the password of that login.")
@click.option("--cached", is_flag=True, help="Ask this till's cache only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def check(
    place: Any,
    /,
    url: str | None,
    login: str | None,
    password_file: Path | None,
    cached: bool,
    as_json: bool,
    **asked: str | None,
) -> None:
    """One check through the same service as the window. Exit 0: redeemable, 1: refused, 2: trouble."""
    from pos_app.bootstrap import checking_till
    from pos_app.domain.trouble import LineDownError, Trouble
    from pos_app.services.results import CannotLookUpOfflineError
    from pos_app.settings import TillError
    from pos_app.ui import wording
    from pos_app.wire.formats import MalformedError
    from pos_app.wire.requests import read_check

    if asked.get("validation_code") == "-":
        asked["validation_code"] = sys.stdin.readline().strip()
    try:
        request = read_check({name: value for name, value in asked.items() if value is not None})
    except MalformedError as wrong:
        fail(f"{_option(wrong.field)}: found {wrong.found}, expected {wrong.expected}.")
    try:
        with checking_till(place, url=url, login=login, password_file=password_file, cached=cached) as till:
            checked = till.check(request)
    except TillError as error:
        fail(str(error))
    except Trouble as trouble:
        # A machine that is no till has seen nobody: there it is the line that is missing, not the customer.
        is_line = url is not None and isinstance(trouble, CannotLookUpOfflineError)
        words = wording.for_trouble(LineDownError("no line") if is_line else trouble)
        fail(f"{words.headline}. {words.reason}")
    report = check_report(checked)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else check_sentences(checked))
    sys.exit(REDEEMABLE if checked.is_redeemable else REFUSED)


def check_report(checked: Any) -> dict[str, object]:
    """What `pos-app check` tells, as plain values; the sentence is what a cashier would read."""
    from pos_app.wire.codes import Endpoint, code_for

    code = checked.code
    if code is None:
        code = code_for(Endpoint.ISREDEEMABLE, checked.refusals[0]) if checked.refusals else CAN_BE_REDEEMED
    return {
        "is_redeemable": checked.is_redeemable,
        "source": str(checked.source),
        "as_of": checked.as_of.isoformat(timespec="seconds"),
        "age_s": max(0, int((checked.asked_at - checked.as_of).total_seconds())),
        "points": str(checked.points),
        "worth": None if checked.worth is None else str(checked.worth),
        "points_after": None if checked.points_after is None else str(checked.points_after),
        "code": code,
        "refusals": [code_for(Endpoint.ISREDEEMABLE, each) for each in checked.refusals],
        "nearest": [str(each) for each in checked.nearest],
        "code_sent": checked.is_code_out,
        "confirmed": checked.is_confirmed,
        "message": checked.message,
        "reference": checked.reference,
    }


def check_sentences(checked: Any) -> str:
    """The same as a cashier would read it on the window's panel."""
    from pos_app.ui.serving import Serving
    from pos_app.ui.verdict_words import check_view

    programs = (checked.program,) if checked.program is not None else ()
    view = check_view(checked, Serving(organisation=checked.organisation, programs=programs), now=checked.asked_at)
    title = view.title if view.title.endswith((".", "?")) else f"{view.title}."
    return " ".join(part for part in (title, view.reason, view.next_step, view.meta) if part)


@pos_app.command()
@click.option(
    "--provision",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with settings and a table [enrolment]: address, login, password, code.",
)
@click.option("--code", "asks_code", is_flag=True, help="Read an enrolment code from standard input.")
@click.option("--delete-provision", is_flag=True, help="Delete that file afterwards without asking.")
@click.pass_obj
def enrol(place: Any, provision: Path | None, asks_code: bool, delete_provision: bool) -> None:
    """Make this machine a till without the window. Exit 0: enrolled, 1: refused, 2: trouble."""
    from dataclasses import replace

    from pos_app import enrolling
    from pos_app.settings import TillError

    is_terminal = sys.stdin.isatty()
    try:
        told = enrolling.Provision() if provision is None else enrolling.read_provision(provision)
    except TillError as error:
        fail(str(error))
    if asks_code:
        told = replace(told, code=sys.stdin.readline().strip() or None)

    def ask_code() -> str | None:
        return click.prompt("Enrolment code", default="", show_default=False) or None if is_terminal else None

    ended = enrolling.enrol(place, told, ask_code)
    if ended.code != enrolling.DONE:
        fail(ended.sentence, ended.code)
    click.echo(ended.sentence)
    if provision is not None:
        _offer_to_delete(provision, is_sure=delete_provision, is_terminal=is_terminal)


def _offer_to_delete(file: Path, *, is_sure: bool, is_terminal: bool) -> None:
    """A provisioning file holds a password, which lies in the secrets by now."""
    from pos_app import enrolling

    if is_sure or (is_terminal and click.confirm(f"Delete {file}? It holds the till's password", default=True)):
        enrolling.delete_provision(file, click.echo)
    else:
        click.echo(f"{file} still holds the till's password: delete it.", err=True)


@pos_app.command()
@click.option("--headless", is_flag=True, help="Commands and events as JSON lines; no window.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of this till's files.")
@click.option("--ledger", "url", help="Address of its ledger.")
@click.option("--config", type=click.Path(path_type=Path), help="Its settings file.")
@click.pass_obj
def till(place: Any, headless: bool, data_dir: Path | None, url: str | None, config: Path | None) -> None:
    """A till without a window, driven by JSON lines on standard input; the README has the table of its commands."""
    from dataclasses import replace

    from pos_app.starting import run_headless

    if not headless:
        fail("pos-app till needs --headless; the window is `pos-app` alone.")
    named = {} if url is None else {"ledger.url": url}
    place = replace(
        place,
        data_dir=data_dir or place.data_dir,
        settings_file=config or place.settings_file,
        command_line={**place.command_line, **named},
    )
    sys.exit(run_headless(place))


@pos_app.command()
@click.pass_obj
def doctor(place: Any) -> None:
    """Check this installation and say what to do. Exit 0 when nothing is bad."""
    from pos_app.doctor import report

    sys.exit(0 if report(place, click.echo) else 1)


pos_app.add_command(ledger)
