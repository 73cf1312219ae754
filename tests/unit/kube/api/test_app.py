"""Every request: where it comes from, who asks, and refusals as Status objects."""

from __future__ import annotations

import logging
from unittest import mock

import pytest
from aiohttp import web
from tests.unit.kube.api.conftest import Send, Streams, decoded, request_for

from bookmesh.kube.api import app, authentication, verbs


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/readyz/ping"])
async def test_health(send: Send, path: str) -> None:
    assert (await send("GET", path)).status == 200


async def test_probes_and_version_need_no_credentials(application: web.Application) -> None:
    for path in ("/healthz", "/livez", "/readyz", "/version", "/version/"):
        assert (await application._handle(request_for("GET", path))).status == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer bad"}, {"Authorization": "Basic Z29vZA=="}])
async def test_everything_else_does(application: web.Application, header: dict[str, str]) -> None:
    response = await application._handle(request_for("GET", "/api/v1/pods", headers=header))
    assert response.status == 401
    assert decoded(response)["reason"] == "Unauthorized"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:6443", 200),
        ("127.0.0.1:6443", 200),
        ("[::1]:6443", 200),
        ("kubernetes.default.svc", 200),
        ("kubernetes.default.svc.cluster.local.", 200),
        ("API.lab", 200),
        ("evil.example.com", 403),
        ("localhost.evil.example.com:6443", 403),
        ("", 403),
    ],
)
async def test_host_must_be_ours(send: Send, host: str, status: int) -> None:
    assert (await send("GET", "/version", headers={"Host": host})).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:6443", 200), ("https://evil.example.com", 403), ("null", 403)],
)
async def test_other_web_pages_are_refused(send: Send, origin: str, status: int) -> None:
    assert (await send("GET", "/version", headers={"Origin": origin})).status == status


async def test_defects_are_a_500_with_the_reason(
    application: web.Application, over: verbs.Verbs, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        mock.patch.object(over, "get", side_effect=ZeroDivisionError("oops")),
        caplog.at_level(logging.ERROR),
    ):
        response = await send("GET", "/api/v1/namespaces/default")
    status = decoded(response)
    assert (response.status, status["reason"], status["kind"]) == (500, "InternalError", "Status")
    assert "oops" in status["message"]
    assert "ZeroDivisionError" in caplog.text


async def test_unknown_paths_and_methods(send: Send) -> None:
    assert decoded(await send("GET", "/nothing"))["reason"] == "NotFound"
    assert decoded(await send("POST", "/version"))["code"] in {404, 405}
    assert (await send("POST", "/api/v1/namespaces/default")).status == 405


async def test_body_that_is_too_large(send: Send) -> None:
    response = await send("POST", "/api/v1/namespaces", body=b" " * (4 << 20))
    assert (response.status, decoded(response)["reason"]) == (413, "RequestEntityTooLarge")


async def test_extra_routes_are_behind_the_same_checks(over: verbs.Verbs) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request[authentication.USER].name)

    application = app.build_app(
        over,
        streams=Streams(),
        authenticator=authentication.Authenticator(user_for_token=lambda token: token),
        extra_routes={"/lab/v1/status": answer},
    )
    application.freeze()
    assert (await application._handle(request_for("GET", "/lab/v1/status"))).status == 401
    request = request_for("GET", "/lab/v1/status", headers={"Authorization": "Bearer me"})
    response = await application._handle(request)
    assert isinstance(response, web.Response)
    assert response.text == "me"
