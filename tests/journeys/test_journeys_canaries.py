"""After everything a till and a ledger can do, nobody's data lie in a log, a database file or a settings file.

The people of this shop have data that nothing else can look like, so any copy of them in a file is a leak
(reliability 4.7, 4.9). The spool folder is the only place where a code may lie.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.fault_proxy import CUT_BEHIND
from support.ledger_server import LOGIN, a_customer, a_program, a_till, an_organisation
from support.shop import Ran, Shop, a_shop, call, pos_app

SEEN = "919753186420"
NEVER_SEEN = "919642087531"
PASSWORD = "xylophone-quartz-7301"
EMAIL = "zebedee.quillfeather@canary-nest.example"
NAMES = ("Zebedee", "Quillfeather", "Wilhelmina", "Thistlewood")
EXTERNAL = "CNRY-EXT-88417"
CARD = "6000775533119988"
WRONG_CODE = "ZZ9ZZ9"


@contextmanager
def a_shop_of_canaries(folder: Path) -> Iterator[Shop]:
    """Two customers who can be mistaken for nothing else; the till has seen the first of them only."""
    first = a_customer(
        mobile=SEEN,
        email=EMAIL,
        external_id=EXTERNAL,
        first_name=NAMES[0],
        last_name=NAMES[1],
        cards=[{"number": CARD}],
    )
    second = a_customer(
        id=50002,
        mobile=NEVER_SEEN,
        email="w.t@canary-nest.example",
        external_id="CNRY-EXT-88418",
        first_name=NAMES[2],
        last_name=NAMES[3],
    )
    lines = [an_organisation(validation_required=True), a_program(), a_till(password=PASSWORD), first, second]
    with a_shop(folder, lines, log__level="DEBUG") as opened:
        opened.password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
        yield opened


@dataclass(frozen=True)
class Aftermath:
    """What is left behind: files and streams by name, and the codes that were sent."""

    places: Mapping[str, bytes]
    codes: tuple[str, ...]


def everything(shop: Shop) -> Aftermath:
    """One till through a whole day: lookup, check, wrong and right code, redeem, cut line, offline, command line."""
    said: list[Ran] = []
    till_folder = shop.till_folder()

    def check(*more: object) -> None:
        said.append(pos_app("--data-dir", till_folder, "check", "--points", "100", *more))

    with shop.till() as till:
        till.look_up(SEEN)
        till.click("revealButton")  # Ten seconds of open identifiers leave a line in the audit, without them.
        till.wait_for(lambda screen: SEEN[-10:] in screen["customerIdentifiers"].replace(" ", ""), "the identifiers")
        till.check(100)
        till.enter_code(WRONG_CODE)
        till.wait_for(lambda screen: "did not match" in screen["codeMessage"], "the wrong code")
        till.do("type", name="codeField", text=shop.code())
        till.click("codeConfirm")
        till.wait_for(lambda screen: screen.can_redeem and not screen["codeDialog"], "the confirmation")
        shop.proxy.will(CUT_BEHIND, path="/redeem")
        till.press("F8")
        till.wait_for(lambda screen: screen.title.startswith("Done"), "the redemption, found again")
        till.press("Ctrl+N")
        till.ask_for(EMAIL)
        till.wait_for(lambda screen: bool(screen["customerName"]), "the customer by her e-mail")
        shop.proxy.refuse()
        till.ask_points(110)
        till.wait_for(lambda screen: screen.title.startswith("Probably yes"), "the offline answer")
        till.press("Ctrl+N")
        till.ask_for(NEVER_SEEN)
        till.wait_for(lambda screen: screen.title == "Cannot look up while offline", "nobody")
        check("--mobile", SEEN, "--json")
        check("--mobile", NEVER_SEEN)
        shop.proxy.listen()
        check("--mobile", SEEN, "--issue-otp", "true")
        check("--card-number", CARD, "--validation-code", WRONG_CODE)
        check("--external-id", EXTERNAL, "--validation-code", shop.code())
        check("--mobile", "12", "--user-group2-primary-user-identifier-value", EMAIL)
        till.kill()  # What only a crash leaves behind is left behind.
    hostile(shop)
    assert shop.ledger.stop() == 0
    places = {f"the ledger's {name}": text for name, text in (("log", shop.ledger.log().encode()),)}
    places |= {f"pos-app, standard error of run {number}": ran.err.encode() for number, ran in enumerate(said)}
    places |= {f"pos-app, standard output of run {number}": ran.out.encode() for number, ran in enumerate(said)}
    places["the till's standard error"] = till.output.read_bytes()
    for file in sorted(till_folder.rglob("*")):
        if file.is_file() and file.name != "secrets":
            places[f"the till's {file.relative_to(till_folder)}"] = file.read_bytes()
    return Aftermath(places, tuple(message["code"] for message in shop.ledger.messages()))


def hostile(shop: Shop) -> None:
    """Requests that go wrong in ways a careless log would tell of."""
    for method, path, query, body in (
        ("GET", "/v1.1/points/isredeemable", {"mobile": SEEN, "points": "100", "validation_code": WRONG_CODE}, None),
        ("GET", "/v1.1/points/isredeemable", {"mobile": SEEN, "email": EMAIL, "format": "?"}, None),
        ("GET", f"/v1.1/customer/{EMAIL}", {"mobile": SEEN}, None),
        ("POST", "/v1.1/points/redeem", {}, f'{{"root": {{"redeem": "{SEEN} {EMAIL}"'.encode()),
        ("POST", "/v1.1/points/redeem", {}, f"<root><customer>{NAMES[1]}{SEEN}".encode()),
    ):
        call(shop.ledger.port, method, path, query, body)


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """What one day left behind; both tests only look at it."""
    with a_shop_of_canaries(tmp_path_factory.mktemp("canaries")) as shop:
        return everything(shop)


def forms_of(canary: str) -> list[bytes]:
    """A canary as it may stand in a file: as it is, in UTF-16, percent-encoded, in base64."""
    percent = canary.replace("@", "%40").replace("+", "%2B")
    return [canary.encode(), canary.encode("utf-16-le"), percent.encode(), base64.b64encode(canary.encode())]


def test_no_data_of_people_and_no_secret_lie_in_any_file(aftermath: Aftermath) -> None:
    digest = hashlib.md5(PASSWORD.encode()).hexdigest()
    login = base64.b64encode(f"{LOGIN}:{digest}".encode()).decode()
    mobiles = [SEEN, SEEN[2:], NEVER_SEEN, NEVER_SEEN[2:]]
    canaries = [*mobiles, EMAIL, EMAIL.split("@")[0], *NAMES, EXTERNAL, CARD, PASSWORD, digest, login, WRONG_CODE]
    assert aftermath.codes, "a code was sent"
    canaries += aftermath.codes
    found = [
        f"{canary} in {place}"
        for place, content in aftermath.places.items()
        for canary in canaries
        for form in forms_of(canary)
        if form.lower() in content.lower()
    ]
    assert found == []


def test_the_places_that_were_searched_are_there_and_full(aftermath: Aftermath) -> None:
    """A search in empty files would find nothing either."""
    full = {place for place, content in aftermath.places.items() if content}
    wanted = {"the ledger's log", "the till's cache.db", "the till's journal.db", "the till's settings.toml"}
    assert wanted <= full
    logs = b"".join(content for place, content in aftermath.places.items() if "pos-app.log" in place)
    assert b"isredeemable: HTTP 200" in logs
    assert b"redeem: " in logs
    assert b"identifiers of customer 50001 shown" in logs, "the audit names the customer by number"
    assert b"SQLite format 3" not in aftermath.places["the till's journal.db"]
    assert b"SQLite format 3" not in aftermath.places["the till's cache.db"]
