"""Exceptions of the tools, which the command line turns into exit codes; hints where packages are missing."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]  # of a clone


class MidgeError(Exception):
    """Bad usage or bad input (exit code 2). The message says what is wrong, where, and what to do."""


class UnsupportedError(MidgeError):
    """A model uses something midge cannot convert. Names the layer, the reason and a way out."""


class CheckFailed(Exception):
    """A check ran and its answer is no: outputs differ, a model does not fit (exit code 1)."""


def printable(text: str) -> str:
    """`text` without what a terminal would obey: names come from files."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def install(extra: str) -> str:
    """What to type for the packages of an extra of pyproject.toml, where midge is: in a clone its extra, else the
    packages by name (midge is on no package index)."""
    if (_ROOT / "pyproject.toml").is_file():
        return f"run in midge's folder: pip install -e '.[{extra}]'"
    return f"run: pip install {' '.join(packages(extra))}"


def packages(extra: str) -> list[str]:
    """The packages of an extra, of those that it names included, as pip takes them on a command line."""
    from importlib.metadata import PackageNotFoundError, requires  # 10 ms, for what rarely happens

    try:
        requirements = requires("midge") or []
    except PackageNotFoundError:
        requirements = []
    found = []
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        if f'extra == "{extra}"' not in marker.replace("'", '"'):
            continue
        own = re.fullmatch(r"midge\[([\w,]+)\]", wanted.strip())
        if own:
            found += [name for other in own[1].split(",") for name in packages(other)]
        elif _applies(marker):
            found.append(f"'{wanted.strip()}'" if re.search(r"[<>=]", wanted) else wanted.strip())
    return found


def _applies(marker: str) -> bool:
    """Whether what a marker says of the system and the machine holds here."""
    here = {"sys_platform": sys.platform, "platform_machine": platform.machine()}
    found = re.findall(r"(sys_platform|platform_machine)\s*(==|!=)\s*['\"](\w+)['\"]", marker)
    return all((here[name] == value) == (sign == "==") for name, sign, value in found)
