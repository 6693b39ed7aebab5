#!/usr/bin/env bash
# From a bare checkout: installs what is missing and runs every check and the whole test suite. CI calls exactly this.
# Options are handed to pytest: `bash packaging/test.sh tests/ledger -k races`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_python
need_packages "${QT_PACKAGES[@]}" xvfb xdotool
need_environment "[dev]"

cd "$top"
export QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
exec "$venv/bin/python" packaging/check.py "$@"
