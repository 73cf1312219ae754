"""What every test may use: helper modules by their path from the repository (`tests.…`), and `--update-golden`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest
from aiohttp import web_app

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


# How long one example takes says how busy the machine is, and nothing about what is tested. Every run has the same
# examples: what fails for one is to fail for all. `--hypothesis-profile=explore` draws others each time.
hypothesis.settings.register_profile(
    "any-machine",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "explore", hypothesis.settings.get_profile("any-machine"), derandomize=False, max_examples=2000
)
hypothesis.settings.load_profile("any-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite expected outputs (*.out.*) and pass"
    )


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected outputs are to be rewritten instead of compared."""
    return bool(request.config.getoption("--update-golden"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """All modules are imported and stay: the garbage collector need not look through them again for each test."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say more about what failed."""
    report = yield
    if report.failed:
        from tests import failure_notes

        report.sections += failure_notes.sections(getattr(item, "funcargs", {}), call)
    return report


def pytest_runtest_logfinish() -> None:
    """aiohttp remembers the handlers of a thousand routes, and with them applications and stores of earlier tests."""
    web_app._cached_build_middleware.cache_clear()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must run (BOOKMESH_FAIL_ON_SKIP), a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("BOOKMESH_FAIL_ON_SKIP") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"{len(skipped)} tests were skipped where none may be", red=True)
