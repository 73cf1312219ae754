from __future__ import annotations

import re

import pytest
from tests.unit.lab.standins import small_servers

from bookmesh.lab.standins import gunicorn


def test_the_port_is_that_of_b() -> None:
    assert gunicorn.parse(["--access-logfile", "-", "-b", "0.0.0.0:8081", "httpbin:app"]) == 8081
    assert gunicorn.parse(["--bind=[::]:9000", "-k", "gevent"]) == 9000
    assert gunicorn.parse([]) == 80


@pytest.mark.parametrize("argv", [["other:app"], ["-b", "nowhere"], ["-b"], ["-b", ":99999"]])
def test_other_arguments_are_misuse(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        gunicorn.parse(argv)
    assert stopped.value.code == 2


async def test_values_are_plain_texts_and_requests_are_logged() -> None:
    lines: list[str] = []
    async with small_servers.client_of(gunicorn.create(lines.append)) as client:
        answer = await client.get("/headers?a=1", headers={"User-Agent": "curl/8", "X-Two": "b"})
        body = await answer.json()
        missing = await client.get("/nowhere")
        page = await client.get("/html")
        assert "Herman Melville - Moby-Dick" in await page.text()
    assert body["headers"]["X-Two"] == "b"
    assert missing.status == 404
    request = r'"GET /headers\?a=1 HTTP/1\.1" 200 \d+ "-" "curl/8"'
    assert re.fullmatch(rf"127\.0\.0\.1 - - \[\d\d/\w{{3}}/\d{{4}}:[\d:]{{8}} \+0000\] {request}", lines[0])
    assert len(lines) == 3
