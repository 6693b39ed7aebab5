"""Every refusal a practice ledger can give is met by somebody of the demo organisation, on the real `Book`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.clock import FakeClock

from pos_app.domain.points import Points
from pos_app.ledger.book import Book
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.sending.senders import SMS_FIRST, CodeMessage
from pos_app.ledger.store import open_book
from pos_app.wire.requests import read_check, read_redeem, read_send_code

DEMO = Path(__file__).parents[2] / "resources" / "demo"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
LAST = datetime(2031, 12, 30, 10, 0, tzinfo=UTC)
"""The demo is still true on this day; most of its points expire with the year."""


@dataclass(frozen=True)
class Meeting:
    """One question whose answer is one code."""

    code: int
    endpoint: str
    login: str
    parameters: dict[str, str]
    body: dict[str, Any] | None
    reason: str | None
    why: str

    def ask(self, book: Book) -> tuple[int, str | None]:
        """The item code of the answer, and the extension's reason."""
        till = book.find_till(self.login)
        assert till is not None
        answer: Any
        if self.endpoint == "isredeemable":
            answer = book.check(till, read_check(self.parameters))
        elif self.endpoint == "validationcode":
            answer = book.send_code(till, read_send_code(self.parameters))
        else:
            body = json.dumps({"root": {"redeem": [self.body]}}).encode()
            answer = book.redeem(till, read_redeem(self.parameters, body, "application/json"))
        return answer.code, None if answer.extension is None else answer.extension.reason


def meetings() -> list[Meeting]:
    document = json.loads((DEMO / "who-meets-what.json").read_text(encoding="utf-8"))
    return [
        Meeting(
            int(code),
            each["endpoint"],
            each["login"],
            each["parameters"],
            each.get("body"),
            each.get("reason"),
            each["why"],
        )
        for code, found in document.items()
        for each in found
    ]


class Phone:
    """A sender that always succeeds; nobody reads the codes."""

    channels = SMS_FIRST

    def send(self, message: CodeMessage) -> str:
        return message.channel


@pytest.fixture(scope="module", params=[NOW, LAST], ids=["now", "years later"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    folder = tmp_path_factory.mktemp("demo")
    book = open_book(
        f"sqlite:///{folder / 'ledger.db'}",
        secrets=LedgerSecrets.open(folder / "secrets"),
        clock=FakeClock(request.param),
        sender=Phone(),
    )
    with (DEMO / "organisation.jsonl").open("rb") as lines:
        import_file(book, lines, file_name="organisation.jsonl", keep_good=False, progress=None)
    yield book
    book.close()


@pytest.mark.parametrize("meeting", meetings(), ids=lambda each: f"{each.code}-{each.endpoint}-{each.why}")
def test_somebody_meets_the_refusal(demo: Book, meeting: Meeting) -> None:
    code, reason = meeting.ask(demo)
    assert code == meeting.code
    if meeting.reason is not None:
        assert reason == meeting.reason


def test_nothing_moves_while_everybody_is_refused(demo: Book) -> None:
    for meeting in meetings():
        meeting.ask(demo)
    assert demo.verify() == []
    till = demo.find_till("practice.014.1")
    assert till is not None
    ada = demo.check(till, read_check({"mobile": "9812345678", "points": "120"}))
    assert ada.code == 800
    assert ada.points == Points.of(120)


def test_the_codes_that_need_no_trouble_of_the_world_are_all_met() -> None:
    met = {(each.endpoint, each.code) for each in meetings()}
    both = {801, 802, 804, 805, 806, 807, 808, 818, 819, 821, 822, 823, 824, 827, 828, 878, 881, 686, 888, 895, 903}
    both |= {1101, 1620, 1632, 3316}
    assert met >= {(endpoint, code) for code in both for endpoint in ("isredeemable", "redeem")}
    assert met >= {("isredeemable", code) for code in (809, 872, 876, 889)}
    assert met >= {("redeem", code) for code in (816, 859, 904, 3045)}
    assert met >= {("validationcode", code) for code in (801, 802, 809, 816, 860, 881)}
