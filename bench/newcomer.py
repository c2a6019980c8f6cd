"""Times a newcomer's path, in fresh folders: python bench/newcomer.py [PYTHON...]

A clone's `make demo`; `midge new gesture g && cd g && make`; and for each PYTHON, without a compiler and make, what it
takes from the wheel to a prediction and a report. Packages come from where pip gets them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {"make demo": 60, "midge new gesture, make": 180}  # seconds
PREDICT = """
import midge
model = midge.load("digits.midge")
print(*model.classify(bytes(784)), model.backend)
"""


def run(command: list[str | Path], folder: Path, search: str, **more: str) -> str:
    """What a command prints; RuntimeError with all that it said if it fails."""
    environment = {**os.environ, "PATH": search, **more}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """The wheel without compiled code, of the sources as they are."""
    copy = folder / "sources"
    ignored = shutil.ignore_patterns(".git", ".venv", ".cache", "build", "dist", "tests", "*.so", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=ignored)
    command: list[str | Path] = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    command += ["-w", folder, copy]
    run(command, folder, os.environ["PATH"], MIDGE_PURE="1")
    return next(folder.glob("*.whl"))


def without_compiler(python: str | Path, wheel: Path, folder: Path, packages: Path | None = None) -> dict[str, str]:
    """What each step prints, of: a venv, the wheel in it, a model converted, a prediction, a test, a report. packages:
    a folder that has what midge needs; without it pip installs that."""
    printed = {"venv": run([python, "-m", "venv", "venv"], folder, os.defpath)}
    binaries = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    here = binaries / "python"
    pip: list[str | Path] = [here, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if packages:
        site = run([here, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder, "").strip()
        (Path(site) / "packages.pth").write_text(f"{packages}\n")
        pip += ["--no-index", "--no-deps"]
    search = str(binaries)  # no compiler, no make, no node
    printed["pip install"] = run([*pip, f"{wheel}[report]"], folder, search, CC="none")
    for name in ("digits.tflite", "digits.txt"):
        shutil.copy(ROOT / "examples" / "digits" / name, folder)
    midge = [binaries / "midge"]
    (folder / "predict.py").write_text(PREDICT)
    (folder / "readings.csv").write_text("\n".join(",".join([str(k % 2)] * 784 + [str(k)]) for k in range(10)))
    steps: dict[str, list[str | Path]] = {
        "midge convert": [*midge, "convert", "digits.tflite", "-o", "digits.midge", "--labels", "digits.txt"],
        "python predict.py": [here, "predict.py"],
        "midge test": [*midge, "test", "digits.midge", "readings.csv"],
        "midge report": [*midge, "report", "digits.midge", "-o", "digits.html", "--test", "readings.csv"],
    }
    return printed | {name: run(command, folder, search) for name, command in steps.items()}


def clone(folder: Path) -> None:
    run(["git", "clone", "-q", str(ROOT), "clone"], folder, os.environ["PATH"])
    run(["make", "demo"], folder / "clone", os.environ["PATH"])


def project(folder: Path) -> None:
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run(["midge", "new", "gesture", "g"], folder, search)
    run(["make"], folder / "g", search)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", nargs="*", default=[sys.executable], help="Pythons to take the path with the wheel")
    pythons = parser.parse_args().python
    with tempfile.TemporaryDirectory(prefix="midge-newcomer-") as temporary:
        top = Path(temporary)
        (top / "wheel").mkdir()
        wheel = build_wheel(top / "wheel")
        paths: dict[str, Callable[[Path], object]] = {"make demo": clone, "midge new gesture, make": project}
        paths |= {f"the wheel, {p}": partial(without_compiler, p, wheel) for p in pythons}
        for i, (name, path) in enumerate(paths.items()):
            folder = top / str(i)
            folder.mkdir()
            began = time.perf_counter()
            path(folder)
            limit = f" (at most {LIMITS[name]} s wanted)" if name in LIMITS else ""
            print(f"{time.perf_counter() - began:6.1f} s  {name}{limit}", flush=True)


if __name__ == "__main__":
    main()
