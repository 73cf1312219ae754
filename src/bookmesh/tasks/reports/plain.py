"""Results for programs: JSON, JUnit XML and GitHub's workflow commands."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from bookmesh.base.findings import Finding
from bookmesh.tasks.records import ExpectationResult, Result
from bookmesh.tasks.reports import text, timing


def as_json(results: Sequence[Result], took_s: float) -> str:
    """All records as they are, and where the time went; certificates in hexadecimal."""
    body = {
        "passed": all(result.outcome == "passed" for result in results),
        "took_s": round(took_s, 3),
        "where_s": {what: round(spent_s, 3) for what, spent_s in timing.sums(results).items()},
        "tasks": [
            dataclasses.asdict(result) | {"checks": result.checks, "message": result.message}
            for result in results
        ],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2, default=_encode).decode()


def as_junit(results: Sequence[Result], took_s: float) -> str:
    """One suite a task, one case an expectation; what went wrong outside of them is a case of its own."""
    root = ET.Element("testsuites", name="bookmesh", time=f"{took_s:.3f}")
    for result in results:
        cases = [(step.name, expectation) for step in result.steps for expectation in step.expectations]
        suite = ET.SubElement(root, "testsuite", name=result.key, time=f"{result.took_s:.3f}")
        told = [expectation for _, expectation in cases if expectation.outcome != "passed"]
        for step_name, expectation in cases:
            after_s = expectation.after.took_s if expectation.after else 0.0
            case = ET.SubElement(
                suite,
                "testcase",
                classname=result.key,
                name=f"{step_name}: {expectation.name}",
                time=f"{after_s:.3f}",
            )
            _add_failure(case, expectation)
        if result.outcome != "passed" and not told:
            case = ET.SubElement(
                suite, "testcase", classname=result.key, name="the task as a whole", time="0"
            )
            error = ET.SubElement(case, "error", message=_printable(result.message))
            error.text = _printable("\n".join(finding.render() for finding in result.findings))
        suite.set("tests", str(len(suite)))
        for kind in ("failure", "error"):
            suite.set(f"{kind}s", str(len(suite.findall(f"testcase/{kind}"))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def as_github(results: Sequence[Result]) -> str:
    """One annotation for each thing that went wrong, at its line of the task's file; a notice when nothing did."""
    failed = [result for result in results if result.outcome != "passed"]
    lines = [
        f"::error file={_escape(result.file, property_value=True)},line={_line(finding)},"
        f"title={_escape(result.key, property_value=True)}::{_escape(finding.render())}"
        for result in failed
        for finding in result.findings
    ]
    if not failed:
        checks = sum(result.checks for result in results)
        tasks = text.counted(len(results), "task")
        lines.append(f"::notice title=bookmesh::{tasks} passed, {text.counted(checks, 'check')} held")
    return "\n".join(lines)


def _add_failure(case: ET.Element, expectation: ExpectationResult) -> None:
    if expectation.outcome == "passed":
        return
    kind = "error" if expectation.outcome == "broken" else "failure"
    found = ET.SubElement(case, kind, message=_printable(expectation.message))
    found.text = _printable("\n".join(_lines(expectation)))
    if expectation.finding:
        found.set("type", expectation.finding.code)


def _lines(expectation: ExpectationResult) -> Iterator[str]:
    yield f"probe: {expectation.probe}"
    for label, attempt in (("before", expectation.before), ("after", expectation.after)):
        for verdict in attempt.verdicts if attempt else ():
            yield f"{label}: {'holds' if verdict.holds else 'fails'}: {verdict.text}"
    if expectation.finding:
        yield f"known: {expectation.finding.known}"


def _line(finding: Finding) -> str:
    """The line in `FILE:LINE  PATH`; 1 where it says none."""
    head = finding.where.partition("  ")[0].rpartition(":")[2]
    return head if head.isdigit() else "1"


def _printable(text: str) -> str:
    """Drop what XML cannot carry."""
    return "".join(character for character in text if character >= " " or character in "\n\t")


def _escape(text: str, *, property_value: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property_value else text


def _encode(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)
