"""A backup is of one moment, taken while tills go on; it comes back on either kind of database, and is counted."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select
from support.a_ledger import BookKit, a_kit, asking, redeeming
from support.clock import FakeClock
from support.databases import KINDS, PostgresqlServer
from support.ledger_server import CUSTOMER, MOBILE, PROGRAM, a_customer, a_program, a_till, an_organisation

from pos_app.cli import pos_app
from pos_app.domain.commands import Cancel
from pos_app.domain.points import Points
from pos_app.ledger import schema
from pos_app.ledger.care.backup_file import MANIFEST, BackupFile, BadBackupError, KeptTable
from pos_app.ledger.care.care_commands import back_up_ledger, restore_ledger
from pos_app.ledger.care.restore import restore
from pos_app.ledger.commands import LedgerPlace

KEYS = [f"6Q2P0V8RJX4M1TZC9WD3HKYB{number:02d}" for number in range(50)]
LINES = [an_organisation(), a_program(), a_till(), a_customer(points=5000)]


@dataclass
class Drill:
    """A ledger, and the places its backup comes back to. `said` is what the commands told."""

    folder: Path
    url: str
    fresh_url: Callable[[], str]

    def __post_init__(self) -> None:
        self.said: list[str] = []
        self.file = self.folder / "ledger.backup"

    def place(self, url: str | None = None, secrets: str = "secrets") -> LedgerPlace:
        return LedgerPlace(url or self.url, self.folder / secrets, self.folder)

    def back_up(self, *, with_secrets: bool = False) -> int:
        return back_up_ledger(self.place(), self.file, with_secrets=with_secrets, say=self.said.append)

    def restore(self, url: str, secrets: str = "secrets") -> int:
        return restore_ledger(self.place(url, secrets), self.file, self.said.append)


@pytest.fixture(params=KINDS)
def to_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def drill(request: pytest.FixtureRequest, tmp_path: Path, ledger_url: str, to_kind: str) -> Iterator[Drill]:
    """From each kind of database to each kind."""
    made: list[str] = []

    def fresh_url() -> str:
        if to_kind == "sqlite":
            made.append(f"restored-{len(made)}.db")
            return f"sqlite:///{tmp_path / made[-1]}"
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        made.append(server.fresh())
        return server.url(made[-1])

    yield Drill(tmp_path, ledger_url, fresh_url)
    if to_kind != "sqlite":
        for name in made:
            request.getfixturevalue("postgresql_server").drop(name)


@pytest.fixture
def filled(drill: Drill) -> Iterator[BookKit]:
    """A ledger with a redemption, a cancelled one, and a code that is out."""
    with a_kit(drill.folder, LINES, url=drill.url) as kit:
        kit.ledger.redeem(redeeming(CUSTOMER, 100, KEYS[0]))
        kit.ledger.redeem(redeeming(CUSTOMER, 50, KEYS[1]))
        kit.ledger.cancel(Cancel(key=KEYS[1]))
        kit.ledger.check(asking(CUSTOMER, 120, issue_otp=True))
        yield kit


def test_a_restored_ledger_goes_on_where_the_backup_was_taken(drill: Drill, filled: BookKit) -> None:
    first = filled.ledger.redeem(redeeming(CUSTOMER, 10, KEYS[2]))
    assert drill.back_up() == 0
    url = drill.fresh_url()
    assert drill.restore(url) == 0
    with a_kit(drill.folder, [], url=url) as kit:
        assert kit.book.verify() == []
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(4890)
        assert kit.ledger.capabilities().epoch > 1
        again = kit.ledger.redeem(redeeming(CUSTOMER, 10, KEYS[2]))
        assert (again.redemption_id, again.code) == (first.redemption_id, 800)
        assert again.extension is not None
        assert again.extension.replayed
        (code,) = filled.codes_sent
        assert kit.ledger.redeem(redeeming(CUSTOMER, 120, KEYS[3], validation_code=code)).code == 800
        kit.ledger.redeem(redeeming(CUSTOMER, 20, KEYS[4]))
        assert kit.balance(CUSTOMER, PROGRAM) == Points.of(4750)
        assert kit.book.verify() == []


def test_a_backup_under_load_is_of_one_moment(drill: Drill, filled: BookKit) -> None:
    enough = threading.Event()

    def spend() -> None:
        for number, key in enumerate(KEYS[5:]):
            filled.ledger.redeem(redeeming(CUSTOMER, 10, key))
            if number == 10:
                enough.set()

    spender = threading.Thread(target=spend)
    spender.start()
    assert enough.wait(30)
    known_before = filled.balance(CUSTOMER, PROGRAM)
    assert drill.back_up() == 0
    spender.join()
    url = drill.fresh_url()
    assert drill.restore(url) == 0
    with a_kit(drill.folder, [], url=url) as kit:
        assert kit.book.verify() == []
        assert kit.balance(CUSTOMER, PROGRAM) <= known_before
        for key in KEYS[5:]:
            kit.ledger.redeem(redeeming(CUSTOMER, 10, key))  # Offered again, as tills do after a restore.
        assert kit.balance(CUSTOMER, PROGRAM) == filled.balance(CUSTOMER, PROGRAM)
        assert kit.book.verify() == []


def test_the_same_backup_restored_twice_has_two_epochs(drill: Drill, filled: BookKit) -> None:
    drill.back_up()
    epochs = set()
    for seconds in range(2):
        store = drill.place(drill.fresh_url()).open_store(must_exist=False)
        with closing(store), closing(BackupFile(drill.file)) as file:
            epochs.add(restore(store, file, now=FakeClock().wall() + timedelta(seconds=seconds)))
    assert len(epochs) == 2


def test_every_restore_is_told_of_and_has_a_later_epoch(drill: Drill, filled: BookKit) -> None:
    drill.back_up()
    url, last = drill.fresh_url(), drill.fresh_url()
    drill.restore(url)
    with a_kit(drill.folder, [], url=url) as kit:
        first = kit.ledger.capabilities().epoch
    second = Drill(drill.folder, url, drill.fresh_url)
    second.back_up()
    assert second.restore(last) == 0
    with a_kit(drill.folder, [], url=last) as kit:
        assert kit.ledger.capabilities().epoch > first > 1
        with kit.book.store.read() as connection:
            acts = connection.execute(select(schema.audit.c.act).order_by(schema.audit.c.id)).scalars().all()
        assert acts[-2:] == ["ledger.restore", "ledger.restore"]
        assert kit.book.verify() == []


def test_a_ledger_that_holds_something_is_not_restored_into(drill: Drill, filled: BookKit) -> None:
    drill.back_up()
    assert drill.restore(drill.url) == 1
    assert "already holds something" in drill.said[-1]
    assert filled.book.verify() == []
    assert filled.ledger.capabilities().epoch == 1


@pytest.fixture
def backed_up(tmp_path: Path) -> Drill:
    """A backup of a ledger in a file; where it comes back to does not matter."""
    drill = Drill(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", lambda: f"sqlite:///{tmp_path / 'back.db'}")
    with a_kit(tmp_path, LINES) as kit:
        kit.ledger.redeem(redeeming(CUSTOMER, 100, KEYS[0]))
    assert drill.back_up() == 0
    return drill


def test_no_byte_of_a_backup_can_be_changed_unnoticed(backed_up: Drill) -> None:
    """A changed byte either makes the file refused, or is one that says nothing, and the same rows come back."""
    whole = backed_up.file.read_bytes()
    before = BackupFile(backed_up.file)
    expected = {kept.name: list(before.rows(kept)) for kept in before.manifest.tables}
    before.close()
    refused = 0
    the_end = range(len(whole) - 64, len(whole))  # Where the archive tells how to find everything in it.
    for place in (*range(0, len(whole), max(1, len(whole) // 400)), *the_end):
        backed_up.file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        try:
            changed = BackupFile(backed_up.file)
        except BadBackupError:
            refused += 1
        else:
            assert {kept.name: list(changed.rows(kept)) for kept in changed.manifest.tables} == expected
            changed.close()
    assert refused > 200


def test_a_backup_that_was_cut_is_refused_with_a_sentence(backed_up: Drill) -> None:
    backed_up.file.write_bytes(backed_up.file.read_bytes()[:-100])
    assert backed_up.restore(backed_up.fresh_url()) == 1
    assert backed_up.said[-1] == f"{backed_up.file} is no backup of a ledger, or it is damaged."
    assert not (backed_up.folder / "back.db").exists()


def test_a_file_of_another_kind_is_refused_with_a_sentence(backed_up: Drill) -> None:
    with ZipFile(backed_up.file, "w") as archive:
        archive.writestr(MANIFEST, '{"format": "something else"}')
    assert backed_up.restore(backed_up.fresh_url()) == 1
    assert "is no backup of a ledger" in backed_up.said[-1]


def test_a_backup_of_another_version_is_refused_with_a_sentence(backed_up: Drill) -> None:
    manifest = replace(_manifest(backed_up), schema=99)
    with ZipFile(backed_up.file, "w") as archive:
        archive.writestr(MANIFEST, manifest.write())
    assert backed_up.restore(backed_up.fresh_url()) == 1
    assert "restore it with that version" in backed_up.said[-1]


def test_a_table_nobody_knows_is_refused_with_a_sentence(backed_up: Drill) -> None:
    strange = replace(_manifest(backed_up), tables=(KeptTable("strangers", ("id",), 0, ""),))
    with ZipFile(backed_up.file, "w") as archive:
        archive.writestr(MANIFEST, strange.write())
    assert backed_up.restore(backed_up.fresh_url()) == 1
    assert "strangers" in backed_up.said[-1]


def _manifest(drill: Drill):  # type: ignore[no-untyped-def]
    backup = BackupFile(drill.file)
    backup.close()
    return backup.manifest


# --- Secrets -------------------------------------------------------------------------------------------------------


def _bytes_of_secrets(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(folder.iterdir())}


def test_secrets_are_only_in_a_backup_that_was_asked_for_them(backed_up: Drill) -> None:
    assert "It holds no secrets" in backed_up.said[-1]
    with ZipFile(backed_up.file) as archive:
        assert not [name for name in archive.namelist() if name.startswith("secrets/")]
    backed_up.back_up(with_secrets=True)
    assert "pepper, signing.key, admin.token" in backed_up.said[-1]
    with ZipFile(backed_up.file) as archive:
        pepper = archive.read("secrets/pepper")
    assert pepper == (backed_up.folder / "secrets" / "pepper").read_bytes()


@pytest.mark.parametrize("with_secrets", [False, True])
def test_only_its_owner_can_read_a_backup(backed_up: Drill, with_secrets: bool) -> None:
    backed_up.file.chmod(0o666)
    backed_up.back_up(with_secrets=with_secrets)
    assert stat.S_IMODE(backed_up.file.stat().st_mode) == 0o600


def test_secrets_come_back_private_and_the_ledger_knows_its_tills_again(backed_up: Drill) -> None:
    backed_up.back_up(with_secrets=True)
    assert backed_up.restore(backed_up.fresh_url(), "elsewhere") == 0
    elsewhere = backed_up.folder / "elsewhere"
    assert _bytes_of_secrets(elsewhere) == _bytes_of_secrets(backed_up.folder / "secrets")
    assert {stat.S_IMODE(each.stat().st_mode) for each in elsewhere.iterdir()} == {0o600}


def test_other_secrets_are_never_overwritten(backed_up: Drill) -> None:
    backed_up.back_up(with_secrets=True)
    other = backed_up.folder / "elsewhere" / "pepper"
    other.parent.mkdir()
    other.write_bytes(b"x" * 32)
    assert backed_up.restore(backed_up.fresh_url(), "elsewhere") == 1
    assert "not overwritten" in backed_up.said[-1]
    assert other.read_bytes() == b"x" * 32


@pytest.mark.parametrize(
    ("folder", "expected"), [("secrets", "are those of this ledger"), ("elsewhere", "are missing")]
)
def test_a_restore_without_secrets_says_whether_the_right_ones_are_there(
    backed_up: Drill, folder: str, expected: str
) -> None:
    assert backed_up.restore(backed_up.fresh_url(), folder) == 0
    assert expected in backed_up.said[-1]


# --- The command line ----------------------------------------------------------------------------------------------


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(pos_app, [str(each) for each in arguments])


def test_the_commands_back_up_restore_and_verify(backed_up: Drill, tmp_path: Path) -> None:
    file, url = tmp_path / "by-hand.backup", backed_up.fresh_url()
    secrets = ("--secrets", tmp_path / "secrets")
    ran = _run("ledger", "backup", file, "--db", backed_up.url, *secrets)
    assert (ran.exit_code, ran.output.startswith("Backed up ")) == (0, True)
    ran = _run("ledger", "restore", file, "--db", url, *secrets)
    assert (ran.exit_code, "epoch is now " in ran.output) == (0, True)
    ran = _run("ledger", "verify", "--db", url)
    assert (ran.exit_code, ran.output) == (0, "The ledger is clean.\n")
    assert MOBILE not in ran.output


def test_a_ledger_that_is_not_there_is_not_backed_up(tmp_path: Path) -> None:
    ran = _run("ledger", "backup", tmp_path / "f", "--db", f"sqlite:///{tmp_path / 'typo.db'}")
    assert ran.exit_code == 2
    assert "There is no ledger at" in ran.output
    assert not (tmp_path / "f").exists()
