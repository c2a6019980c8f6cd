#!/bin/sh
# fetch_micropython.sh CACHE: MicroPython's source into CACHE/micropython, from Debian's source package, with an apt
# state of its own so that the machine's package lists stay as they are.
set -eu
mkdir -p "$1"
cache=$(cd "$1" && pwd)
version=1.25.0
apt=$cache/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/src"
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb[^h]*\(http[^ ]*\).*/\1/p' /etc/apt/sources.list 2>/dev/null | head -1)
[ -n "$mirror" ] || {
    echo "fetch_micropython: this is no Debian machine; unpack MicroPython $version and call make with MPY_DIR=<folder>" >&2
    exit 2
}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$keys] $mirror trixie main" >"$apt/sources.list"
options="-o Dir::Etc::sourcelist=$apt/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$apt/lists
    -o Dir::Cache=$apt/cache -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=500"
# shellcheck disable=SC2086
apt-get $options -q update >/dev/null
# shellcheck disable=SC2086
(cd "$apt/src" && apt-get $options -q source --download-only micropython >/dev/null)
mkdir -p "$cache/micropython.new"
tar -C "$cache/micropython.new" --strip-components=1 -xJf "$apt"/src/micropython_"$version"*.orig.tar.xz
rm -rf "$cache/micropython" && mv "$cache/micropython.new" "$cache/micropython"
