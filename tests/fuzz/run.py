"""`make fuzz`: runs the fuzz targets one after the other, each for a while, and keeps what they find.

Inputs that reach new code gather in CACHE/TARGET/corpus, from run to run. What crashes a target becomes a file in
tests/fuzz/crashes/TARGET, which tests/fuzz/test_fuzz.py replays from then on. `--keep` writes what of the corpus
reaches all that it reaches to tests/fuzz/corpus/TARGET.zip.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "support")]

from fuzz import corpus, native, readers  # noqa: E402

# Nothing here frees much, so ASan's quarantine may be small; what a target must not do is take hundreds of MB.
LIMITS = ["-max_len=16384", "-rss_limit_mb=1024", "-timeout=10", "-detect_leaks=0", "-print_final_stats=1"]
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=4"}


def command(name: str, cache: Path) -> list[str]:
    """The command that runs a target under libFuzzer; those in Python run through atheris."""
    if name not in native.TARGETS:
        return [sys.executable, str(HERE / "drive.py"), name]
    return [str(native.build(name, cache / "bin", fuzzer=True))]


def prepare(name: str, folder: Path) -> None:
    for part in ("corpus", "found", "slow"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for file, data in corpus.inputs(name):
        (folder / "corpus" / file).write_bytes(data)


def fuzz(name: str, seconds: int, folder: Path, program: list[str]) -> list[Path]:
    """Runs a target, prints what was done; returns the findings, which are kept."""
    options = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={folder / 'found'}/", str(folder / "corpus")]
    env = {**os.environ, **ENVIRONMENT, "MIDGE_FUZZ_SLOW": str(folder / "slow")}
    with open(folder / "log", "w") as log:
        code = subprocess.run([*program, *options], env=env, stdout=log, stderr=subprocess.STDOUT).returncode
    text = (folder / "log").read_text(errors="replace")
    said = re.findall(r"stat::number_of_executed_units: *(\d+)|cov: (\d+) ft: (\d+) corp: (\d+)", text)
    runs = sum(int(n[0]) for n in said if n[0])
    last = next((n for n in reversed(said) if n[1]), ("", "0", "0", "0"))
    print(
        f"{name}: {runs:,} executions in {seconds} s, {last[1]} edges, {last[2]} features, {last[3]} inputs", flush=True
    )
    found = list((folder / "found").iterdir())
    found += [p for p in (folder / "slow").iterdir() if name in native.TARGETS and not native.asks_for_work(p)]
    if code and not found:
        raise SystemExit(f"{name} ends with {code}: see {folder / 'log'}")
    kept = [corpus.keep_crash(name, path.read_bytes()) for path in found]
    for path in kept:
        print(f"{name}: found {path}, see {folder / 'log'}")
    shutil.rmtree(folder / "found")
    shutil.rmtree(folder / "slow")
    return kept


def keep(name: str, folder: Path, program: list[str]) -> None:
    """Writes to the repository what of the corpus reaches all the code that it reaches. How often inputs run code, by
    which libFuzzer chooses, would make ten times as many."""
    paths = sorted((folder / "corpus").iterdir(), key=lambda path: (path.stat().st_size, path.name))
    chosen = (least_native if name in native.TARGETS else least_python)(name, paths, folder / "least", program)
    with zipfile.ZipFile(corpus.archive(name), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for i, data in enumerate(chosen):
            file.writestr(zipfile.ZipInfo(f"{i:04}"), data, zipfile.ZIP_DEFLATED)
    print(f"{name}: {len(chosen)} inputs, {corpus.archive(name).stat().st_size:,} bytes in {corpus.archive(name)}")


def least_native(name: str, paths: list[Path], folder: Path, program: list[str]) -> list[bytes]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    merge = [*program, "-merge=1", "-use_counters=0", *LIMITS, str(folder), str(paths[0].parent)]
    subprocess.run(merge, env={**os.environ, **ENVIRONMENT}, check=True, capture_output=True)
    return sorted((path.read_bytes() for path in folder.iterdir()), key=lambda data: (len(data), data))


def least_python(name: str, paths: list[Path], folder: Path, program: list[str]) -> list[bytes]:
    """Those that execute a line of ours that none before them did."""
    known: set[tuple[str, int]] = set()
    chosen = []

    def trace(frame: FrameType, event: str, argument: object) -> object:
        if not frame.f_globals.get("__name__", "").startswith("midge"):
            return None
        known.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    for data in (path.read_bytes() for path in paths):
        before = len(known)
        sys.settrace(trace)
        try:
            readers.READERS[name].run(data)
        finally:
            sys.settrace(None)
        if len(known) > before:
            chosen.append(data)
    return chosen


def coverage(folder: Path) -> None:
    """Prints how many lines of the core all inputs execute."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in native.TARGETS:
        native.replay(name, folder / name, corpus.inputs(name), coverage=True).check_returncode()
    counts = native.coverage(folder)
    counts["all"] = tuple(map(sum, zip(*counts.values(), strict=True)))
    for path, (executed, lines) in counts.items():
        print(f"{path!s:28} {executed:5} of {lines:5} lines {100 * executed / lines:6.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(corpus.TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "fuzz")
    parser.add_argument("--keep", action="store_true", help="write the corpus into the repository")
    parser.add_argument("--coverage", action="store_true", help="only show what the kept inputs execute of the core")
    chosen = parser.parse_args()
    if chosen.coverage:
        coverage(chosen.cache / "coverage")
        return
    found = []
    for name in chosen.targets or corpus.TARGETS:
        folder = chosen.cache / name
        prepare(name, folder)
        program = command(name, chosen.cache)
        found += fuzz(name, chosen.seconds, folder, program)
        if chosen.keep:
            keep(name, folder, program)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
