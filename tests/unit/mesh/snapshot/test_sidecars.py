"""Which Sidecar is in force, and what it shows."""

from __future__ import annotations

from typing import Any

from bookmesh.mesh.model import parsing
from bookmesh.mesh.registry import protocols, services
from bookmesh.mesh.snapshot import sidecars


def sidecar(name: str, namespace: str = "shop", **spec: Any) -> parsing.Parsed:
    about = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar"}
    return parsing.parse({**about, "metadata": {"name": name, "namespace": namespace}, "spec": spec})


def view(*configs: parsing.Parsed, **labels: str) -> sidecars.View | None:
    return sidecars.view_for("shop", labels, configs, root_namespace="root")


def shown(found: sidecars.View, host: str, namespace: str) -> bool:
    return found.shows_service(services.Service(hostname=host, name="x", namespace=namespace))


def test_selector_wins_over_namespace_and_that_over_root() -> None:
    root, own = sidecar("r", "root"), sidecar("o")
    chosen = sidecar("s", workloadSelector={"labels": {"app": "a"}})
    names = [
        found.ref.name if found else None
        for found in (view(root, own, chosen, app="a"), view(root, own, chosen), view(root), view())
    ]
    assert names == ["s", "o", "r", None]


def test_without_egress_everything_is_shown() -> None:
    found = view(sidecar("o", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"}))
    assert found is not None
    assert shown(found, "a.b", "other")
    assert found.outbound == "REGISTRY_ONLY"


def test_a_port_of_egress_has_the_services_that_are_named_for_it_and_no_others() -> None:
    on_80 = {"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "hosts": ["./a.example"]}
    found = view(sidecar("o", egress=[on_80, {"hosts": ["./a.example", "./b.example"]}]))
    assert found is not None

    def ports(host: str, *numbers: int) -> list[int] | None:
        listed = tuple(services.ServicePort("", n, protocols.Protocol.HTTP, n) for n in numbers)
        seen = found.shown(services.Service(hostname=host, name="x", namespace="shop", ports=listed))
        return [port.number for port in seen.ports] if seen is not None else None

    assert ports("a.example", 80, 81) == [80, 81]
    assert ports("b.example", 80, 81) == [81]
    assert ports("b.example", 80) is None
    assert ports("c.example", 81) is None


def test_a_service_that_is_shown_on_one_port_only_has_only_that() -> None:
    on_80 = {"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "hosts": ["./*"]}
    found = view(sidecar("o", egress=[on_80]))
    assert found is not None
    listed = tuple(services.ServicePort("", n, protocols.Protocol.HTTP, n) for n in (80, 81))
    whole = services.Service(hostname="a.b", name="x", namespace="shop", ports=listed)
    seen = found.shown(whole)
    assert seen is not None
    assert [port.number for port in seen.ports] == [80]


def test_egress_is_by_namespace_and_host() -> None:
    found = view(sidecar("o", egress=[{"hosts": ["./*", "other/*.example.com", "~/*"]}]))
    assert found is not None
    seen = [shown(found, *one) for one in (("a.b", "shop"), ("a.example.com", "other"), ("a.b", "other"))]
    assert seen == [True, True, False]


def test_a_listener_for_all_ports_does_not_show_services_at_their_own() -> None:
    proxy = {"port": {"number": 15080, "protocol": "HTTP_PROXY"}, "hosts": ["./a.example"]}
    found = view(sidecar("o", egress=[proxy, {"hosts": ["./b.example"]}]))
    assert found is not None
    listed = tuple(services.ServicePort("", n, protocols.Protocol.HTTP, n) for n in (80, 15080))
    a, b = (services.Service(f"{name}.example", "x", "shop", ports=listed) for name in "ab")
    seen = found.shown(a)
    assert seen is not None
    assert [port.number for port in seen.ports] == [80, 15080]
    called = [found.is_called_at(service, number) for service in (a, b) for number in (80, 15080)]
    assert called == [False, False, True, False]
    assert found.bind_of(15080) == sidecars.Bind("", is_bound=False)
    assert found.bind_of(80) is None


def test_a_proxy_to_which_nothing_is_redirected_listens_on_loopback() -> None:
    found = sidecars.view_for("shop", {}, (), root_namespace="root", is_intercepted=False)
    assert found is not None
    assert not found.is_intercepted
    bind = found.bind_of(80)
    assert bind is not None
    assert (bind.address, bind.is_bound) == ("127.0.0.1", True)
    assert shown(found, "a.b", "other")


def test_inbound_listeners_are_bound_where_they_say_so_or_nothing_is_redirected() -> None:
    modes = ["NONE", "IPTABLES", "DEFAULT", None]
    ports = [{"port": {"number": 80 + index, "protocol": "TCP"}} for index in range(4)]
    ingress = [
        port | ({"captureMode": mode} if mode else {}) for port, mode in zip(ports, modes, strict=True)
    ]
    config = sidecar("o", ingress=ingress)
    bound = []
    for is_intercepted in (True, False):
        found = sidecars.view_for("shop", {}, (config,), root_namespace="root", is_intercepted=is_intercepted)
        assert found is not None
        bound.append([found.is_bound(listener) for listener in found.inbound])
    assert bound == [[True, False, False, False], [True, False, True, True]]
