"""Warning headers."""

from __future__ import annotations

from multidict import CIMultiDict

from bookmesh.kube.api import responses


def test_each_warning_is_one_printable_line() -> None:
    headers: CIMultiDict[str] = CIMultiDict()
    responses.add_warnings(headers, ["plain", 'a "quoted"\nline \\'])
    assert headers.getall("Warning") == ['299 - "plain"', '299 - "a \\"quoted\\" line \\\\"']


def test_warnings_have_no_control_characters_and_are_shortened_when_they_are_many() -> None:
    headers: CIMultiDict[str] = CIMultiDict()
    responses.add_warnings(headers, ["a\x00b\x1b[1m"])
    assert headers.getall("Warning") == ['299 - "a b [1m"']
    headers.clear()
    responses.add_warnings(headers, ["x" * 1000] * 30)
    assert headers.getall("Warning") == [f'299 - "{"x" * 256}"'] * 16
