"""The change feed: every writer leads to the right row, pages hold together, and old cursors are told so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from support.a_ledger import a_book, by_id, redeeming
from support.clock import FakeClock
from support.feed_kit import FeedTill, bring_in, statements_of
from support.ledger_server import LOGIN, a_program, an_organisation
from support.row_shops import GOLD, HOME, KEY, OTHER, SILVER, TOMS, a_family, a_moving_shop, a_person, lots

from pos_app.domain.commands import Cancel, CancelReason, Reverse
from pos_app.domain.feed import Scope
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.book import Book
from pos_app.ledger.care import operator_care, practice_moves
from pos_app.ledger.care.backup import back_up
from pos_app.ledger.care.backup_file import BackupFile
from pos_app.ledger.care.jobs import Jobs
from pos_app.ledger.care.restore import restore
from pos_app.ledger.crediting import Owner
from pos_app.ledger.errors import GoneError
from pos_app.ledger.leases.kept import raise_versions

NEW = 50077
CREDIT = practice_moves.Credit(
    owner=Owner(organisation_id=1, customer_id=OTHER),
    program_id=SILVER,
    points=Points.of(7),
    expires_on=None,
    awarded_on=None,
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(tmp_path: Path, ledger_url: str, clock: FakeClock) -> Iterator[Book]:
    with a_book(tmp_path, a_moving_shop(), url=ledger_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def till(book: Book) -> FeedTill:
    return FeedTill(book).take_snapshot()


def redeem(book: Book, points: int = 10, key: str | None = KEY) -> str:
    till = book.find_till(LOGIN)
    assert till is not None
    answer = book.redeem(till, redeeming(TOMS, points, key))
    assert answer.refusal is None
    assert answer.redemption_id is not None
    return answer.redemption_id


def wallet_of(till: FeedTill, kind: str, number: int, program: int = GOLD) -> int:
    owner = {"kind": kind, "id": number}
    return next(
        each
        for (name, each), row in till.rows.items()
        if name == "wallet" and row["owner"] == owner and row["program_id"] == program
    )


def test_a_snapshot_comes_in_order_with_its_counts(book: Book, till: FeedTill) -> None:
    kinds = [kind for kind, _ in till.rows]
    order = ["organisation", "program", "operator", "customer", "wallet", "family_group"]
    assert kinds == sorted(kinds, key=order.index)
    counted = {name: kinds.count(name.removesuffix("s")) for name in ("customers", "wallets", "family_groups")}
    assert book.snapshot(till.till, Scope.ALL).counts == counted == {"customers": 5, "wallets": 7, "family_groups": 1}


def test_nothing_is_told_where_nothing_changed(till: FeedTill) -> None:
    assert (till.ask(), till.ask()) == ([], [])


def test_a_page_takes_as_many_statements_however_much_it_holds(book: Book, till: FeedTill) -> None:
    few = statements_of(book, lambda: book.snapshot(till.till, Scope.ALL, None, 100))
    more = [a_person(60_000 + number, number, mobile=f"9198000{number:05}", wallets=[lots(5)]) for number in range(60)]
    bring_in(book, more)
    many = statements_of(book, lambda: book.snapshot(till.till, Scope.ALL, None, 200))
    assert len(many) == len(few)


def test_a_redemption_takes_no_statement_more_for_the_feed(book: Book, till: FeedTill) -> None:
    statements = statements_of(book, lambda: redeem(book))
    assert not [each for each in statements if "change_feed" in each or "visit" in each or "feed_" in each]
    assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]


def test_a_till_is_told_that_changes_wait_only_while_they_do(book: Book, till: FeedTill) -> None:
    assert book.feed.has_changes(till.till)  # It has not asked yet: nobody knows.
    till.ask()
    assert not book.feed.has_changes(till.till)
    redeem(book)
    assert book.feed.has_changes(till.till)
    till.ask()
    assert not book.feed.has_changes(till.till)


# --- Writers -------------------------------------------------------------------------------------------------------


def test_a_redemption_tells_its_wallet(book: Book, till: FeedTill) -> None:
    toms = wallet_of(till, "customer", TOMS)
    before = till.rows["wallet", toms]
    redeem(book)
    assert till.named() == [("wallet", toms)]
    after = till.rows["wallet", toms]
    assert (before["balance"], after["balance"]) == ("500", "490")
    assert after["version"] == before["version"] + 1
    assert after["lots"][0]["points"] == "490"


def test_a_wallet_that_moved_often_is_told_once(book: Book, till: FeedTill) -> None:
    for _ in range(5):
        redeem(book, key=None)
    assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]
    assert till.is_current()


def test_a_refused_redemption_tells_nothing(book: Book, till: FeedTill) -> None:
    assert book.redeem(till.till, redeeming(TOMS, 10_000, KEY)).refusal is not None
    assert till.ask() == []


def test_a_cancel_that_reverses_tells_the_wallet(book: Book, till: FeedTill) -> None:
    redeem(book)
    till.ask()
    book.cancel(till.till, Cancel(key=KEY, reason=CancelReason.CUSTOMER_LEFT))
    assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]
    assert till.rows["wallet", wallet_of(till, "customer", TOMS)]["balance"] == "500"


def test_a_reversal_tells_the_wallet(book: Book, till: FeedTill) -> None:
    redemption = redeem(book)
    till.ask()
    assert book.reverse(till.till, Reverse(redemption_id=redemption, points=Points.of(4))).refusal is None
    assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]
    assert till.is_current()


def test_points_that_are_earned_tell_the_wallet_a_new_one_too(book: Book, till: FeedTill) -> None:
    wallet_id = practice_moves.earn(book.tools, CREDIT)
    assert ("wallet", wallet_id) not in till.rows
    assert till.named() == [("wallet", wallet_id)]
    assert till.rows["wallet", wallet_id]["balance"] == "7"


def test_expiry_tells_the_wallet(book: Book, till: FeedTill, clock: FakeClock) -> None:
    bring_in(
        book, [a_person(NEW, 9, wallets=[{"program_id": GOLD, "lots": [{"points": 5, "expires_on": "2026-11-22"}]}])]
    )
    till.ask()
    wallet = wallet_of(till, "customer", NEW)
    assert till.rows["wallet", wallet]["balance"] == "5"
    clock.advance(86_400)
    Jobs(book).run()
    assert till.named() == [("wallet", wallet)]
    assert (till.rows["wallet", wallet]["balance"], till.rows["wallet", wallet]["lots"]) == ("0", [])


def test_an_import_tells_what_is_new_and_what_changed_and_nothing_else(book: Book, till: FeedTill) -> None:
    bring_in(book, a_moving_shop())
    assert till.ask() == []
    bring_in(
        book, [a_person(NEW, 9, cards=[{"number": "7001"}]), a_person(OTHER, 2, first_name="Olga", wallets=[lots(500)])]
    )
    told = till.named()
    assert told == [("customer", OTHER), ("customer", NEW), ("wallet", wallet_of(till, "customer", NEW))]
    assert till.rows["customer", NEW]["cards"] == [{"number": "7001", "external_id": None, "active": True}]
    assert till.is_current()


def test_a_card_that_is_closed_or_goes_tells_its_customer(book: Book, till: FeedTill) -> None:
    wallets = {"wallets": [lots(500)]}
    bring_in(book, [a_person(OTHER, 2, cards=[{"number": "7001"}], **wallets)])
    assert till.named() == [("customer", OTHER)]
    bring_in(book, [a_person(OTHER, 2, cards=[{"number": "7001", "active": False}], **wallets)])
    assert till.named() == [("customer", OTHER)]
    assert till.rows["customer", OTHER]["cards"][0]["active"] is False
    bring_in(book, [a_person(OTHER, 2, **wallets)])
    assert till.named() == [("customer", OTHER)]
    assert till.rows["customer", OTHER]["cards"] == []


def test_points_set_aside_under_a_lease_tell_the_wallet(book: Book, till: FeedTill) -> None:
    toms = wallet_of(till, "customer", TOMS)
    lot = schema.lot
    with book.store.write() as connection:  # As granting, closing and reclaiming a lease do.
        connection.execute(update(lot).where(lot.c.wallet_id == toms).values(res=40_000))
        raise_versions(connection, [toms])
    assert till.named() == [("wallet", toms)]
    assert (till.rows["wallet", toms]["balance"], till.rows["wallet", toms]["held_offline"]) == ("500", "40")


def test_a_paused_wallet_is_told(book: Book, till: FeedTill) -> None:
    bring_in(book, [a_person(OTHER, 2, wallets=[lots(500, state="PAUSED")])])
    wallet = wallet_of(till, "customer", OTHER)
    assert till.named() == [("wallet", wallet)]
    assert till.rows["wallet", wallet]["state"] == "PAUSED"


def test_imported_history_tells_the_wallets_it_counts_for(book: Book, till: FeedTill) -> None:
    line = {"kind": "redemption", "organisation": 1, "redemption_id": "OLD1", "customer_id": OTHER, "program_id": GOLD}
    bring_in(book, [{**line, "points": 20, "at": "2026-11-20T10:00:00+05:30"}])
    assert till.named() == [("wallet", wallet_of(till, "customer", OTHER))]


def test_settings_programs_and_operators_are_told(book: Book, till: FeedTill) -> None:
    bring_in(
        book, [an_organisation(program_group_redemption="enabled", risk={"enabled": True, "per_redemption": "12.5"})]
    )
    assert till.named() == [("organisation", 1)]
    assert till.rows["organisation", 1]["risk"]["per_redemption"] == "12.5"
    bring_in(book, [a_program(id=SILVER, name="Silver", default=False, points_currency_ratio="0.5", criteria={})])
    assert till.named() == [("program", SILVER)]
    new = operator_care.NewOperator(operator_id=7, name="R. Mehta", role="cashier", stores=("014",))
    operator_care.add_operator(book.tools, 1, new, "482193", must_change=False, who="test")
    assert till.named() == [("operator", 7)]
    assert "482193" not in str(till.rows["operator", 7])
    operator_care.activate_operator(book.tools, 1, 7, active=False, who="test")
    assert till.named() == [("operator", 7)]
    assert till.rows["operator", 7]["active"] is False
    operator_care.give_pin(book.tools, 1, 7, "193482", must_change=True, who="test")
    assert till.ask() == []  # Tills never learn of PINs.


def test_family_groups_are_told_with_their_wallets(book: Book, till: FeedTill) -> None:
    change = practice_moves.GroupChange(organisation_id=1, group_id=HOME, remove=[OTHER])
    practice_moves.change_family_group(book.tools, change)
    home = wallet_of(till, "family_group", HOME)
    assert till.named() == [("family_group", HOME), ("wallet", home)]
    assert [each["customer_id"] for each in till.rows["family_group", HOME]["members"]] == [TOMS]
    practice_moves.change_family_group(
        book.tools, practice_moves.GroupChange(organisation_id=1, group_id=HOME, status="INACTIVE")
    )
    assert till.named() == [("family_group", HOME)]
    assert till.rows["family_group", HOME]["status"] == "INACTIVE"
    bring_in(book, [a_family(90, {"customer_id": OTHER, "primary": True}, name="New", wallets=[lots(30)])])
    assert till.named() == [("family_group", 90), ("wallet", wallet_of(till, "family_group", 90))]


def test_a_row_that_is_gone_is_told_as_gone(book: Book, till: FeedTill) -> None:
    member, group = schema.family_member, schema.family_group
    with book.store.write() as connection:
        connection.execute(member.delete().where(member.c.family_group_id == HOME))
        connection.execute(schema.family_group_word.delete())
        connection.execute(group.delete().where(group.c.id == HOME))
    told = {(item.type, item.id): item.row for item in till.ask()}
    assert told["family_group", HOME] is None
    assert ("family_group", HOME) not in till.rows


def test_what_tills_do_not_keep_is_not_told(book: Book, till: FeedTill) -> None:
    customer = schema.customer
    with book.store.write() as connection:
        connection.execute(update(customer).where(customer.c.id == TOMS).values(codes_locked=True, code_right_at=5))
    assert till.ask() == []


def test_what_is_rolled_back_is_not_told(book: Book, till: FeedTill) -> None:
    with suppress(RuntimeError), book.store.write() as connection:
        connection.execute(update(schema.customer).values(tier="Gold"))
        raise RuntimeError
    assert till.ask() == []


# --- Much at once --------------------------------------------------------------------------------------------------


def notes_in(book: Book, *, with_stores: bool = True) -> int:
    count = select(func.count()).select_from(schema.change_feed)
    with book.store.read() as connection:
        every = count if with_stores else count.where(schema.change_feed.c.store.is_(None))
        return int(connection.execute(every).scalar_one())


def test_a_first_import_leaves_one_note_and_sends_old_cursors_to_a_new_snapshot(
    tmp_path: Path, ledger_url: str
) -> None:
    lines = a_moving_shop()
    people = [line for line in lines if line["kind"] in ("customer", "family_group")]
    with a_book(tmp_path, [line for line in lines if line not in people], url=ledger_url) as book:
        till = FeedTill(book).take_snapshot()
        before = notes_in(book)
        bring_in(book, people)
        assert notes_in(book) == before + 1
        with pytest.raises(GoneError, match="cursor_too_old"):
            till.ask()
        assert till.take_snapshot().is_current()
        redeem(book)
        assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]


def test_a_restored_ledger_begins_a_feed_anew_at_another_epoch(book: Book, till: FeedTill, tmp_path: Path) -> None:
    redeem(book)
    seen = book.customer_rows(till.till, by_id(TOMS))
    assert seen is not None
    file = tmp_path / "ledger.backup"
    back_up(book.store, file, secrets=tmp_path / "secrets", with_secrets=False, now=book.clock.wall())
    (tmp_path / "restored").mkdir()
    with a_book(tmp_path, url=f"sqlite:///{tmp_path / 'restored' / 'ledger.db'}") as restored:
        backup = BackupFile(file)
        restore(restored.store, backup, now=book.clock.wall())
        backup.close()
        assert notes_in(restored) == 0
        with pytest.raises(GoneError, match="epoch_changed"):
            restored.changes(till.till, till.cursor)
        again = FeedTill(restored).take_snapshot()
        assert again.rows == FeedTill(book).take_snapshot().rows
        in_store = FeedTill(restored, scope=Scope.STORE).take_snapshot()
        assert ("customer", TOMS) in in_store.rows  # Who was seen where comes back too.
        practice_moves.earn(restored.tools, CREDIT)
        assert [kind for kind, _ in again.named()] == ["wallet"]


# --- Cursors and tokens --------------------------------------------------------------------------------------------


def test_a_cursor_of_another_epoch_is_told_so(book: Book, till: FeedTill) -> None:
    meta = schema.meta
    with book.store.write() as connection:
        connection.execute(update(meta).where(meta.c.name == "epoch").values(number=2))
    with pytest.raises(GoneError, match="epoch_changed"):
        till.ask()
    assert till.take_snapshot().is_current()


def test_a_cursor_of_another_scope_or_store_is_told_so(book: Book, till: FeedTill) -> None:
    with pytest.raises(GoneError, match="scope_changed"):
        book.changes(till.till, till.cursor, scope=Scope.STORE)
    in_store = book.snapshot(till.till, Scope.STORE).as_of
    assert book.changes(till.till, in_store).items == []
    with book.store.write() as connection:
        connection.execute(update(schema.till).values(store="015"))
        connection.execute(update(schema.meta).where(schema.meta.c.name == "rules_version").values(number=99))
    with pytest.raises(GoneError, match="scope_changed"):
        book.changes(till.till, in_store)
    assert till.ask() == []  # Who keeps all does not mind.


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:9] + "AB"[text[9] == "A"] + text[10:], lambda _: "x", lambda _: "ä" * 9]
)
def test_an_edited_cursor_or_token_only_leads_to_a_new_snapshot(
    book: Book, till: FeedTill, spoil: Callable[[str], str]
) -> None:
    token = book.snapshot(till.till, Scope.ALL, None, 2).next_page
    assert token is not None
    assert max(len(token), len(till.cursor)) <= 200
    with pytest.raises(GoneError, match="cursor_too_old"):
        book.changes(till.till, spoil(till.cursor), scope=Scope.ALL)
    with pytest.raises(GoneError, match="page_expired"):
        book.snapshot(till.till, Scope.ALL, spoil(token))
    with pytest.raises(GoneError, match="page_expired"):
        book.snapshot(till.till, Scope.ALL, till.cursor)


def test_a_page_that_waited_for_an_hour_has_expired(book: Book, till: FeedTill, clock: FakeClock) -> None:
    token = book.snapshot(till.till, Scope.ALL, None, 2).next_page
    clock.advance(3600)
    assert book.snapshot(till.till, Scope.ALL, token, 2).items
    clock.advance(1)
    with pytest.raises(GoneError, match="page_expired"):
        book.snapshot(till.till, Scope.ALL, token, 2)


def test_a_cursor_beyond_the_feed_is_told_so(tmp_path: Path) -> None:
    with a_book(tmp_path, a_moving_shop()) as book:
        till = FeedTill(book).take_snapshot()
        redeem(book)
        till.ask()
        with book.store.write() as connection:  # A copy of the file was put back: no epoch tells of it.
            connection.execute(schema.change_feed.delete())
        with pytest.raises(GoneError, match="cursor_too_old"):
            till.ask()


def test_the_feed_is_kept_for_90_days_and_then_old_cursors_are_told_so(
    book: Book, till: FeedTill, clock: FakeClock
) -> None:
    jobs = Jobs(book)
    jobs.run(at_once=True)
    redeem(book, key=None)
    for _ in range(2):
        clock.advance(45 * 86_400)
        jobs.run(at_once=True)
    assert till.named() == [("wallet", wallet_of(till, "customer", TOMS))]
    stale = FeedTill(book).take_snapshot()
    redeem(book, key=None)
    redeem(book, key=None)
    assert notes_in(book, with_stores=False) >= 2
    for _ in range(3):
        clock.advance(46 * 86_400)
        till.ask()
        jobs.run(at_once=True)
    assert notes_in(book, with_stores=False) == 0
    assert notes_in(book) > 0  # The newest stays: its number must not be given again.
    with pytest.raises(GoneError, match="cursor_too_old"):
        stale.ask()
    till.take_snapshot()
    assert stale.take_snapshot().rows == till.rows
