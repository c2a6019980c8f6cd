"""`make fuzz`: runs the fuzz targets one after the other, each for a while, and keeps what they find.

Inputs that reach new code gather in CACHE/TARGET/corpus, from run to run. What crashes a target becomes a file in
tests/fuzz/crashes/TARGET, which tests/test_fuzz.py replays from then on. `--keep` writes the corpus, without what adds
nothing, to tests/fuzz/corpus/TARGET.zip.
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

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzz import corpus, native  # noqa: E402

# Nothing here frees much, so ASan's quarantine may be small; what a target must not do is take hundreds of MB.
LIMITS = ["-max_len=16384", "-rss_limit_mb=1024", "-timeout=10", "-detect_leaks=0", "-print_final_stats=1"]
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=4"}


def command(name: str, cache: Path) -> list[str]:
    """What runs a target under libFuzzer: those in Python through atheris."""
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
    """Writes the corpus to the repository."""
    least = folder / "least"
    shutil.rmtree(least, ignore_errors=True)
    least.mkdir()
    merge = [*program, "-merge=1", *LIMITS, str(least), str(folder / "corpus")]
    subprocess.run(merge, env={**os.environ, **ENVIRONMENT}, check=True, capture_output=True)
    shutil.rmtree(folder / "corpus")
    least.rename(folder / "corpus")
    with zipfile.ZipFile(corpus.archive(name), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for i, path in enumerate(sorted((folder / "corpus").iterdir(), key=lambda p: (p.stat().st_size, p.name))):
            file.writestr(zipfile.ZipInfo(f"{i:04}"), path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{name}: {i + 1} inputs, {corpus.archive(name).stat().st_size:,} bytes in {corpus.archive(name)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(corpus.TARGETS)}; all if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "fuzz")
    parser.add_argument("--keep", action="store_true", help="write the corpus into the repository")
    chosen = parser.parse_args()
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
