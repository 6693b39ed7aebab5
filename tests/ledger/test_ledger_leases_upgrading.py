"""A filled ledger of version 2, the last one without leases, goes on with them (reliability 4.5)."""

from __future__ import annotations

import json
from pathlib import Path

from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text, update
from support.a_ledger import a_book
from support.clock import FakeClock
from support.lease_kit import LeaseKit, TillSide, pts, public_key
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM
from support.old_ledger import its_clock, make_old_ledger, secrets_folder

from pos_app.ledger import schema
from pos_app.ledger.databases.backend import WRITER, backend_for
from pos_app.ledger.databases.database import raise_rules_version
from pos_app.ledger.databases.upgrading import MIGRATIONS
from pos_app.wire.canonical import canonical_json


def leave_version_2(url: str, key: Ed25519PrivateKey) -> None:
    """Bring a filled ledger of version 1 to version 2 only, and let a till enrol there."""
    make_old_ledger(url)
    backend, parsed = backend_for(url)
    engine = backend.open_engine(parsed)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(**{WRITER: True}) as connection, connection.begin():
        config.attributes["connection"] = connection
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
        command.upgrade(config, "0002")
        connection.execute(
            text("UPDATE till SET till_epoch = 1, public_key = :key WHERE login = :login"),
            {"key": public_key(key), "login": LOGIN},
        )
        connection.execute(
            text(
                "INSERT INTO till_key (login, till_epoch, public_key, enrolled_at, software, platform)"
                " VALUES (:login, 1, :key, 0, '1.3', 'linux')"
            ),
            {"key": public_key(key), "login": LOGIN},
        )
        connection.execute(
            text("INSERT INTO till_seen (login, at, outbox_count, version) VALUES (:login, 5, 2, '1.3')"),
            {"login": LOGIN},
        )
    engine.dispose()


def test_a_filled_ledger_of_version_2_grants_and_settles_after_its_upgrade(
    empty_database_url: str, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    leave_version_2(empty_database_url, key)
    secrets_folder(tmp_path)
    clock = FakeClock(its_clock())
    with a_book(tmp_path, url=empty_database_url, clock=clock) as book:
        kit = LeaseKit(book, clock)
        assert kit.differences() == []
        (seen,) = kit.rows(schema.till_seen)
        assert (seen.outbox_count, seen.version, seen.audit_head) == (2, "1.3", None)
        offline = {"offline_redemption": True}
        with book.store.write() as connection:
            for row in connection.execute(select(schema.program)).all():
                settings = canonical_json({**json.loads(row.settings), **offline})
                connection.execute(
                    update(schema.program).where(schema.program.c.id == row.id).values(settings=settings)
                )
            raise_rules_version(connection)
        side = TillSide(kit, LOGIN, key)
        lease = side.lease(CUSTOMER, program_id=PROGRAM)
        assert lease.amount == pts(160)  # Four fifths of the 200 points that were left.
        settled = side.settle_one(side.spend(100, lease))
        assert (settled.seq, settled.from_lease) == (1, pts(100))
        assert side.close(lease, 100).freed == pts(60)
        assert kit.differences() == []
