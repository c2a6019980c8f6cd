"""The page of `midge monitor --web` in headless Chromium: what an emulated Pico's program prints."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import interrupts
import pytest
from test_page import chromium, page  # noqa: F401 - fixtures
from test_report_page import faults_of_access

from midge_host.boards import pico
from midge_host.deploy.links import open_mpremote

pytestmark = pytest.mark.xdist_group("chromium")
PROGRAM = b"""
print("listening")
for i in range(50):
    print("yes:%.2f no:%.2f" % (i / 100, 1 - i / 100))
print("no", 0.75)
"""


def test_page(page: Any) -> None:  # noqa: F811
    if why := pico.problem():
        pytest.skip(f"pico: {why}")
    midge = [sys.executable, "-c", interrupts.HOOK + "import midge_host.commands.main as c; c.main()"]
    with pico.Pico({"main.py": PROGRAM}) as board:
        open_mpremote(board.port).close()  # stops the program
        options = ["--port", board.port, "--restart", "--web", "--web-port", "0", "--json"]
        running = subprocess.Popen([*midge, "monitor", *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            assert running.stderr
            page.goto(running.stderr.readline().decode().split()[0])
            page.locator("#heard li").wait_for()
            assert page.locator("#heard li").all_inner_texts()[0].endswith("no 0.750")
            assert page.locator("#status").inner_text() == "connected"
            assert page.locator("#answer").inner_text() == "no 0.510"
            assert page.locator(".score").all_inner_texts() == ["yes\n0.490", "no\n0.510"]
            assert page.locator("#time").inner_text().startswith("50 predictions")
            assert "listening" in page.locator("#lines li").all_inner_texts()
            assert page.locator("#range").inner_text() == "from 0 to 1"
            points = page.locator("#plot polyline").first.get_attribute("points").split()
            assert len(points) == 50 and page.locator("#plot polyline").count() == 2
            assert not faults_of_access(page)
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 0
            page.locator("#status", has_text="no connection").wait_for()
        finally:
            running.kill()
            running.wait()
