"""The end-of-day report in words: for the screen, for paper, and for a screen reader alike (reliability 4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from PySide6.QtCore import QCoreApplication

from pos_app.services.reports import DayReport, Line
from pos_app.ui.desk_words import state_text
from pos_app.ui.formats import day_text, isolated_words, points_text, time_text
from pos_app.ui.redemption_words import reference_of

CONTEXT: Final = "day"


def _said(text: str) -> str:
    return QCoreApplication.translate(CONTEXT, text)


def period_text(report: DayReport) -> str:
    """From when to when."""
    return _said("From {from_day} {from_time} to {to_day} {to_time}").format(
        from_day=day_text(report.since.astimezone().date()),
        from_time=time_text(report.since),
        to_day=day_text(report.until.astimezone().date()),
        to_time=time_text(report.until),
    )


def figures(report: DayReport, people: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """The figures: what, how many, how many points. `people` names operators by their number."""
    named: list[tuple[str, Line]] = [
        (_said("Redeemed"), report.made),
        (_said("of these at the service"), report.online),
        (_said("of these offline"), report.offline),
        (_said("Given back"), report.given_back),
        (_said("Refused"), report.refused),
        (_said("Cancelled"), report.cancelled),
        (_said("Borne by the store"), report.store_loss),
    ]
    for number, line in report.by_cashier:
        who = _said("nobody signed in") if number is None else people.get(number, str(number))
        named.append((_said("Redeemed by {operator}").format(operator=isolated_words(who)), line))
    return [(what, str(line.count), points_text(line.points)) for what, line in named]


def open_lines(report: DayReport) -> list[str]:
    """What is still open, a line a row: its state, its points, its reference. No customer stands on this paper."""
    rows = {row.key: (row, False) for row in report.open_rows} | {row.key: (row, True) for row in report.attention}
    return [
        _said("{state}: {points} points, reference {key}").format(
            state=state_text(row, needs_attention=needs), points=points_text(row.points), key=reference_of(row.key)
        )
        for row, needs in rows.values()
    ]


def report_html(report: DayReport, place: str, people: Mapping[int, str]) -> str:
    """The report as it is shown and printed."""
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td align='right'>{escape(count)}</td><td align='right'>{escape(points)}</td></tr>"
        for what, count, points in figures(report, people)
    )
    titles = (("What", "left"), ("How many", "right"), ("Points", "right"))
    head = "".join(f"<th align='{side}'>{escape(_said(each))}</th>" for each, side in titles)
    still_open = open_lines(report)
    listed = "".join(f"<li>{escape(line)}</li>" for line in still_open)
    rest = (
        f"<p><b>{escape(_said('Still open'))}</b></p><ul>{listed}</ul>"
        if still_open
        else f"<p>{escape(_said('Nothing is open.'))}</p>"
    )
    return (
        f"<h2>{escape(_said('End of day'))}</h2><p>{escape(place)}<br>{escape(period_text(report))}</p>"
        f"<table cellspacing='0' cellpadding='4' width='100%'><tr>{head}</tr>{rows}</table>{rest}"
    )
