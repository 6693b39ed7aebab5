"""Looking a customer up by the rows of the feed, where the service has the extension."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.builders import CUSTOMER_ID, FAMILY_GROUP_ID, a_customer, a_program, a_record, a_wallet, by_mobile
from support.clock import FakeClock
from support.fake_ledger import ScriptedLedger
from support.feed_ledger import A_SHOP, FeedLedger, customer_item, wallet_item
from support.files import DATABASE_KEY

from pos_app.cache import SqlCache
from pos_app.domain.points import Points
from pos_app.domain.request import CustomerRef, IdentifierKind
from pos_app.domain.trouble import LineDownError
from pos_app.services.line import Line
from pos_app.services.lookup import LookupService
from pos_app.services.results import CannotLookUpOfflineError, LineState, Source
from pos_app.services.row_lookup import RowLookup

CARD = CustomerRef(IdentifierKind.CARD_NUMBER, "7700-123")
SCANNED = customer_item(a_customer(cards=("7700-123",), default_family_group_id=FAMILY_GROUP_ID))


class Till:
    """A till with lookups by rows; `offers` says whether the service has the extension."""

    def __init__(self, folder: Path, feed: FeedLedger, *, offers: bool = True, **script: object) -> None:
        self.clock = FakeClock()
        self.feed = feed
        self.ledger = ScriptedLedger(**script)  # type: ignore[arg-type]
        self.cache = SqlCache.open(folder / "cache.db", DATABASE_KEY, self.clock)
        self.line = Line(self.ledger, self.clock)
        rows = RowLookup(feed, self.cache, lambda: offers)  # type: ignore[arg-type] - only rows are asked for
        self.lookup = LookupService(self.ledger, self.cache, self.line, self.clock, rows=rows)


def test_a_scanned_card_that_was_never_here_is_fetched_and_kept(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger([*A_SHOP, SCANNED]), program=[a_program()])
    found = till.lookup.find(CARD)
    assert found is not None
    assert found.source is Source.LEDGER
    assert found.record.customer.customer_id == CUSTOMER_ID
    assert [each.balance for each in found.record.wallets] == [Points.of(500)]
    assert [each.group_id for each in found.record.family_groups] == [FAMILY_GROUP_ID]
    assert [each.name for each in found.record.programs] == [a_program().name], "its rules were fetched, too"
    till.line.met(LineDownError())
    offline = till.lookup.find(CARD)
    assert offline is not None
    assert offline.source is Source.CACHE
    assert offline.record.wallets == found.record.wallets
    assert till.ledger.calls("find_customer") == []
    till.cache.close()


def test_a_program_that_is_not_known_beside_one_that_is_gets_its_name(tmp_path: Path) -> None:
    beside = wallet_item(a_wallet(80, program_id=974), wallet_id=8802)
    till = Till(
        tmp_path, FeedLedger([*A_SHOP, SCANNED, beside]), program=[a_program(), a_program(974, name="Beauty Club")]
    )
    till.cache.keep_program(a_program(), till.clock.wall())
    found = till.lookup.find(CARD)
    assert found is not None
    assert {each.name for each in found.record.programs} == {a_program().name, "Beauty Club"}
    till.cache.close()


def test_nobody_has_this_identifier(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger())
    assert till.lookup.find(CARD) is None
    assert till.line.view.state is LineState.ONLINE
    till.cache.close()


def test_a_service_without_the_extension_is_asked_as_documented(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger(), offers=False, find_customer=[a_record()], program=[a_program()])
    found = till.lookup.find(by_mobile())
    assert found is not None
    assert till.feed.asked == []
    assert len(till.ledger.calls("find_customer")) == 1
    till.cache.close()


def test_a_line_that_is_down_is_met_and_the_cache_answers(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger(), program=[a_program()])
    till.feed.trouble = [LineDownError()]
    with pytest.raises(CannotLookUpOfflineError):
        till.lookup.find(by_mobile())
    assert till.line.view.state is LineState.OFFLINE
    till.cache.close()


def test_a_lookup_tells_what_is_newest_also_where_the_feed_was_here_before(tmp_path: Path) -> None:
    till = Till(tmp_path, FeedLedger(), program=[a_program()])
    till.lookup.find(by_mobile())
    till.feed.put(wallet_item(a_wallet(20), version=8))
    till.clock.advance(60)
    found = till.lookup.find(by_mobile())
    assert found is not None
    assert [each.balance for each in found.record.wallets] == [Points.of(20)]
    assert found.as_of == till.clock.wall()
    till.cache.close()
