"""Colours, marks and texts of the theme (ux B.0, C8): contrast is recomputed, not believed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from pos_app.ui import theme
from pos_app.ui.marks import NAMES, mark_icon
from pos_app.ui.panel import TONES

ROOM = Path(theme.__file__).parent


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
def test_text_has_a_contrast_of_four_and_a_half_on_every_ground(name: str) -> None:
    colours = theme.tokens(name)
    weak = {
        f"{ink} on {ground}": round(theme.contrast(colours[ink], colours[ground]), 2)
        for ink, ground in theme.TEXT_PAIRS
        if theme.contrast(colours[ink], colours[ground]) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
def test_edges_and_focus_rings_have_a_contrast_of_three(name: str) -> None:
    colours = theme.tokens(name)
    weak = {
        f"{edge} on {ground}": round(theme.contrast(colours[edge], colours[ground]), 2)
        for edge, ground in theme.EDGE_PAIRS
        if theme.contrast(colours[edge], colours[ground]) < 3
    }
    assert weak == {}


def test_contrast_is_that_of_wcag() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#00664B", "#E3F5EF") == pytest.approx(6.19, abs=0.01)
    assert theme.contrast("#FFC857", "#33270A") == pytest.approx(9.51, abs=0.01)


def test_every_theme_has_the_same_tokens() -> None:
    assert theme.TOKENS["light"].keys() == theme.TOKENS["dark"].keys() == theme.TOKENS["contrast"].keys()


def test_no_widget_names_a_colour() -> None:
    named = [
        path.name
        for path in ROOM.glob("*.py")
        if path.name != "theme.py" and re.search(r"#[0-9A-Fa-f]{6}\b|GlobalColor\.(?!transparent)", path.read_text())
    ]
    assert named == []


def test_the_sheet_takes_its_colours_from_the_tokens_alone() -> None:
    used = set(re.findall(r"#[0-9A-Fa-f]{6}\b", theme.style_sheet("dark")))
    assert used <= set(theme.TOKENS["dark"].values())
    assert "$" not in theme.style_sheet("light", 20)


def test_every_state_of_the_panel_has_a_shape_of_its_own_in_grey(qapp: object) -> None:
    grey = {shape: _grey(shape) for shape in TONES}
    assert set(TONES) <= NAMES
    alike = [
        (one, other) for one in grey for other in grey if one < other and _difference(grey[one], grey[other]) < 0.02
    ]
    assert alike == []


def _grey(shape: str) -> bytes:
    picture = QImage(40, 40, QImage.Format.Format_Grayscale8)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    mark_icon(shape, "#333333", 40).paint(painter, picture.rect())
    painter.end()
    return bytes(picture.constBits())


def _difference(one: bytes, other: bytes) -> float:
    """The share of pixels that are clearly different."""
    return sum(abs(a - b) > 64 for a, b in zip(one, other, strict=True)) / len(one)
