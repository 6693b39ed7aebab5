"""How exact values stand in a column, for the journal and the cache alike. Nothing is ever a float."""

from __future__ import annotations

from datetime import UTC, date, datetime

from pos_app.domain.points import Points


def moment_text(moment: datetime) -> str:
    """A moment as UTC text of fixed width, so that texts compare as moments do.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment_text_or_none(moment: datetime | None) -> str | None:
    """The same, or NULL.

    Raises:
        ValueError: the moment has no time zone.
    """
    return None if moment is None else moment_text(moment)


def moment_or_none(text: str | None) -> datetime | None:
    """Read a moment back, in UTC."""
    return None if text is None else datetime.fromisoformat(text)


def day_or_none(text: str | None) -> date | None:
    """Read a day back."""
    return None if text is None else date.fromisoformat(text)


def points_or_none(thousandths: int | None) -> Points | None:
    """Read points back."""
    return None if thousandths is None else Points(thousandths)


def points_number(points: Points | None) -> int | None:
    """Points as their thousandths, or NULL."""
    return None if points is None else points.thousandths
