"""Runs what CI runs: format, lint, types, import contracts, tests. Everything is tried; any failure fails the whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def steps(pytest_options: list[str]) -> list[tuple[str, list[str]]]:
    """Name and command of each step, the quick ones first."""
    return [
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
        ("types", [str(BIN / "mypy"), "--no-error-summary"]),
        ("import contracts", [str(BIN / "lint-imports"), "--no-logo"]),
        # Two at a time: many tests wait for a process of their own. `-n 0` runs them one after the other.
        ("tests", [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", *pytest_options]),
    ]


def main() -> int:
    """Run each step and report."""
    failed = []
    for name, command in steps(sys.argv[1:]):
        print(f"== {name}", flush=True)
        began = time.monotonic()
        if subprocess.run(command, cwd=TOP, check=False).returncode:
            failed.append(name)
        print(f"-- {name}: {time.monotonic() - began:.1f} s", flush=True)
    print("All checks passed." if not failed else f"Failed: {', '.join(failed)}.", flush=True)
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
