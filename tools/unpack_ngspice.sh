#!/bin/sh
# Unpacks another ngspice beside the system's, with the libraries it needs: nothing is installed, no root is needed.
#
#   tools/unpack_ngspice.sh FOLDER [SUITE] [MIRROR]
#
# SUITE is Debian's, trixie if none is given: trixie has ngspice 44.2, sid 47 or newer. Needs apt-get, dpkg-deb and
# Debian's keys (the package debian-archive-keyring; KEYS names another file). The program is FOLDER/ngspice:
#
#   KANSPICE_NGSPICE=FOLDER/ngspice kanspice doctor
set -eu

say() { printf '%s\n' "$*" >&2; }

if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    say "usage: $0 FOLDER [SUITE] [MIRROR]"
    exit 2
fi
mkdir -p "$1"
folder="$(cd "$1" && pwd)"
suite="${2:-trixie}"
mirror="${3:-http://deb.debian.org/debian}"
keys="${KEYS:-/usr/share/keyrings/debian-archive-keyring.gpg}"

if [ -x "$folder/ngspice" ]; then
    say "$folder/ngspice is there already"
    exit 0
fi
for needed in apt-get dpkg-deb; do
    command -v "$needed" >/dev/null 2>&1 || { say "$needed is missing: this works on Debian and its relatives only"; exit 1; }
done
[ -r "$keys" ] || { say "$keys is missing: apt-get install debian-archive-keyring"; exit 1; }

# An apt of its own, for which nothing is installed: it finds every package that ngspice needs, the C library included.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/etc/apt.conf.d" "$work/etc/preferences.d" "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite" >"$work/etc/sources.list"
cat >"$work/apt.conf" <<END
Dir::Etc "$work/etc";
Dir::Etc::sourceparts "-";
Dir::State "$work";
Dir::State::status "$work/status";
Dir::Cache "$work";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false"; // signatures count, dates do not: the mirror may be a snapshot
APT::Sandbox::User "$(id -un)";
Debug::NoLocking "true";
END
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
apt-get -qq install --download-only --no-install-recommends -y ngspice >/dev/null

unpacked="$folder/unpacked"
rm -rf "$unpacked"
mkdir "$unpacked"
for package in "$work"/archives/*.deb; do
    case "$(basename "$package")" in
        fonts-* | fontconfig-config* | debconf* | libx11-data* | x11-common* | lsb-base* | sysvinit-*) ;;
        *) dpkg-deb -x "$package" "$unpacked" ;;
    esac
done
loader="$(find "$unpacked" -name 'ld-linux*.so.*' -o -name 'ld64.so.*' | head -n 1)"
libraries="$(dirname "$(find "$unpacked" -name 'libc.so.6' | head -n 1)")"

# Its start-up file names code models by the places where they would be installed, where another version's may lie.
sed -i "s#/usr/lib/#$unpacked/usr/lib/#" "$unpacked/usr/share/ngspice/scripts/spinit"
cat >"$folder/ngspice.part" <<END
#!/bin/sh
SPICE_LIB_DIR='$unpacked/usr/share/ngspice'
export SPICE_LIB_DIR
exec '$loader' --library-path '$libraries' '$unpacked/usr/bin/ngspice' "\$@"
END
chmod +x "$folder/ngspice.part"
mv "$folder/ngspice.part" "$folder/ngspice"
"$folder/ngspice" --version | sed -n 's/^\*\* \(ngspice-[^ ]*\).*/\1/p'
