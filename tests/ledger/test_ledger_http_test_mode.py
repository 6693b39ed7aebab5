"""`serve --test-mode`, and the administrator's calls on a running server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import requests
from support.ledger_server import CUSTOMER, LOGIN, PROGRAM, LedgerServer, basic, running_ledger

from pos_app.ledger.http.serving import CannotServeError, ServeOptions, check_options


def _headers(server: LedgerServer) -> dict[str, str]:
    token = (server.place.secrets / "admin.token").read_text(encoding="ascii").strip()
    return {"Authorization": f"Bearer {token}"}


def test_a_running_ledger_answers_its_administrator_and_moves_its_clock(tmp_path: Path) -> None:
    with running_ledger(tmp_path / "ledger", options={"test_mode": True}) as server:  # type: ignore[dict-item]
        headers = _headers(server)
        requests.get(f"{server.url}/sync/v1/capabilities", headers={"Authorization": basic()}, timeout=10)
        (till,) = requests.get(f"{server.url}/admin/tills", headers=headers, timeout=10).json()["tills"]
        assert till["login"] == LOGIN
        assert till["last_seen"] is not None
        credit = {"customer_id": CUSTOMER, "program_id": PROGRAM, "points": "25", "expires_on": "2030-01-01"}
        wallet = requests.post(f"{server.url}/admin/credit", json=credit, headers=headers, timeout=10).json()
        assert wallet["balance"] == "525"
        ten_years = {"seconds": 10 * 366 * 24 * 3600}
        assert requests.post(f"{server.url}/admin/tick", json=ten_years, headers=headers, timeout=10).status_code == 200
        by_id = f"{server.url}/admin/wallet/{wallet['wallet_id']}"
        assert requests.get(by_id, headers=headers, timeout=10).json()["balance"] == "0"
        invariants = requests.get(f"{server.url}/admin/invariants", headers=headers, timeout=10).json()
        assert (invariants["ok"], invariants["violations"]) == (True, [])
        assert server.stop() == 0
        assert "test mode: an administrator may move the clock" in server.log()


def test_a_ledger_that_is_no_test_has_no_clock_to_move(tmp_path: Path) -> None:
    with running_ledger(tmp_path / "ledger") as server:
        for path in ("tick", "credit", "family-group"):
            answer = requests.post(f"{server.url}/admin/{path}", json={}, headers=_headers(server), timeout=10)
            assert answer.status_code == 404
        server.stop()
        assert "test mode" not in server.log()


def test_test_mode_is_refused_in_packaged_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    check_options(ServeOptions(test_mode=True))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(CannotServeError, match="packaged"):
        check_options(ServeOptions(test_mode=True))


def test_test_mode_is_of_one_process() -> None:
    with pytest.raises(CannotServeError, match="--processes"):
        check_options(ServeOptions(test_mode=True, processes=2))
