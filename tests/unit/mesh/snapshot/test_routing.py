"""VirtualServices with resolved names."""

from __future__ import annotations

import pytest

from bookmesh.base.findings import ObjectRef
from bookmesh.mesh.model.virtual_services import TcpRoute, VirtualService
from bookmesh.mesh.snapshot import routing


@pytest.mark.parametrize(
    ("name", "expected"), [("mesh", "mesh"), ("main", "shop/main"), ("edge/main", "edge/main")]
)
def test_gateway_without_namespace_is_in_that_of_the_object(name: str, expected: str) -> None:
    assert routing.qualified_gateway(name, "shop") == expected


@pytest.mark.parametrize(
    ("export_to", "has_path_elements", "ranks"),
    [
        (("*",), False, (3, 3)),
        (("*",), True, (2, 3)),
        ((".",), False, (0, 1)),
        (("own",), True, (0, 1)),
        ((".", "other"), False, (0, 1)),
    ],
)
def test_what_not_everybody_sees_comes_first(
    export_to: tuple[str, ...], has_path_elements: bool, ranks: tuple[int, int]
) -> None:
    rule = routing.Routing(
        ref=ObjectRef("VirtualService", "it", "own"),
        digest="",
        hosts=(),
        gateways=(),
        spec=VirtualService(tcp=(TcpRoute(),), hosts=("a",)),
        has_path_elements=has_path_elements,
        export_to=export_to,
    )
    assert (rule.rank_in("own"), rule.rank_in("other")) == ranks
