"""The shapes of the states, painted: each can be told apart in grey, at any size (ux B.0, B.4, check C7)."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QIcon

_SIDE: Final = 40.0
"""Shapes are drawn on a square of 40 units, whatever size they are shown at."""
_CENTRE: Final = QPointF(20, 20)


def _polygon(*points: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points])


def _ring(painter: QPainter, radius: float = 16) -> None:
    painter.drawEllipse(_CENTRE, radius, radius)


def _filled(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())


def _tick(painter: QPainter, shift: float = 0) -> None:
    painter.drawPolyline(_polygon((12 + shift, 20.5), (17.5 + shift, 26), (28 + shift, 14.5)))


def _letter(painter: QPainter, letter: str, top: float = 0) -> None:
    from PySide6.QtCore import Qt

    font = painter.font()
    font.setPixelSize(22)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(QRectF(0, top, _SIDE, _SIDE), Qt.AlignmentFlag.AlignCenter, letter)


def _open_ring(painter: QPainter) -> None:
    painter.drawArc(QRectF(4, 4, 32, 32), 90 * 16, -270 * 16)


def _check_in_circle(painter: QPainter) -> None:
    _ring(painter)
    _tick(painter)


def _cross_in_octagon(painter: QPainter) -> None:
    corners = [(20 + 17 * cos(pi / 8 + n * pi / 4), 20 + 17 * sin(pi / 8 + n * pi / 4)) for n in range(8)]
    painter.drawPolygon(_polygon(*corners))
    painter.drawLine(QPointF(14, 14), QPointF(26, 26))
    painter.drawLine(QPointF(26, 14), QPointF(14, 26))


def _triangle(painter: QPainter) -> None:
    painter.drawPolygon(_polygon((20, 4), (37, 35), (3, 35)))
    _letter(painter, "!", 4)


def _clock(painter: QPainter) -> None:
    _ring(painter)
    painter.drawPolyline(_polygon((20, 10), (20, 20), (27, 24)))


def _question_in_dashes(painter: QPainter) -> None:
    pen = QPen(painter.pen())
    _letter(painter, "?")
    pen.setDashPattern([2.2, 1.8])
    painter.setPen(pen)
    _ring(painter)


def _double_check(painter: QPainter) -> None:
    _tick(painter, -7)
    _tick(painter, 5)


def _spanner(painter: QPainter) -> None:
    painter.drawLine(QPointF(8, 32), QPointF(23, 17))
    painter.drawArc(QRectF(19, 5, 16, 16), 60 * 16, -290 * 16)


def _diamond(painter: QPainter) -> None:
    _filled(painter)
    painter.drawPolygon(_polygon((20, 4), (36, 20), (20, 36), (4, 20)))


def _full_circle(painter: QPainter) -> None:
    _filled(painter)
    _ring(painter, 13)


def _dot_stroke(painter: QPainter, pen: QPen) -> None:
    pen.setWidthF(7.6)  # So wide that the ring closes to a dot.
    path = QPainterPath()
    path.addEllipse(_CENTRE, 3.8, 3.8)
    painter.strokePath(path, pen)


def _hollow_circle_stroke(painter: QPainter, pen: QPen) -> None:
    path = QPainterPath()
    path.addEllipse(_CENTRE, 13, 13)
    painter.strokePath(path, pen)


def _lock_stroke(painter: QPainter, pen: QPen) -> None:
    shackle = QPainterPath()
    shackle.addEllipse(QRectF(12, 4, 16, 22))
    painter.strokePath(shackle, pen)
    body = QPainterPath(QPointF(17, 26))
    body.lineTo(23, 26)
    pen.setWidthF(21.2)  # A line so wide is a block, and covers the lower half of the shackle.
    painter.strokePath(body, pen)


SHAPES: Final[dict[str, Callable[[QPainter], None]]] = {
    "checking": _open_ring,
    "redeemable": _check_in_circle,
    "refused": _cross_in_octagon,
    "otp_failed": _triangle,
    "pending": _clock,
    "unknown": _question_in_dashes,
    "redeemed": _double_check,
    "config": _spanner,
    "training": _diamond,
    "online": _full_circle,
}
STROKES: Final[dict[str, Callable[[QPainter, QPen], None]]] = {
    "idle": _dot_stroke,
    "offline": _hollow_circle_stroke,
    "lock": _lock_stroke,
}
"""The shapes of the first paint, made of strokes alone: a painter's own pen and brush would load the class `Qt`, a
tenth of the time until the window is seen (see `handles.set_choice`)."""

NAMES: Final = frozenset({*SHAPES, *STROKES})
"""A shape for each verdict state, and for the banner, the line and the lock."""


def mark_icon(shape: str, colour: str, side_px: int, ratio: float = 1.0) -> QIcon:
    """A shape as an icon, sharp on a screen of this device pixel ratio."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QIcon, QPixmap  # Slow to load, and not needed before the first paint.

    picture = QPixmap(round(side_px * ratio), round(side_px * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    _draw(painter, shape, colour, side_px)
    painter.end()
    return QIcon(picture)


def _draw(painter: QPainter, shape: str, colour: str, side_px: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side_px / _SIDE, side_px / _SIDE)
    pen = QPen()
    pen.setColor(QColor(colour))
    pen.setWidthF(3.2)
    stroke = STROKES.get(shape)
    if stroke is not None:
        stroke(painter, pen)
        return
    from PySide6.QtCore import Qt

    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    SHAPES[shape](painter)


class Mark(QWidget):
    """Shows one shape. It is decoration: the word beside it says the same."""

    def __init__(self, shape: str, colour: str, side_px: int) -> None:
        super().__init__()
        self._shape = shape
        self._colour = colour
        self.setFixedSize(QSize(side_px, side_px))

    @property
    def shape(self) -> str:
        """The name of the shape shown."""
        return self._shape

    def show_shape(self, shape: str, colour: str) -> None:
        """Show another shape, in a colour of the theme."""
        if (shape, colour) != (self._shape, self._colour):
            self._shape, self._colour = shape, colour
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the shape."""
        painter = QPainter(self)
        _draw(painter, self._shape, self._colour, self.width())
        painter.end()
