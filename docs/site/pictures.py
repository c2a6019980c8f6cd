"""make pictures: docs/pictures, what the commands really print and draw. Run it when their output has changed.

The report's picture needs playwright and Chromium.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
DIGITS = ROOT / "examples" / "digits"
FONT = re.compile(
    r"@font-face \{.*?\}\s*", re.S
)  # from elsewhere: neither GitHub nor a page without a network loads it
COLUMNS = 92
MIDGE = "from midge_host.commands.main import main; main()"
# Name of a picture: the command, in a folder with the digits example.
COMMANDS = {
    "demo": "midge demo",
    "convert": "midge convert digits.tflite -o digits.midge --labels digits.txt",
    "info": "midge info digits.midge",
}


def drawn(name: str, printed: str) -> str:
    """The SVG of a terminal with a command and what it printed, colours as codes of ANSI."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(f"[bold]$ {COMMANDS[name]}[/bold]", highlight=False)
    console.print(Text.from_ansi(printed.rstrip("\n")), soft_wrap=True)
    return FONT.sub("", console.export_svg(title="midge", unique_id=name))


def words(svg: str) -> list[str]:
    """What stands in such a picture, without the spaces between."""
    return [re.sub(r"&#160;", "", text) for text in re.findall(r"<text [^>]*>([^<]*)</text>", svg)]


def printed(name: str, folder: Path) -> str:
    """What a command prints on a terminal, in a folder that prepare() filled."""
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    command = [sys.executable, "-c", MIDGE, *COMMANDS[name].split()[1:]]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def prepare(folder: Path) -> None:
    """Files for the commands: the digits example, converted."""
    for name in ("digits.tflite", "digits.txt"):
        shutil.copy(DIGITS / name, folder)
    printed("convert", folder)


def report(folder: Path) -> None:
    """The page of `midge report`, as a browser shows it."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-c", MIDGE, "report", "digits.midge", "-o", "digits.html"]
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 1000}, color_scheme="light")
        page.goto((folder / "digits.html").as_uri() + "#memory")
        page.screenshot(path=PICTURES / "report.png")
        browser.close()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary))
        for name in COMMANDS:
            (PICTURES / f"{name}.svg").write_text(drawn(name, printed(name, Path(temporary))), encoding="utf-8")
        report(Path(temporary))
