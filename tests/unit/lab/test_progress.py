from __future__ import annotations

import os

import pytest

from bookmesh.base import findings
from bookmesh.lab import progress


def test_steps_arrive_in_order_and_end_with_ready() -> None:
    reader, writer = os.pipe()
    reporter = progress.Reporter(writer)
    reporter.step("store")
    reporter.serving()
    reporter.step("control plane")
    reporter.ready()
    with os.fdopen(reader, "rb") as pipe:
        assert list(progress.read(pipe)) == [
            progress.Step("store"),
            progress.Serving(),
            progress.Step("control plane"),
            progress.Ready(),
        ]


def test_a_failure_arrives_as_the_finding_it_was() -> None:
    reader, writer = os.pipe()
    finding = findings.Finding(
        code="BM0102",
        message="port 1 is in use",
        subject=findings.ObjectRef("Service", "x", "y"),
        hint="free it",
    )
    progress.Reporter(writer).failed(findings.BookmeshError(finding, exit_code=3))
    with os.fdopen(reader, "rb") as pipe, pytest.raises(findings.BookmeshError) as caught:
        list(progress.read(pipe))
    assert caught.value.finding == finding
    assert caught.value.exit_code == 3


def test_a_lab_that_dies_ends_the_reports_without_ready() -> None:
    reader, writer = os.pipe()
    progress.Reporter(writer).step("store")
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert list(progress.read(pipe)) == [progress.Step("store")]


def test_reports_without_a_listener_go_nowhere() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    reporter = progress.Reporter(writer)
    reporter.step("nobody listens")
    reporter.ready()
