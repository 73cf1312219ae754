"""Pages and states of lists."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiohttp import web
from multidict import MultiDict

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import paging, queries, verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store

Send = Callable[..., Awaitable[web.Response]]
MAPS = "/api/v1/namespaces/default/configmaps"


def make(over: verbs.Verbs, *names: str) -> None:
    for name in names:
        over.create(kubernetes.CONFIG_MAPS, {"metadata": {"name": name, "namespace": "default"}})


async def names(send: Send, query: str) -> tuple[list[str], dict[str, Any]]:
    response = await send("GET", f"{MAPS}?{query}")
    found = orjson.loads(response.body)  # type: ignore[arg-type]
    return [each["metadata"]["name"] for each in found["items"]], found["metadata"]


async def test_every_page_shows_the_state_of_the_first(over: verbs.Verbs, send: Send) -> None:
    make(over, "a", "b", "c", "d")
    first, fields = await names(send, "limit=2")
    assert (first, fields["remainingItemCount"]) == (["a", "b"], 2)
    over.delete(kubernetes.CONFIG_MAPS, "c", "default")
    make(over, "c2")
    over.patch(kubernetes.CONFIG_MAPS, "d", "default", {"data": {"x": "1"}}, patch_type="merge")
    rest, after = await names(send, f"limit=2&continue={fields['continue']}")
    assert (rest, after["resourceVersion"]) == (["c", "d"], fields["resourceVersion"])
    assert (await names(send, ""))[0] == ["a", "b", "c2", "d"]


async def test_a_selector_leaves_the_number_of_the_rest_open(over: verbs.Verbs, send: Send) -> None:
    make(over, "a", "b")
    fields = (await names(send, "limit=1&labelSelector=!x"))[1]
    assert "continue" in fields
    assert "remainingItemCount" not in fields


async def test_an_exact_state_is_shown_again(over: verbs.Verbs, send: Send) -> None:
    make(over, "a")
    version = over.store.version
    make(over, "b")
    exact = f"resourceVersion={version}&resourceVersionMatch=Exact"
    assert (await names(send, exact))[0] == ["a"]
    newer = f"resourceVersion={version}&resourceVersionMatch=NotOlderThan"
    assert (await names(send, newer))[0] == ["a", "b"]


def test_a_state_that_is_forgotten_is_told() -> None:
    over = verbs.Verbs(store.Store.open(None, history=2), kinds.Kinds(), schemas.Schemas.load())
    over.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    version = over.store.version
    make(over, "a", "b", "c")
    with pytest.raises(Exception, match="too old resource version"):
        over.list(kubernetes.CONFIG_MAPS, "default", version=version)
    over.store.close()


def test_a_token_that_is_too_old_comes_with_one_that_goes_on() -> None:
    error = paging.expired(queries.Cursor(3, "default", "a"), 9)
    assert (error.code, error.reason) == (410, "Expired")
    assert error.message.startswith("The provided continue parameter is too old to display a consistent list")
    fields = error.status()["metadata"]
    page = paging.wanted_page(MultiDict({"continue": fields["continue"]}), 9)
    assert page.version is None
    assert page.after is not None
    assert (page.after.namespace, page.after.name) == ("default", "a")
    assert paging.expired(None, 9).message == "The resourceVersion for the provided list is too old."


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"resourceVersion": "99"}, 504, "Timeout: Too large resource version: 99, current: 9"),
        ({"resourceVersion": "x"}, 400, "resourceVersion must be"),
        ({"resourceVersionMatch": "Exact"}, 422, "forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Like", "resourceVersion": "1"}, 422, "Unsupported value"),
        ({"continue": "x", "resourceVersion": "1"}, 400, "not allowed when using continue"),
        ({"continue": "x"}, 400, "continue key is not valid"),
    ],
)
def test_what_cannot_be_asked_for(query: dict[str, str], code: int, text: str) -> None:
    with pytest.raises(ApiError, match=text) as refusal:
        paging.wanted_page(query, 9)
    assert refusal.value.code == code
