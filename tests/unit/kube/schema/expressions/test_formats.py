"""Named formats."""

from __future__ import annotations

import pytest

from bookmesh.kube.schema.expressions import formats


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("dns1123Label", "web-1", "Web"),
        ("dns1123Subdomain", "a.example", "a..b"),
        ("dns1035Label", "web", "1web"),
        ("dns1123LabelPrefix", "web-", "-web"),
        ("dns1123SubdomainPrefix", "a.web-", "A-"),
        ("dns1035LabelPrefix", "web-", "1-"),
        ("qualifiedName", "example.com/Name", "a/b/c"),
        ("labelValue", "", "a b"),
        ("uri", "https://a.example/x", "../x"),
        ("uuid", "01234567-89ab-cdef-0123-456789abcdef", "0123"),
        ("byte", "Yg==", "Yg="),
        ("date", "2026-01-31", "2026-02-31"),
        ("datetime", "2026-01-31T00:00:00Z", "2026-01-31"),
    ],
)
def test_what_has_a_format(name: str, good: str, bad: str) -> None:
    made = formats.FUNCTIONS[f"format.{name}"]()
    assert formats.named(name).value() == made
    assert not formats.validate(made, good).has_value()
    (wrong,) = formats.validate(made, bad).value()
    assert wrong


def test_a_format_that_there_is_not() -> None:
    assert not formats.named("shoes").has_value()
