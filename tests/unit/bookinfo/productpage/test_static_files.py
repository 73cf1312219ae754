from __future__ import annotations

from importlib import resources
from typing import Any

import aiohttp


def style_sheet() -> str:
    return resources.files("bookinfo.productpage").joinpath("static", "bookinfo.css").read_text("utf-8")


async def test_style_sheet_is_kept_for_ever_under_its_hash_and_asked_for_again_without(
    start_named: Any, client: aiohttp.ClientSession
) -> None:
    url = await start_named("productpage")
    page = await (await client.get(f"{url}/")).text()
    href = page.split('<link rel="stylesheet" href="')[1].split('"')[0]
    hashed = await client.get(f"{url}/{href}")
    assert hashed.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in hashed.headers["cache-control"]
    assert await hashed.text() == style_sheet()
    plain = await client.get(f"{url}/static/bookinfo.css", headers={"if-none-match": hashed.headers["etag"]})
    assert (plain.status, plain.headers["cache-control"]) == (304, "no-cache")


async def test_other_files_are_not_served(start_named: Any, client: aiohttp.ClientSession) -> None:
    url = await start_named("productpage")
    for path in ("nothing.css", "..%2fapp.py", "%2e%2e%2fapp.py", ""):
        assert (await client.get(f"{url}/static/{path}")).status == 404


def test_style_sheet_fetches_nothing_and_has_no_landmark_of_the_markup() -> None:
    css = style_sheet()
    assert "url(" not in css
    assert "@import" not in css
    assert "glyphicon glyphicon-star" not in css
    assert "prefers-color-scheme: dark" in css
