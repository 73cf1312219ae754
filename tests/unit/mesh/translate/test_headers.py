"""Changes to headers, in the order Envoy applies them."""

from __future__ import annotations

import msgspec

from bookmesh.mesh.model import matching
from bookmesh.mesh.translate import headers
from bookmesh.mesh.wire import core


def test_set_comes_before_add_and_pseudo_headers_are_left_out() -> None:
    spec = {
        "request": {"add": {"x": "1"}, "set": {"b": "2", "a": "3", ":path": "/"}, "remove": ["gone", "Host"]}
    }
    changes = headers.build_changes(msgspec.convert(spec, matching.Headers))
    assert [(h.header.key, h.append_action) for h in changes.request_add] == [
        ("a", core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD),
        ("b", core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD),
        ("x", core.HeaderValueOption.APPEND_IF_EXISTS_OR_ADD),
    ]
    assert changes.request_remove == ("gone",)


def test_host_becomes_the_authority_and_set_wins_over_add() -> None:
    spec = {"request": {"add": {":authority": "added"}, "set": {"Host": "set"}}}
    assert headers.build_changes(msgspec.convert(spec, matching.Headers)).authority == "set"


def test_nothing_to_change_is_nothing() -> None:
    assert headers.build_changes(None) == headers.HeaderChanges()
