from __future__ import annotations

from bookmesh.mesh.registry import slices


def test_a_slice_has_addresses_by_what_they_are_good_for_and_the_ports_with_a_number() -> None:
    found = slices.build_slice(
        {
            "metadata": {
                "name": "web-x",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": "web"},
            },
            "ports": [{"name": "http", "port": 8080}, {"port": 9090}, {"name": "later", "port": None}],
            "endpoints": [
                {"addresses": ["10.0.0.1"]},
                {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
                {"addresses": ["10.0.0.3"], "conditions": {"ready": None}},
                {"addresses": ["10.0.0.4"], "conditions": {"ready": False, "terminating": False}},
                {"addresses": ["10.0.0.5"], "conditions": {"ready": False, "serving": False}},
            ],
        }
    )
    assert (found.service, found.namespace, found.ports) == ("web", "shop", (("http", 8080), ("", 9090)))
    assert found.addresses == ("10.0.0.1", "10.0.0.3")
    assert (found.unready, found.draining) == (("10.0.0.4",), ("10.0.0.2",))
    assert found.hostname("cluster.local") == "web.shop.svc.cluster.local"


def test_a_slice_of_nobody_names_no_service() -> None:
    assert slices.build_slice({"metadata": {"name": "x"}}) == slices.Slice("", "default")
