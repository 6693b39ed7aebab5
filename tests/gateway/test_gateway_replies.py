"""What a reply means that holds no answer, and whose answer one is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.builders import A_KEY, CUSTOMER_ID, MOBILE
from support.fake_ledger import an_extension
from support.fault_proxy import SIGN_IN_PAGE
from support.gateway_kit import a_command, a_yes, sync_error

from pos_app.domain.answers import Identity, RedeemAnswer
from pos_app.domain.points import Points
from pos_app.domain.refusals import Refusal
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import (
    LineDownError,
    NotAcceptedError,
    NotTheServiceError,
    NotUnderstoodError,
    ServiceTroubleError,
    SlowDownError,
    Trouble,
    UnclearAnswerError,
    WrongAddressError,
)
from pos_app.gateway.echoes import is_answer_to
from pos_app.gateway.replies import RETRY_AFTER_DEFAULT_S, RETRY_AFTER_MAX_S, Reply, trouble_of
from pos_app.wire.answers import write_status
from pos_app.wire.formats import Format

LOST = UnclearAnswerError


def own_words(status: int) -> bytes:
    return write_status(status, "", Format.JSON)


IN_OWN_WORDS = [
    (200, ServiceTroubleError, LOST),
    (302, NotTheServiceError, LOST),
    (400, NotUnderstoodError, NotUnderstoodError),
    (401, NotAcceptedError, NotAcceptedError),
    (402, WrongAddressError, WrongAddressError),
    (403, NotAcceptedError, NotAcceptedError),
    (404, WrongAddressError, WrongAddressError),
    (405, NotUnderstoodError, NotUnderstoodError),
    (408, LineDownError, LOST),
    (409, NotUnderstoodError, NotUnderstoodError),
    (413, NotUnderstoodError, NotUnderstoodError),
    (415, NotUnderstoodError, NotUnderstoodError),
    (429, SlowDownError, SlowDownError),
    (500, ServiceTroubleError, LOST),
    (502, ServiceTroubleError, LOST),
    (503, SlowDownError, SlowDownError),
    (504, ServiceTroubleError, LOST),
]


@pytest.mark.parametrize(("status", "question", "move"), IN_OWN_WORDS)
def test_a_status_in_the_services_own_words(status: int, question: type[Trouble], move: type[Trouble]) -> None:
    reply = Reply(status=status, body=own_words(status))
    assert type(trouble_of(reply, moves=False)) is question
    assert type(trouble_of(reply, moves=True)) is move


FROM_SOMEBODY_ELSE = [
    *[(status, NotTheServiceError) for status in (200, 301, 302, 307, 400, 401, 403, 404, 405)],
    (429, SlowDownError),
    *[(status, ServiceTroubleError) for status in (500, 502, 503, 504)],
]


@pytest.mark.parametrize("body", [SIGN_IN_PAGE, b"", b"{}", b"[1]", b"\xff\xfe\x00"])
@pytest.mark.parametrize(("status", "question"), FROM_SOMEBODY_ELSE)
def test_a_status_from_somebody_on_the_way(status: int, question: type[Trouble], body: bytes) -> None:
    reply = Reply(status=status, body=body)
    assert type(trouble_of(reply, moves=False)) is question
    assert type(trouble_of(reply, moves=True)) is (SlowDownError if status == 429 else LOST)


def test_a_503_that_says_how_long_to_wait_is_waited_for_whoever_says_it() -> None:
    trouble = trouble_of(Reply(status=503, body=SIGN_IN_PAGE, retry_after="4"), moves=False)
    assert isinstance(trouble, SlowDownError)
    assert trouble.retry_after_s == 4


def test_a_demand_for_a_login_counts_without_any_words() -> None:
    reply = Reply(status=401, body=b"", asks_for_login=True)
    assert type(trouble_of(reply, moves=True)) is NotAcceptedError


def test_errors_of_sync_are_the_services_own_words() -> None:
    reply = Reply(status=404, body=sync_error(404, "unknown"))
    assert type(trouble_of(reply, moves=True)) is WrongAddressError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("", RETRY_AFTER_DEFAULT_S),
        ("Wed, 21 Oct 2026 07:28:00 GMT", RETRY_AFTER_DEFAULT_S),
        ("-5", RETRY_AFTER_DEFAULT_S),
        ("1e9", RETRY_AFTER_DEFAULT_S),
        ("٣", RETRY_AFTER_DEFAULT_S),
        ("99999999", RETRY_AFTER_MAX_S),
        ("9" * 40, RETRY_AFTER_DEFAULT_S),
    ],
)
def test_how_long_a_service_may_make_a_till_wait(header: str, seconds: float) -> None:
    trouble = trouble_of(Reply(status=429, body=b"", retry_after=header), moves=False)
    assert isinstance(trouble, SlowDownError)
    assert trouble.retry_after_s == seconds


@pytest.mark.parametrize(
    ("until", "date", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:48 GMT", 12.0),
        ("Wed, 21 Oct 2026 07:28:00 +0000", "Wed, 21 Oct 2026 09:27:59 +0200", 1.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:00 GMT", 0.0),
        ("Thu, 22 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", RETRY_AFTER_MAX_S),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "yesterday", RETRY_AFTER_DEFAULT_S),
        ("tomorrow", "Wed, 21 Oct 2026 07:28:00 GMT", RETRY_AFTER_DEFAULT_S),
        ("Wed, 21 Oct 99999 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", RETRY_AFTER_DEFAULT_S),
    ],
)
def test_a_moment_to_come_again_is_counted_from_the_services_own_clock(until: str, date: str, seconds: float) -> None:
    reply = Reply(status=503, body=sync_error(503, "busy"), retry_after=until, date=date)
    trouble = trouble_of(reply, moves=True)
    assert isinstance(trouble, SlowDownError)
    assert trouble.retry_after_s == seconds


def test_a_body_stays_out_of_repr() -> None:
    assert "Sign in" not in repr(Reply(status=200, body=SIGN_IN_PAGE))


# --- Echoes ----------------------------------------------------------------------------------------------------------


def believed(answer: RedeemAnswer, *, must_echo: bool = False, **asked: Any) -> bool:
    return is_answer_to(a_command(**asked), answer, must_echo=must_echo)


def a_plain_yes(**changes: Any) -> RedeemAnswer:
    """The yes of a service without the extension."""
    return a_yes(extension=None, **changes)


def test_our_ledger_repeats_the_key_and_nothing_else_counts() -> None:
    assert believed(a_yes(), must_echo=True)
    assert not believed(a_yes(extension=None), must_echo=True)
    assert not believed(a_yes(extension=an_extension(key=None)), must_echo=True)
    assert not believed(a_yes(extension=an_extension(key="7" * 26)), must_echo=True)
    assert not believed(a_yes(extension=an_extension(key="7" * 26), refusal=Refusal.BALANCE_TOO_LOW), must_echo=True)


def test_another_services_yes_names_the_customer_the_points_and_an_id() -> None:
    assert believed(a_plain_yes())
    assert not believed(a_plain_yes(redemption_id=None))
    assert not believed(replace(a_plain_yes(), points=Points.of(99)))
    assert not believed(a_plain_yes(identity=Identity(mobile="919999999999")))
    assert not believed(a_plain_yes(identity=Identity()))


@pytest.mark.parametrize("told", [MOBILE, "+91 98123-45678", "9812345678", "09812345678", "98******78", "*********678"])
def test_a_mobile_number_may_be_spelt_or_masked_in_another_way(told: str) -> None:
    assert believed(a_plain_yes(identity=Identity(mobile=told)))


@pytest.mark.parametrize(
    ("kind", "value", "identity", "customer_id", "is_believed"),
    [
        (IdentifierKind.EMAIL, "Ada@Example.org", Identity(email="ada@example.org"), None, True),
        (IdentifierKind.EMAIL, "ada@example.org", Identity(email="bob@example.org"), None, False),
        (IdentifierKind.EMAIL, "ada@example.org", Identity(mobile=MOBILE), None, False),
        (IdentifierKind.EXTERNAL_ID, "C-1", Identity(external_id="C-1"), None, True),
        (IdentifierKind.EXTERNAL_ID, "C-1", Identity(external_id="C-2"), None, False),
        (IdentifierKind.ID, "50001", Identity(), CUSTOMER_ID, True),
        (IdentifierKind.ID, "50001", Identity(mobile=MOBILE), 50002, False),
        (IdentifierKind.ID, "50001", Identity(mobile=MOBILE), None, False),
        (IdentifierKind.CARD_NUMBER, "4411", Identity(mobile=MOBILE), None, True),
        (IdentifierKind.CARD_NUMBER, "4411", Identity(), None, False),
    ],
)
def test_each_kind_of_identifier_is_looked_for_in_its_place(
    kind: IdentifierKind, value: str, identity: Identity, customer_id: int | None, is_believed: bool
) -> None:
    answer = a_plain_yes(identity=identity, customer_id=customer_id)
    assert believed(answer, customer=CustomerRef(kind, value)) is is_believed


def test_another_services_no_is_believed_unless_it_names_somebody_else() -> None:
    no = a_plain_yes(refusal=Refusal.BALANCE_TOO_LOW)
    assert believed(no)
    assert believed(replace(no, identity=Identity()))
    assert not believed(replace(no, identity=Identity(mobile="919999999999")))


def test_the_kit_asks_under_the_key_it_answers() -> None:
    assert a_command().key == A_KEY
