from __future__ import annotations

import asyncio
import json
import ssl
from typing import Any

import grpc
import pytest
from envoy.service.discovery.v3 import discovery_pb2
from envoy.service.status.v3 import csds_pb2
from tests.unit.lab.standins import test_istiod

from bookmesh.lab.standins import istiod_xds, serving


def test_each_connected_proxy_is_told_with_its_types() -> None:
    data = istiod_xds.build_response(test_istiod.PROXIES, instance="istiod-1")
    response = discovery_pb2.DiscoveryResponse.FromString(data)
    assert json.loads(response.control_plane.identifier)["ID"] == "istiod-1"
    (resource,) = response.resources
    config = csds_pb2.ClientConfig()
    assert resource.Unpack(config)
    assert (config.node.id, config.node.metadata["NAMESPACE"]) == ("a-v1.default", "default")
    states = {
        each.type_url.rpartition(".")[2]: csds_pb2.ConfigStatus.Name(each.config_status)
        for each in config.generic_xds_configs
    }
    assert states == {"Cluster": "SYNCED", "Listener": "ERROR", "RouteConfiguration": "NOT_SENT"}


async def asked(request: discovery_pb2.DiscoveryRequest, ask: Any = test_istiod.ask) -> bytes:
    """Connect as istioctl does: TLS that verifies nobody, one request, the first answer."""
    listener = serving.listen(0)
    port = listener.getsockname()[1]
    async with istiod_xds.listening(listener, ask):
        # The first connection makes the server; its certificate can be read off it then.
        context = ssl._create_unverified_context()
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        trusted = ssl.DER_cert_to_PEM_cert(der).encode()
        options = (("grpc.ssl_target_name_override", "istiod.istio-system.svc"),)
        credentials = grpc.ssl_channel_credentials(trusted)
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
            call: Any = channel.stream_stream(f"/{istiod_xds._SERVICE}/{istiod_xds._METHOD}")()
            await call.write(request.SerializeToString())
            answer: bytes = await call.read()
            call.cancel()
            return answer


@pytest.mark.parametrize("nonce", ["", "istioctl's own"])
async def test_a_debug_type_is_answered_over_tls(nonce: str) -> None:
    data = await asked(discovery_pb2.DiscoveryRequest(type_url=istiod_xds.SYNC_TYPE, response_nonce=nonce))
    assert len(discovery_pb2.DiscoveryResponse.FromString(data).resources) == 1


@pytest.mark.parametrize(
    ("type_url", "ask", "code"),
    [
        ("istio.io/debug/config_dump", test_istiod.ask, grpc.StatusCode.UNIMPLEMENTED),
        (istiod_xds.SYNC_TYPE, test_istiod.fail, grpc.StatusCode.UNAVAILABLE),
    ],
)
async def test_what_is_not_here_is_said(type_url: str, ask: Any, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asked(discovery_pb2.DiscoveryRequest(type_url=type_url), ask)
    assert error.value.code() is code
