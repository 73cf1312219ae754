from __future__ import annotations

import pytest

from bookmesh.mesh.xds import nacks


@pytest.mark.parametrize(
    ("message", "is_named"),
    [
        ("Error adding/updating cluster(s) outbound|80||a.b: bad", True),
        ("Error adding/updating cluster(s) x, outbound|80||a.b", True),
        ("outbound|80||a.b.", True),
        ("outbound|80||a.b.c: bad", False),
        ("inbound-outbound|80||a.b", False),
        ("missing ]: [a-z", False),
    ],
)
def test_a_message_names_a_resource_only_as_a_whole(message, is_named):
    assert (nacks.named_in(message, ["outbound|80||a.b"]) == ("outbound|80||a.b",)) is is_named
