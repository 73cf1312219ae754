"""Every place that names a destination."""

from __future__ import annotations

import msgspec

from bookmesh.mesh.analysis import destinations
from bookmesh.mesh.model import virtual_services


def test_all_places_are_found_with_their_paths() -> None:
    def to(host: str) -> dict[str, object]:
        return {"destination": {"host": host}}

    spec = {
        "hosts": ["web"],
        "http": [
            {"redirect": {"uri": "/"}},
            {"route": [to("a"), {**to("b"), "weight": 1}], "mirror": {"host": "c"}, "mirrors": [to("d")]},
        ],
        "tls": [{"match": [{"sniHosts": ["x"]}], "route": [to("e")]}],
        "tcp": [{"route": [to("f")]}],
    }
    found = destinations.destinations_in(msgspec.convert(spec, virtual_services.VirtualService))
    assert [(path, destination.host) for path, destination in found] == [
        ("spec.http[1].route[0].destination", "a"),
        ("spec.http[1].route[1].destination", "b"),
        ("spec.http[1].mirror", "c"),
        ("spec.http[1].mirrors[0].destination", "d"),
        ("spec.tls[0].route[0].destination", "e"),
        ("spec.tcp[0].route[0].destination", "f"),
    ]
