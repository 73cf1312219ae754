"""Which texts are names."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema import names


@pytest.mark.parametrize(
    ("syntax", "good", "bad"),
    [
        (names.dns_label, ["a", "1", "a-b", "a" * 63], ["", "A", "a.b", "-a", "a-", "a_b", "a" * 64, "a\n"]),
        (names.dns_label_1035, ["a", "a1"], ["", "1a", "a.b", "A"]),
        (names.dns_subdomain, ["a", "a.b-c.1", "a" * 253], ["", "a..b", ".a", "A", "a" * 254]),
        (names.qualified_name, ["a", "A_b.c", "x.y/a"], ["", "/a", "x/", "X/a", "a/b/c", "-a", "a" * 64]),
        (names.path_segment, ["a", "system:x", "A b"], [".", "..", "a/b", "a%b"]),
        (names.label_value, ["", "a", "A_b.c", "a" * 63], ["-a", "a-", "a b", "a" * 64]),
        (names.config_key, ["a", "A.b_c-d", "..."[:1] + "x"], ["", ".", "..", "..a", "a/b", "a b"]),
        (names.environment_name, ["A", "a.b", "1x", "with space"], ["", "A=B", "Ä"]),
        (names.port_name, ["http", "a-1"], ["", "80", "http-", "a--b", "HTTP", "a" * 16]),
    ],
)
def test_a_syntax_accepts_and_refuses(syntax: names.Syntax, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if syntax(text)] == []
    assert [text for text in bad if not syntax(text)] == []


def test_ports_are_numbers_in_range_or_names() -> None:
    assert names.check_port("p", 80) == []
    assert names.check_port("p", "http") == []
    assert [cause.message for cause in names.check_port("p", 0)] == [
        "Invalid value: 0: must be between 1 and 65535, inclusive"
    ]
    assert len(names.check_port("p", "80")) == 1


def test_labels_are_checked_by_key_and_value() -> None:
    found = names.check_labels("metadata.labels", {"ok": "ok", "not ok": "a", "k": "not ok"})
    assert [cause.field for cause in found] == ["metadata.labels", "metadata.labels"]
    assert found[0].message.startswith('Invalid value: "not ok": name part must consist of')
    assert found[1].message.startswith('Invalid value: "not ok": a valid label must be an empty string or')
