#!/usr/bin/env bash
# From a bare checkout to Points Desk in trainer mode: with a display the window opens, without one the tour is played
# and its pictures are left in ./tour. Works as root or with sudo. Options are handed to `pos-app demo`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_python
need_packages "${QT_PACKAGES[@]}"
need_environment ""

if [ $# -gt 0 ]; then
    exec "$venv/bin/pos-app" demo "$@"
elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    say "Opening the trainer mode"
    exec "$venv/bin/pos-app" demo
else
    say "No display here: playing the tour, pictures go to $top/tour"
    exec "$venv/bin/pos-app" demo --tour "$top/tour"
fi
