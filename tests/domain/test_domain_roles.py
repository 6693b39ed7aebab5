"""Who may do what: the table of reliability 4.7, typed as it stands there."""

from __future__ import annotations

import pytest

from pos_app.domain.roles import Act, Role, may

CASHIER = "look_up check send_code redeem cancel_before_receipt reveal_identifiers".split()
SUPERVISOR = "approve decide_open_rows close_day leave_kiosk".split()
MANAGER = "settings enrol mark_lost operators export diagnostics".split()


@pytest.mark.parametrize("act", CASHIER)
def test_a_cashiers_work_is_done_by_cashiers_and_those_above(act: str) -> None:
    assert {role for role in Role if may(role, Act(act))} == {Role.CASHIER, Role.SUPERVISOR, Role.MANAGER}


@pytest.mark.parametrize("act", SUPERVISOR)
def test_a_supervisors_work_is_done_by_supervisors_and_managers(act: str) -> None:
    assert {role for role in Role if may(role, Act(act))} == {Role.SUPERVISOR, Role.MANAGER}


@pytest.mark.parametrize("act", MANAGER)
def test_a_managers_work_is_done_by_managers(act: str) -> None:
    assert {role for role in Role if may(role, Act(act))} == {Role.MANAGER}


def test_an_auditor_reads_and_does_nothing_else() -> None:
    assert {act for act in Act if may(Role.AUDITOR, act)} == {Act.READ_JOURNAL, Act.READ_REPORTS}


def test_trainers_supervisors_and_managers_start_the_trainer_mode() -> None:
    assert {role for role in Role if may(role, Act.TRAIN)} == {Role.TRAINER, Role.SUPERVISOR, Role.MANAGER}
    assert {act for act in Act if may(Role.TRAINER, act)} == {Act.TRAIN}


def test_a_role_that_nobody_knows_may_do_nothing() -> None:
    assert not any(may("owner", act) for act in Act)


def test_every_act_is_somebodys() -> None:
    assert all(any(may(role, act) for role in Role) for act in Act)
