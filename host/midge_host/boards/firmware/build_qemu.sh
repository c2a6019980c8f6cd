#!/bin/sh
# build_qemu.sh CACHE: MicroPython's firmware for the boards that QEMU emulates, CACHE/boards/qemu/<board>/firmware.elf.
#
# MicroPython's source is CACHE/micropython or $MPY_DIR. A board is built only when what goes in has changed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/boards/qemu"
cache=$(cd "$1" && pwd)
output=$cache/boards/qemu
micropython=${MPY_DIR:-$cache/micropython}

# The microbit has a little less heap than a stock Raspberry Pi Pico, the others as much as an RP2350 may have.
small_heap=225280
large_heap=491520

# build BOARD COMPILER [make arguments]
build() {
    board=$1 compiler=$2
    shift 2
    command -v "$compiler" >/dev/null || {
        echo "build_qemu: $board needs $compiler; as root on Debian: make toolchains" >&2
        exit 2
    }
    # A board's folder is ours or MicroPython's.
    folder=$here/qemu/$board
    [ -d "$folder" ] || folder=boards/$board
    stamp=$({
        "$compiler" --version
        cat "$here/build_qemu.sh" "$here"/qemu/*/* "$micropython/py/mpconfig.h"
    } | sha256sum)
    [ "$(cat "$output/$board/stamp" 2>/dev/null)" = "$stamp" ] && return
    echo "building MicroPython for $board"
    rm -rf "${output:?}/$board/build"
    mkdir -p "$output/$board"
    # Nothing is frozen, so mpy-cross is not called.
    make -C "$micropython/ports/qemu" -j2 BOARD="$board" BOARD_DIR="$folder" BUILD="$output/$board/build" \
        USER_C_MODULES="$here/qemu" FROZEN_MANIFEST= MICROPY_MPYCROSS=false MICROPY_MPYCROSS_DEPENDENCY= \
        MICROPY_VFS_LFS2=1 "$@" >"$output/$board/log" 2>&1 || {
        tail -20 "$output/$board/log" >&2
        echo "build_qemu: $board failed; the log is $output/$board/log" >&2
        exit 1
    }
    mv "$output/$board/build/firmware.elf" "$output/$board/"
    rm -rf "$output/$board/build"
    echo "$stamp" >"$output/$board/stamp"
}

exec 9>"$output/lock"
flock 9
[ -e "$micropython/ports/qemu/Makefile" ] || "$here/../../../../native_modules/fetch_micropython.sh" "$cache"
# What the boards say they run: the source has no git history of its own.
version=$(sed -n 's/^#define MICROPY_VERSION_M[A-Z]* *\([0-9]*\).*/\1/p' "$micropython/py/mpconfig.h" | paste -sd.)
export MICROPY_GIT_TAG="v$version" MICROPY_GIT_HASH=release

# armv6m: the port leaves Thumb code out of a Cortex-M0, where native modules need it.
build MICROBIT arm-none-eabi-gcc MICROPY_HEAP_SIZE=$small_heap \
    "CFLAGS_EXTRA=-DMICROPY_EMIT_THUMB=1 -DMICROPY_EMIT_THUMB_ARMV7M=0"
build MPS2_AN385 arm-none-eabi-gcc MICROPY_HEAP_SIZE=$large_heap
build MPS2_AN386 arm-none-eabi-gcc MICROPY_HEAP_SIZE=$large_heap
# Debian's gcc 12 takes zicsr for a part of rv32imac only by the older specification.
build VIRT_RV32 riscv64-unknown-elf-gcc MICROPY_HEAP_SIZE=$large_heap "RV32_ARCH=rv32imac -misa-spec=2.2"
