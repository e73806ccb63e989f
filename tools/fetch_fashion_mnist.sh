#!/bin/sh
# Unpacks FashionMNIST, as Debian packages it (dataset-fashion-mnist, MIT licence), into out/fashion-mnist: nothing is
# installed, no root is needed. Where that cannot be done, says so and ends well: `make papers` leaves its rows out.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
missing() {
    say "FashionMNIST is left out: $1"
    exit 0
}

package=dataset-fashion-mnist
folder="out/fashion-mnist"
if [ -d /usr/share/datasets/fashion-mnist ] || [ -d "$folder" ]; then
    exit 0
fi
for needed in apt-get dpkg-deb; do
    command -v "$needed" >/dev/null 2>&1 || missing "$needed is missing; it comes as a package of Debian, $package"
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
(cd "$work" && apt-get -qq download "$package") || missing "apt-get has no $package (try: apt-get update)"
dpkg-deb -x "$work"/*.deb "$work/unpacked"
mkdir -p out
mv "$work/unpacked/usr/share/datasets/fashion-mnist" "$folder"
say "FashionMNIST is in $folder"
