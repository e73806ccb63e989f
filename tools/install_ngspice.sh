#!/bin/sh
# Makes sure that ngspice is there: does nothing when it is, else installs it from the system's packages.
set -eu

say() { printf '%s\n' "$*" >&2; }

if [ -n "${KANSPICE_NGSPICE:-}" ]; then
    if command -v "$KANSPICE_NGSPICE" >/dev/null 2>&1; then
        exit 0
    fi
    say "KANSPICE_NGSPICE names $KANSPICE_NGSPICE, which cannot be started: correct it or unset it."
    exit 1
fi

if command -v ngspice >/dev/null 2>&1; then
    exit 0
fi

give_up() {
    say "ngspice is missing and could not be installed: $1"
    say "Install it by hand, then run this again:"
    say "  Debian, Ubuntu   apt-get install ngspice"
    say "  Fedora           dnf install ngspice"
    say "  macOS            brew install ngspice"
    say "or set KANSPICE_NGSPICE to the path of an ngspice program."
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        give_up "that needs root, or sudo without a password"
    fi
}

if command -v apt-get >/dev/null 2>&1; then
    say "installing ngspice with apt-get"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update || give_up "apt-get update failed"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends ngspice \
        >/dev/null || give_up "apt-get install failed"
elif command -v dnf >/dev/null 2>&1; then
    say "installing ngspice with dnf"
    as_root dnf --quiet --assumeyes install ngspice || give_up "dnf install failed"
elif command -v brew >/dev/null 2>&1; then
    say "installing ngspice with brew"
    brew install --quiet ngspice || give_up "brew install failed"
else
    give_up "there is no apt-get, dnf or brew here"
fi

command -v ngspice >/dev/null 2>&1 || give_up "its package was installed, but there is no ngspice on PATH"
