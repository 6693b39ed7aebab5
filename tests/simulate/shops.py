"""The shops that schedules are played in: filled, enrolled and with a few leases, once for each process."""

from __future__ import annotations

import random
import shutil
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from simulate.shop_lines import CODED, LOGINS, PLAIN, shop_lines
from simulate.virtual import Time, VirtualClock
from support.a_ledger import encoded

from pos_app.ledger.leases.settings import LeaseSettings
from pos_app.ledger.loading.importer import import_file
from pos_app.ledger.secrets import LedgerSecrets
from pos_app.ledger.store import open_book

_SETTINGS = (
    LeaseSettings(),
    LeaseSettings(term_s=1800, settle_window_s=7200),
    LeaseSettings(phi=Decimal(1), term_s=3600, settle_window_s=24 * 3600),
    LeaseSettings(strict=True),
)
_SETTINGS_WEIGHTS = (4, 4, 2, 1)


@dataclass(frozen=True, slots=True)
class Shop:
    """A kind of shop (`shop_lines`), and by which settings its ledger lends."""

    kind: str
    number: int

    @classmethod
    def drawn(cls, rng: random.Random) -> Shop:
        """The shop of one seed."""
        kind = CODED if rng.random() < 0.3 else PLAIN
        return cls(kind, rng.choices(range(len(_SETTINGS)), _SETTINGS_WEIGHTS)[0])

    @staticmethod
    def all() -> list[Shop]:
        """Every shop there is."""
        return [Shop(kind, number) for kind in (PLAIN, CODED) for number in range(len(_SETTINGS))]

    @property
    def settings(self) -> LeaseSettings:
        """How its ledger lends."""
        return _SETTINGS[self.number]

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.kind}-{self.number}"


class Shops:
    """The files schedules begin with; the ledgers share their secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.secrets = LedgerSecrets.open(folder / "secrets")
        self.empty = folder / "empty.db"
        self._make(self.empty, None)

    def ledger(self, shop: Shop) -> Path:
        """The file of its ledger; made at the first call, its tills not yet enrolled."""
        file = self.folder / f"{shop.name}.db"
        if not file.exists():
            self._make(file, shop)
        return file

    def tills(self, shop: Shop) -> Path:
        """The folders of its tills; there once they were enrolled."""
        return self.folder / f"{shop.name}-tills"

    def keep(self, shop: Shop, played: Path) -> None:
        """The tills of the shop in this folder are enrolled: schedules begin from here."""
        shutil.copyfile(played / "ledger.db", self.ledger(shop))
        for login in LOGINS:
            shutil.copytree(played / login, self.tills(shop) / login)

    def _make(self, file: Path, shop: Shop | None) -> None:
        with closing(open_book(f"sqlite:///{file}", secrets=self.secrets, clock=VirtualClock(Time()))) as book:
            if shop is not None:
                import_file(book, encoded(shop_lines(shop.kind)), file_name="shop")
