"""Warning headers."""

from __future__ import annotations

from multidict import CIMultiDict

from bookmesh.kube.api import responses


def test_each_warning_is_one_printable_line() -> None:
    headers: CIMultiDict[str] = CIMultiDict()
    responses.add_warnings(headers, ["plain", 'a "quoted"\nline \\'])
    assert headers.getall("Warning") == ['299 - "plain"', '299 - "a \\"quoted\\" line \\\\"']
