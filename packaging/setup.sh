# Sourced by run.sh and test.sh: brings a bare Debian machine to where Points Desk can start.
# Installs what is missing and nothing else, says what it does, and is quick when there is nothing to do.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="${POS_APP_VENV:-$top/.venv}"

say() { printf '[setup] %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "This step needs an administrator: run it as root or install sudo: $*"
        return 1
    fi
}

# Debian packages by name, each only when it is missing. Elsewhere the system libraries are the user's own affair.
need_packages() {
    command -v dpkg-query >/dev/null 2>&1 || { say "Not a Debian system: the Qt libraries must already be here."; return 0; }
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return 0
    say "Installing system packages: ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

QT_PACKAGES=(libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0 libxcb-shape0
    libxcb-xinerama0 libxcb-xkb1 libxkbcommon-x11-0 libxkbcommon0 libegl1 libgl1 libglib2.0-0 libfontconfig1
    libdbus-1-3 fonts-dejavu-core fonts-lohit-deva)

# The virtual environment is made anew only when the project's own list of needs has changed.
need_environment() {
    local extras=$1 wanted stamp="$venv/.points-desk"
    wanted=$( { cat "$top/pyproject.toml"; echo "$extras $top"; } | sha256sum | cut -d' ' -f1)
    [ -x "$venv/bin/pos-app" ] && grep -qx "$wanted" "$stamp" 2>/dev/null && return 0
    if [ ! -x "$venv/bin/python" ]; then
        say "Making a virtual environment in $venv"
        python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv || return 1
        python3 -m venv "$venv" || return 1
    fi
    say "Installing Points Desk and its libraries (a few minutes the first time)"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$top$extras" || return 1
    echo "$wanted" >"$stamp"
    # What is installed for the tests is enough for running as well.
    if [ -n "$extras" ]; then { cat "$top/pyproject.toml"; echo " $top"; } | sha256sum | cut -d' ' -f1 >>"$stamp"; fi
}

need_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && return 0
    say "Points Desk needs Python 3.11 or newer."
    return 1
}
