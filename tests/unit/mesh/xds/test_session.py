"""Rules that need no stream; `tests/protocol` plays whole ones."""

from __future__ import annotations

from bookmesh.mesh.xds import session


def test_a_session_without_requests_is_not_settled():
    assert not session.Session({}).is_settled()


def test_a_session_without_resources_has_nothing_to_send_and_no_deadline():
    assert session.Session({}).pending(1.0) == []
    assert session.Session({}).deadline() is None
