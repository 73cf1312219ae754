"""
The compatibility matrix and this run of the tests: a cell that a test claims counts when that test passed.

`@pytest.mark.covers("kubectl", "rollout undo")` claims the cells of a client. The page is made of the claims as they
stand in the files (`tools/gen_compatibility.py`), without running anything; this is what keeps them honest. Cells of
kubectl are claimed for each version, so a version that is left out is noticed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from tests.clients import kubectls


class Cell(NamedTuple):
    """`version` is that of kubectl, and empty for other clients."""

    client: str
    verb: str
    version: str = ""


def claims_of(item: pytest.Item) -> set[Cell]:
    """The cells that one collected test shows when it passes; of a test with each transport, those of its own."""
    version = next((one for one in kubectls.VERSIONS if one in item.name.partition("[")[2]), "")
    callspec = getattr(item, "callspec", None)  # only a test with parameters has one
    transport = callspec.params.get("transport") if callspec else None
    return {
        Cell(mark.args[0], verb, version)
        for mark in item.iter_markers("covers")
        for verb in mark.args[1:]
        if transport is None or verb.endswith("(over SPDY)") == (transport == "spdy")
    }


def missing(claims: dict[str, set[Cell]], passed: set[str]) -> list[str]:
    """
    Cells that no passed test shows though one claims them, as lines for people; sorted.

    Args:
        claims: by the id of the test.
        passed: ids of the tests that passed.
    """
    claimed = {cell for cells in claims.values() for cell in cells}
    shown = {cell for test in passed for cell in claims.get(test, ())}
    verbs = {(cell.client, cell.verb) for cell in claimed if cell.client == "kubectl"}
    wanted = claimed | {
        Cell(client, verb, version) for client, verb in verbs for version in kubectls.VERSIONS
    }
    wanted -= {cell for cell in wanted if cell.client == "kubectl" and not cell.version}
    return sorted(" ".join((cell.client, cell.version, cell.verb)) for cell in wanted - shown)


class Cells:
    """Watches a run; makes it fail when a claimed cell is not shown, whatever the reason."""

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        found: dict[str, set[Cell]] = defaultdict(set)
        for item in items:
            found[item.nodeid] |= claims_of(item)
        self._claims = {test: cells for test, cells in found.items() if cells}
        self._passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus != pytest.ExitCode.OK or session.config.option.collectonly:
            return
        if absent := missing(self._claims, self._passed):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            reporter.write_line("claimed in the compatibility matrix, and not shown:", red=True)
            for line in absent:
                reporter.write_line(f"  {line}", red=True)
