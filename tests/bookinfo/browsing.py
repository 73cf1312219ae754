"""What the browser tests need: shops in every state, a browser window on them, and axe-core."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.bookinfo import processes

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
TOOLS = ROOT / "tools"
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
NPM_LIMIT_S = 100

WHOLE = ("v1", "v2", "v3")
BROKEN = ("reviews-down", "details-down", "ratings-down")


class Shops:
    """Product pages by state: a version of reviews, or which service is down. Started when first asked for."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        self._started: dict[str, processes.Process] = {}
        # Bound and not listening: nobody else gets the port, and whoever connects is refused.
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))
        self._nobody = f"http://127.0.0.1:{nobody.getsockname()[1]}"

    def url(self, state: str) -> str:
        """Return the base URL of productpage in one of `WHOLE` and `BROKEN`."""
        version = state if state in WHOLE else "v3"
        wires = {
            "details": self._nobody if state == "details-down" else self._start("details", "v1"),
            "reviews": self._nobody if state == "reviews-down" else self._reviews(version, state),
        }
        return self._start("productpage", "v1", suffix=f"-{state}", **wires)

    def _reviews(self, version: str, state: str) -> str:
        if state == "ratings-down":
            return self._start("reviews", version, suffix="-alone", ratings=self._nobody)
        return self._start("reviews", version, ratings=self._start("ratings", "v1"))

    def _start(self, service: str, version: str, *, suffix: str = "", **wires: str) -> str:
        label = f"{service}-{version}{suffix}"
        if label not in self._started:
            variables = {"SERVICE_VERSION": version, **processes.wiring(**wires)}
            self._started[label] = processes.Process(self._directory, service, label, variables)
            self._stack.callback(self._started[label].stop)
        return self._started[label].url


class Window:
    """A page in a browser context of its own, with everything that went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requested: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", lambda request: self.problems.append(f"{request.url}: {request.failure}"))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("request", lambda request: self.requested.append(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.problems.append(text)

    def keep_picture(self, name: str) -> None:
        """Save the whole page, once all of it is there, as artifacts/bookinfo-NAME.png."""
        self.page.wait_for_load_state()
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"bookinfo-{name}.png", full_page=True)

    def overflow_px(self) -> int:
        """By how much the page is wider than the window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    def style(self, selector: str, name: str) -> str:
        """The computed value of a CSS property of the first element that matches."""
        value: str = self.page.locator(selector).first.evaluate(
            "(element, name) => getComputedStyle(element).getPropertyValue(name)", name
        )
        return value

    def violations(self, axe_source: str) -> list[str]:
        """Run axe-core with all of its rules that are on by default; one line a finding."""
        self.page.evaluate(axe_source)  # not a script element: the page's policy allows none
        result: dict[str, Any] = self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations', 'passes']})"
        )
        assert len(result["passes"]) > 10, "axe-core checked next to nothing"
        return [
            f"{found['id']} ({found['impact']}): {found['help']}: {node['html']} {node['failureSummary']}"
            for found in result["violations"]
            for node in found["nodes"]
        ]


def launch(stack: ExitStack) -> Browser:
    """Start Chromium without a window; skip where it is not installed. What is expected may take its time."""
    from playwright.sync_api import expect, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    playwright = stack.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", *QUIET])
    stack.callback(browser.close)
    expect.set_options(timeout=60_000)
    return browser


def colour(text: str) -> tuple[int, int, int]:
    """Read a computed colour such as `rgb(1, 2, 3)`."""
    red, green, blue = (int(part) for part in text.removeprefix("rgb(").removesuffix(")").split(","))
    return red, green, blue


def axe_source() -> str:
    """
    Return axe-core's script, installed with npm below artifacts/ as tools/package-lock.json says.

    Skips where there is no npm; fails where npm cannot install it.
    """
    directory = ARTIFACTS / "npm"
    script = directory / "node_modules" / "axe-core" / "axe.min.js"
    wanted = json.loads((TOOLS / "package.json").read_text())["devDependencies"]["axe-core"]
    installed = script.with_name("package.json")
    if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed, which brings axe-core (Debian: apt-get install npm)")
        directory.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(TOOLS / name, directory)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, timeout=NPM_LIMIT_S, check=False
        )
        assert done.returncode == 0, f"npm could not install axe-core:\n{done.stderr}"
    return script.read_text()
