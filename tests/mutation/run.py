"""`make mutants`: small faults, put into the code one at a time, that tests must notice.

    python tests/mutation/run.py [TEXT...]

mutants.py lists them: a file, a text of it, what stands there instead, and the tests that must fail then. Each is
made in a copy of the repository. With TEXT, only mutants whose file or new text contains it. A mutant that survives is
a hole in the tests. Ends with 1 if there is one, or if a text is not in its file, or in it more than once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300  # a mutant that makes tests run for ever is noticed, too


def copy_of_the_repository(folder: Path) -> None:
    """Copies the files that git knows of, as they are in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def tests_pass(tests: str, folder: Path) -> bool:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder / "host"), str(folder / "device_lib")])}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.pop("MIDGE_NO_SKIPS", None)
    command = [sys.executable, "-m", "pytest", "-n0", "-x", "-q", "-p", "no:cacheprovider", *tests.split()]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1):
        raise SystemExit(f"{tests}: pytest ends with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 0


def survives(mutant: Mutant, folder: Path) -> bool:
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        print(f"{mutant.file}: {text.count(mutant.old)} times in it: {mutant.old!r}")
        return True
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return tests_pass(mutant.tests, folder)
    finally:
        path.write_text(text, encoding="utf-8")


def main() -> None:
    chosen = [m for m in MUTANTS if all(text in m.file + m.new for text in sys.argv[1:])]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="midge-mutants-") as temporary:
        folder = Path(temporary)
        copy_of_the_repository(folder)
        for mutant in chosen:
            alive = survives(mutant, folder)
            survivors += alive
            new = " ".join(mutant.new.split()) or "(left out)"
            print(f"{'SURVIVES' if alive else 'noticed '}  {mutant.file}: {new}", flush=True)
    print(f"{len(chosen)} mutants, {survivors} survive")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
