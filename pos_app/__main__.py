"""The front door: the window alone does not wait for the command line's library to load."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `pos-app`."""
    if len(sys.argv) == 1:
        from pos_app.starting import run_window

        sys.exit(run_window())
    from pos_app.cli import pos_app

    pos_app(prog_name="pos-app")


if __name__ == "__main__":
    main()
