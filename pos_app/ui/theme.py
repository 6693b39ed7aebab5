"""Colours, sizes and the one style sheet: every colour of the window comes from `TOKENS` (ux B.0).

Widget code names no colour. A state is a dynamic property (`state="refused"`, `role="primary"`) and `repolish` makes it
visible. Pairs that must be readable stand in `TEXT_PAIRS` and `EDGE_PAIRS`; a test recomputes their contrast.

Marks of check boxes, radio buttons and lists are drawn with borders and gradients, not with pictures: nothing has to
be read from disk before the first paint, and any text size is sharp.
"""

from __future__ import annotations

from functools import cache
from string import Template
from types import MappingProxyType
from typing import Final

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget

CONTROL_PX: Final = 48
"""The least height of anything that is pressed or typed into."""
GAP_PX: Final = 8
BASE_PX: Final = 16
TONES: Final = ("ok", "refused", "caution", "pending", "unknown")

_LIGHT: Final = {
    "window": "#FFFFFF",
    "field": "#FFFFFF",
    "raised": "#F3F5F7",
    "text": "#16191D",
    "quiet": "#4A4F57",
    "off": "#5F6670",
    "off_field": "#EEF0F2",
    "border": "#6B7280",
    "line": "#D5D9DE",
    "focus": "#0B5394",
    "accent": "#0B5394",
    "on_accent": "#FFFFFF",
    "ok": "#00664B",
    "ok_tint": "#E3F5EF",
    "on_ok": "#FFFFFF",
    "refused": "#A4161A",
    "refused_tint": "#FDECEA",
    "caution": "#7A4B00",
    "caution_tint": "#FFF4D6",
    "pending": "#5B3FA0",
    "pending_tint": "#EFEAFB",
    "unknown": "#4A4F57",
    "unknown_tint": "#EEF0F2",
    "training": "#8A0F6B",
    "on_training": "#FFFFFF",
}
_DARK: Final = {
    "window": "#111418",
    "field": "#111418",
    "raised": "#1B2026",
    "text": "#F1F3F5",
    "quiet": "#B8C0CC",
    "off": "#9AA3AF",
    "off_field": "#1B2026",
    "border": "#8A93A0",
    "line": "#343B44",
    "focus": "#FFD54F",
    "accent": "#FFD54F",
    "on_accent": "#16191D",
    "ok": "#4FD1A5",
    "ok_tint": "#0F2E26",
    "on_ok": "#06231B",
    "refused": "#FF8A80",
    "refused_tint": "#3A1614",
    "caution": "#FFC857",
    "caution_tint": "#33270A",
    "pending": "#C3B1FF",
    "pending_tint": "#261F3D",
    "unknown": "#B8C0CC",
    "unknown_tint": "#24282E",
    "training": "#FF8FD8",
    "on_training": "#2B0420",
}
_CONTRAST: Final = {
    "window": "#000000",
    "field": "#000000",
    "raised": "#000000",
    "text": "#FFFFFF",
    "quiet": "#FFFFFF",
    "off": "#C8C8C8",
    "off_field": "#000000",
    "border": "#FFFFFF",
    "line": "#FFFFFF",
    "focus": "#FFEA00",
    "accent": "#FFEA00",
    "on_accent": "#000000",
    "ok": "#5CFFC4",
    "ok_tint": "#000000",
    "on_ok": "#000000",
    "refused": "#FFB3AD",
    "refused_tint": "#000000",
    "caution": "#FFD75E",
    "caution_tint": "#000000",
    "pending": "#D9CCFF",
    "pending_tint": "#000000",
    "unknown": "#FFFFFF",
    "unknown_tint": "#000000",
    "training": "#FF9FDF",
    "on_training": "#000000",
}
TOKENS: Final = MappingProxyType({"light": _LIGHT, "dark": _DARK, "contrast": _CONTRAST})

TEXT_PAIRS: Final = (
    *((ink, ground) for ink in ("text", "quiet", "off") for ground in ("window", "raised", "field", "off_field")),
    *((tone, ground) for tone in TONES for ground in ("window", f"{tone}_tint")),
    *((ink, f"{tone}_tint") for tone in TONES for ink in ("text", "quiet")),
    ("on_accent", "accent"),
    ("on_ok", "ok"),
    ("on_training", "training"),
    ("training", "window"),
)
"""Text and the ground it stands on: 4.5 or more."""

EDGE_PAIRS: Final = (
    *((edge, ground) for edge in ("border", "focus") for ground in ("window", "field", "raised", "off_field")),
    *((edge, f"{tone}_tint") for tone in TONES for edge in ("border", "focus")),
)
"""Edges of controls, focus rings and marks, and the ground they stand on: 3 or more."""

_SHEET: Final = Template("""
QWidget { font-size: ${base_px}px; }
QMainWindow, QDialog, QWidget#central { background: $window; }
QLabel { color: $text; background: transparent; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="title"] { font-size: ${title_px}px; font-weight: 600; }
QLabel[role="name"] { font-size: ${number_px}px; font-weight: 600; }
QLabel[role="number"] { font-size: ${number_px}px; }
QLabel[role="hint"], QLabel[role="meta"] { color: $quiet; font-size: ${small_px}px; }
QLabel[role="hint"][state="refused"] { color: $refused; font-weight: 600; }
QLabel[role="hint"][state="caution"] { color: $caution; }

QLineEdit, QComboBox, QPushButton {
    min-height: ${inner_px}px; color: $text; background: $field;
    border: 2px solid $border; border-radius: 6px; padding: 1px 11px;
}
QLineEdit:focus, QComboBox:focus, QPushButton:focus { border: 3px solid $focus; padding: 0px 10px; }
QLineEdit[state="refused"] { border: 3px solid $refused; padding: 0px 10px; }
QLineEdit:disabled, QComboBox:disabled, QPushButton:disabled {
    color: $off; background: $off_field; border-style: dashed;
}
QLineEdit { selection-background-color: $accent; selection-color: $on_accent; placeholder-text-color: $quiet; }
QPushButton { font-weight: 600; }
QPushButton:pressed, QPushButton:checked { background: $accent; color: $on_accent; }
QPushButton[role="primary"]:enabled { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton[role="redeem"]:enabled { background: $ok; color: $on_ok; border-color: $ok; }
QPushButton[role="primary"]:focus, QPushButton[role="redeem"]:focus { border: 3px double $window; outline: none; }
QPushButton[role="quiet"] { background: transparent; font-weight: 400; }

QComboBox::drop-down { border: none; width: 32px; }
QComboBox::down-arrow {
    image: none; width: 14px; height: 9px; margin-right: 8px;
    background: qconicalgradient(cx:0.5, cy:1, angle:0, stop:0 transparent, stop:0.172 transparent,
        stop:0.18 $text, stop:0.32 $text, stop:0.328 transparent, stop:1 transparent);
}
QComboBox QAbstractItemView {
    background: $field; color: $text; border: 2px solid $border;
    selection-background-color: $accent; selection-color: $on_accent;
}
QComboBox QAbstractItemView::item { min-height: 48px; padding: 0px 12px; }

QRadioButton, QCheckBox { color: $text; spacing: 8px; border: 3px solid transparent; border-radius: 6px; padding: 0px; }
QRadioButton:focus, QCheckBox:focus { border-color: $focus; }
QRadioButton:disabled, QCheckBox:disabled { color: $off; }
QRadioButton::indicator {
    width: 48px; height: 48px; margin: -3px -10px -3px -15px;
    background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5,
        stop:0 $field, stop:0.41 $field, stop:0.43 $border, stop:0.5 $border, stop:0.52 transparent);
}
QRadioButton::indicator:checked {
    background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5,
        stop:0 $accent, stop:0.22 $accent, stop:0.24 $field, stop:0.41 $field,
        stop:0.43 $accent, stop:0.5 $accent, stop:0.52 transparent);
}
QRadioButton::indicator:disabled {
    background: qradialgradient(cx:0.5, cy:0.5, radius:0.5, fx:0.5, fy:0.5,
        stop:0 $off_field, stop:0.41 $off_field, stop:0.43 $off, stop:0.46 $off, stop:0.48 transparent);
}
QCheckBox::indicator {
    width: 14px; height: 14px; padding: 3px; margin: 11px 4px 11px -3px;
    border: 2px solid $border; border-radius: 4px; background: $field;
}
QCheckBox::indicator:checked {
    border-color: $accent; background: $accent; background-clip: content; background-origin: content;
}
QCheckBox::indicator:disabled { border-color: $off; background: $off_field; }

QScrollArea { border: none; background: transparent; }
QScrollArea:focus { border: 3px solid $focus; }
QScrollArea > QWidget > QWidget#entryColumn { background: transparent; }
QTableView, QListWidget, QTreeView {
    background: $field; color: $text; border: 1px solid $line; gridline-color: $line;
    selection-background-color: $accent; selection-color: $on_accent;
}
QTableView:focus, QListWidget:focus, QTreeView:focus { border: 3px solid $focus; }
QTableView::item { padding: 0px 8px; }
QHeaderView::section {
    background: $raised; color: $quiet; border: none; border-bottom: 1px solid $line;
    padding: 4px 8px; font-weight: 600;
}
QToolTip { background: $raised; color: $text; border: 1px solid $border; }

QFrame#header, QFrame#footer { background: $raised; }
QFrame#header QLabel { color: $text; }
QFrame#noticeBar { background: $caution_tint; border-bottom: 2px solid $caution; }
QFrame#noticeBar QLabel { color: $text; }
QFrame#noticeBar QPushButton { min-height: 30px; }
QFrame#footer QLabel { color: $quiet; font-size: ${small_px}px; }
QFrame#customerCard, QLabel#cardEmpty { border: 1px solid $line; border-radius: 6px; background: $window; }
QFrame#verdictPanel { border: 3px solid $line; border-radius: 6px; background: $window; }
$tones
QFrame#verdictPanel[stale="true"] { border-style: dashed; border-color: $line; background: $raised; }
QFrame#verdictPanel[stale="true"] QLabel { color: $quiet; }
QFrame#trainingBanner { background: $training; }
QFrame#trainingBanner QLabel { color: $on_training; font-weight: 600; }
QFrame#trainingPanel { background: $window; border: 4px solid $training; }
QListWidget#customerHits { border: 2px solid $border; }
QListWidget#customerHits::item { min-height: 48px; padding: 0px 12px; }
QListWidget#phoneMessages::item { padding: 8px 4px; border-bottom: 1px solid $line; }
QMainWindow[training="true"] QWidget#central { border: 4px solid $training; }
""")

_TONE_SHEET: Final = Template("""
QFrame#verdictPanel[tone="$tone"] { border-color: $ink; background: $ground; }
QFrame#verdictPanel[tone="$tone"] QLabel[role="title"] { color: $ink; }
""")


def tokens(theme: str) -> MappingProxyType[str, str]:
    """The colours of a theme; a name that is not known means light."""
    return MappingProxyType(TOKENS.get(theme, _LIGHT))


@cache
def style_sheet(theme: str, base_px: int = BASE_PX) -> str:
    """The whole style sheet for a theme at a text size in pixels."""
    colours = tokens(theme)
    tones = "".join(
        _TONE_SHEET.substitute(tone=tone, ink=colours[tone], ground=colours[f"{tone}_tint"]) for tone in TONES
    )
    return _SHEET.substitute(
        colours,
        tones=tones,
        title_px=round(base_px * 1.75),
        number_px=round(base_px * 1.25),
        base_px=base_px,
        small_px=round(base_px * 0.875),
        inner_px=max(CONTROL_PX, base_px * 2) - 6,
    )


def palette(theme: str) -> QPalette:
    """The same colours for what a style sheet does not reach."""
    colours = tokens(theme)
    roles = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "field",
        QPalette.ColorRole.AlternateBase: "raised",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "raised",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent",
        QPalette.ColorRole.PlaceholderText: "quiet",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.ToolTipText: "text",
    }
    made = QPalette()
    for role, name in roles.items():
        made.setColor(role, QColor(colours[name]))
    return made


def apply_theme(target: QApplication | QWidget, theme: str, base_px: int = BASE_PX) -> None:
    """Dress the whole application, or one window with everything in it and the dialogs that open from it."""
    target.setPalette(palette(theme))
    target.setStyleSheet(style_sheet(theme, base_px))


def repolish(widget: QWidget) -> None:
    """Make a changed dynamic property visible, on the widget and on what stands in it."""
    for each in (widget, *widget.findChildren(QWidget)):
        each.style().unpolish(each)
        each.style().polish(each)


def contrast(ink: str, ground: str) -> float:
    """The WCAG contrast ratio of two `#RRGGBB` colours, 1 to 21."""
    lighter, darker = sorted((_luminance(ink), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
