"""What a server says of itself."""

from __future__ import annotations

from tests.unit.kube.api.conftest import Send, decoded


async def test_index_lists_what_there_is(send: Send) -> None:
    assert {"/api/v1", "/apis/apps/v1", "/version"} <= set(decoded(await send("GET", "/"))["paths"])


async def test_a_slash_at_the_end_changes_nothing(send: Send) -> None:
    for path in ("/version", "/apis", "/apis/apps", "/apis/apps/v1", "/openapi/v3"):
        assert decoded(await send("GET", path)) == decoded(await send("GET", path + "/"))


async def test_a_document_with_its_hash_may_be_kept_for_ever(send: Send) -> None:
    listed = decoded(await send("GET", "/openapi/v3"))["paths"]["apis/apps/v1"]["serverRelativeURL"]
    assert "immutable" in (await send("GET", listed)).headers["Cache-Control"]
    assert "Cache-Control" not in (await send("GET", "/openapi/v3/apis/apps/v1")).headers
