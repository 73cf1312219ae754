"""TLS towards services."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bookmesh.mesh.model import destination_rules
from bookmesh.mesh.snapshot import credentials
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.translate import client_tls
from bookmesh.mesh.wire import cluster as wire
from bookmesh.mesh.wire import tls


def build(
    settings: dict[str, Any] | None = None, *, is_external: bool = False, uses_secrets: bool = False
) -> wire.Cluster:
    cluster = wire.Cluster(name="c", type=wire.Cluster.EDS)
    client_tls.apply(
        cluster,
        msgspec.convert(settings, destination_rules.ClientTls) if settings is not None else None,
        sni="outbound_.80_._.a.b",
        peers=client_tls.Peers(("spiffe://a",)),
        names=("entry.example.com",),
        is_external=is_external,
        is_http2=False,
        uses_secrets=uses_secrets,
        settings=MeshSettings(),
    )
    return cluster


def test_only_services_of_the_mesh_get_mtls_of_themselves() -> None:
    assert len(build().transport_socket_matches) == 2
    assert not build(is_external=True).transport_socket_matches


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"mode": "SIMPLE"}, ["entry.example.com"]),
        ({"mode": "SIMPLE", "subjectAltNames": ["rule.example.com"]}, ["rule.example.com"]),
    ],
)
def test_names_of_the_rule_win_over_those_of_the_entry(settings: dict[str, Any], names: list[str]) -> None:
    socket = build(settings, is_external=True).transport_socket
    context = tls.UpstreamTlsContext.FromString(socket.typed_config.value).common_tls_context
    matchers = context.validation_context.match_typed_subject_alt_names
    assert [matcher.matcher.exact for matcher in matchers] == names


def test_missing_secret_is_a_problem_of_rules_that_name_one() -> None:
    named, bare = (
        destination_rules.ClientTls(mode="MUTUAL", credential_name=name) for name in ("client", "")
    )
    nothing = credentials.Credentials()
    assert client_tls.problem_with(named, "edge", nothing) == "does not exist"
    assert client_tls.problem_with(bare, "edge", nothing) == ""


def test_a_certificate_in_a_secret_is_shown_by_those_who_may_use_it() -> None:
    settings = {"mode": "MUTUAL", "credentialName": "client"}
    assert not build(settings).HasField("transport_socket")
    context = tls.UpstreamTlsContext()
    assert build(settings, uses_secrets=True).transport_socket.typed_config.Unpack(context)
    (secret,) = context.common_tls_context.tls_certificate_sds_secret_configs
    assert secret.name == "kubernetes://client"


def test_only_simple_and_mutual_are_started_by_the_proxy_for_others() -> None:
    modes = ("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL")
    found = [client_tls.is_origination(destination_rules.ClientTls(mode=mode)) for mode in modes]
    assert found == [False, True, True, False]
    assert not client_tls.is_origination(None)
