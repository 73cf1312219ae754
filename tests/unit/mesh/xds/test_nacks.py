from __future__ import annotations

import pytest

from bookmesh.mesh.xds import nacks

NAME = "outbound|80||a.b"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Error adding/updating cluster(s) outbound|80||a.b: bad", (NAME,)),
        ("Error adding/updating cluster(s) x: bad, outbound|80||a.b: bad", (NAME,)),
        ("Error adding/updating listener(s) outbound|80||a.b.", (NAME,)),
        ("Error adding/updating cluster(s) outbound|80||a.b.c: bad", ()),
        ("Error adding/updating cluster(s) inbound-outbound|80||a.b", ()),
        ('name: "outbound|80||a.b" Proto constraint validation failed', ()),
        ("missing ]: [a-z", ()),
    ],
)
def test_only_what_envoy_tried_one_by_one_is_refused_by_name(message, expected):
    assert nacks.refused_among(message, [NAME]) == expected
