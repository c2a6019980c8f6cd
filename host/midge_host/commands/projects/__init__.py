"""What `midge new` writes: a folder that trains, converts, tests and runs as it is, for each kind of project.

A project's files are those of common/ and of its kind's folder here, and some of the examples. In their text PROJECT
becomes the project's name, and the words of `Kind.words` what they stand for. STEPS in a README is common/steps.md.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from ...errors import MidgeError, packages

NAME = "PROJECT"
STEPS = "STEPS"
RENAMED = {"gitignore": ".gitignore"}  # which would be obeyed here


@dataclass(frozen=True)
class Kind:
    """text: for lists. source: the trained model, after the project's name. options: of `midge convert`. programs:
    what goes to the board beside the model. extras: of pyproject.toml, with what training needs. examples: package and
    path of files of the examples, with their places in the project; a model's name in these becomes the project's."""

    text: str
    source: str
    options: str
    programs: str
    extras: tuple[str, ...]
    examples: dict[str, tuple[str, str]]

    def words(self) -> dict[str, str]:
        """What words of the files stand for, but for the project's name."""
        source = f"{NAME}{self.source}"
        return {
            "CONVERT": f"midge convert {source} -o {NAME}.midge {self.options}",
            "PROGRAMS": self.programs,
            "SOURCE": source,
        }


def _standins(package: str, *names: str) -> dict[str, tuple[str, str]]:
    return {f"standin/{name}": (package, f"standin/{name}") for name in names}


KERAS = "--calibration calibration.npz --test test.npz --labels labels.txt"
GESTURE = "midge_host.gesture"

KINDS = {
    "gesture": Kind(
        "gestures of an accelerometer: a forest of scikit-learn on features of motion",
        ".skops",
        '--features "std,min,max,bands:8" --window 128 --unit 0.0001220703125 --test test.npz',
        "sensor.py main.py",
        ("sklearn",),
        {
            "main.py": (GESTURE, "main.py"),
            "sensor.py": (GESTURE, "sensor.py"),
            **_standins(GESTURE, "machine.py", "time.py"),
        },
    ),
    "keyword": Kind(
        "words that a microphone hears: a network of Keras on features of sound",
        ".keras",
        f"--audio micro:20ms {KERAS}",
        "main.py",
        ("keras",),
        {"standin/machine.py": ("midge_host.commands.demos", "recorded_microphone.py")},
    ),
    "camera": Kind(
        "what a camera sees: a network of Keras on its frames",
        ".keras",
        KERAS,
        "ov7670.py ov7670_wrapper.py sensor.py main.py",
        ("keras", "pictures"),
        _standins("midge_host.person", "machine.py", "frames.py", "ov7670_wrapper.py"),
    ),
    "sensor": Kind(
        "a number from a sensor's readings: a network of scikit-learn",
        ".skops",
        "--test test.npz",
        "sensor.py main.py",
        ("sklearn",),
        _standins(GESTURE, "time.py"),
    ),
}


def contents(kind: Kind, folder: str, name: str) -> dict[str, str]:
    """The files of a project by their paths. folder: the kind's, here."""
    here = Path(str(files(__package__)))
    found = {**_texts(here / "common"), **_texts(here / folder)}
    found["README.md"] = found["README.md"].replace(f"{STEPS}\n", found.pop("steps.md") + "\n")
    words = {**kind.words(), NAME: name}
    for path in found:
        for word, meaning in words.items():
            found[path] = found[path].replace(word, meaning)
    for path, (package, source) in kind.examples.items():
        text = (files(package) / source).read_text(encoding="utf-8")
        found[path] = text.replace("gesture.midge", f"{name}.midge")
    return {RENAMED.get(path, path): text for path, text in found.items()}


def _texts(folder: Path, prefix: str = "") -> dict[str, str]:
    found = {}
    for entry in folder.iterdir():
        if entry.is_file():
            found[prefix + entry.name] = entry.read_text(encoding="utf-8")
        elif entry.name != "__pycache__":
            found |= _texts(entry, f"{prefix}{entry.name}/")
    return found


def write(kind: str, folder: Path) -> None:
    """Makes a project of one of KINDS, called like its folder: whole or not at all. MidgeError where one is in the way,
    or the name is none for files on every system."""
    name = folder.name
    if kind not in KINDS:
        raise MidgeError(f"no kind {kind!r} of project; there are {', '.join(KINDS)}")
    if not (name.isascii() and name.replace("-", "a").replace("_", "a").isalnum() and name[0].isalpha()):
        raise MidgeError(f"{name!r}: a project's name has letters, digits, - and _, and begins with a letter")
    if folder.exists():
        raise MidgeError(f"{folder} is there already; choose another name")
    if not folder.parent.is_dir():
        raise MidgeError(f"{folder.parent}: no such folder")
    with tempfile.TemporaryDirectory(prefix=".midge-new-", dir=folder.parent) as temporary:
        made = Path(temporary) / name
        for path, text in contents(KINDS[kind], kind, name).items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8", newline="\n")
        shutil.move(made, folder)


def missing(kind: str) -> list[str]:
    """Packages that such a project needs and that are not installed here, as pip takes them."""
    needed = [name for extra in (*KINDS[kind].extras, "projects") for name in packages(extra)]
    return [requirement for requirement in dict.fromkeys(needed) if not _is_installed(requirement)]


def _is_installed(requirement: str) -> bool:
    name = requirement.strip("'").partition(";")[0]
    for mark in "<>=":
        name = name.partition(mark)[0]
    try:
        metadata.version(name.strip())
    except metadata.PackageNotFoundError:
        return False
    return True
