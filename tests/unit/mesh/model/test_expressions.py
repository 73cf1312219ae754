"""Regular expressions that Envoy takes, and those that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from bookmesh.mesh.model import expressions, parsing


@pytest.mark.parametrize("pattern", [".*", "^/[a-z]+(/.*)?$", r"\d+\.\pL", "(?i)a", "(?P<x>a)", "a{1000}"])
def test_what_re2_reads_is_taken(pattern: str) -> None:
    expressions.check(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("/[a-z", "missing ]: [a-z"),
        ("(", "missing ): ("),
        ("*", "no argument for repetition operator: *"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?=a)", "invalid perl operator: (?="),
        ("a{1001}", "invalid repetition size: {1001}"),
    ],
)
def test_what_re2_does_not_read_is_refused_with_its_reason(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression") as caught:
        expressions.check(pattern)
    assert str(caught.value).endswith(reason)


@pytest.mark.parametrize(("pattern", "rewrite"), [("a", "b"), ("(a)(b)", r"\2\1\0"), ("a", r"\\")])
def test_groups_that_are_there_may_be_used(pattern: str, rewrite: str) -> None:
    expressions.check_rewrite(pattern, rewrite)


@pytest.mark.parametrize(
    ("pattern", "rewrite"), [("a", r"\1"), ("(a)", r"\2"), ("a", "\\"), ("a", r"\x"), ("(", "")]
)
def test_a_rewrite_that_cannot_be_done_is_refused(pattern: str, rewrite: str) -> None:
    with pytest.raises(ValueError, match=r"rewrite|regular expression"):
        expressions.check_rewrite(pattern, rewrite)


def test_a_match_is_of_the_whole_text_or_of_a_part() -> None:
    assert expressions.matches("a.c", "abc")
    assert not expressions.matches("a.c", "abcd")
    assert expressions.matches_somewhere("a.c", "xabcd")


def finding(api_version: str, kind: str, spec: dict[str, Any]) -> tuple[str, str]:
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}, "spec": spec}
    (found,) = parsing.parse(obj).findings
    return found.code, found.where


def test_objects_are_refused_at_the_place_of_the_expression() -> None:
    uri = {"match": [{"uri": {"regex": "("}}], "route": [{"destination": {"host": "a"}}]}
    rewrite = {
        "rewrite": {"uriRegexRewrite": {"match": "a", "rewrite": r"\1"}},
        "route": [{"destination": {"host": "a"}}],
    }
    for http, where in (
        (uri, "spec.http[0].match[0].uri"),
        (rewrite, "spec.http[0].rewrite.uriRegexRewrite"),
    ):
        spec = {"hosts": ["a"], "http": [http]}
        assert finding("networking.istio.io/v1", "VirtualService", spec) == ("BM0201", where)


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("HTTPRoute", {"path": {"type": "RegularExpression", "value": "/("}}),
        ("HTTPRoute", {"headers": [{"type": "RegularExpression", "name": "a", "value": "("}]}),
        ("HTTPRoute", {"queryParams": [{"type": "RegularExpression", "name": "a", "value": "("}]}),
        ("GRPCRoute", {"method": {"type": "RegularExpression", "service": "("}}),
    ],
)
def test_so_are_those_of_the_gateway_api(kind: str, match: dict[str, Any]) -> None:
    code, where = finding("gateway.networking.k8s.io/v1", kind, {"rules": [{"matches": [match]}]})
    assert code == "BM0201"
    assert where.startswith("spec.rules[0].matches[0].")


def test_a_bare_asterisk_means_any_value() -> None:
    spec = {"hosts": ["a"], "http": [{"match": [{"method": {"regex": "*"}}], "redirect": {"uri": "/"}}]}
    obj = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "it"},
        "spec": spec,
    }
    assert parsing.parse(obj).findings == ()


@pytest.mark.parametrize("pattern", ["", "x" * 1025, r"\pL{1000}"])
def test_what_is_too_little_or_too_much_for_a_proxy_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        expressions.check(pattern)
