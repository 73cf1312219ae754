from __future__ import annotations

import pytest

from bookmesh.lab import extents, labs, plans


def plan(*, port: int | None = None, previous: labs.LabSettings | None = None) -> plans.Plan:
    return plans.Plan(extents.Extent.MESH, port, real_internet=False, size={}, previous=previous)


def test_a_first_start_takes_what_is_free() -> None:
    first = plan()
    assert (first.preferred_port, first.preferred_proxy_port, first.previous_slot) == (0, 0, None)


def test_a_lab_comes_back_where_it_was() -> None:
    again = plan(previous=labs.LabSettings(port=7, slot=3, proxy_port=8))
    assert (again.preferred_port, again.preferred_proxy_port, again.previous_slot) == (7, 8, 3)


def test_a_wanted_port_goes_before_the_one_it_had() -> None:
    assert plan(port=9, previous=labs.LabSettings(port=7, slot=3)).preferred_port == 9


@pytest.mark.parametrize("extent", [extents.Extent.API, extents.Extent.CONTROLLERS])
def test_a_cluster_that_had_no_node_had_no_slot(extent: extents.Extent) -> None:
    assert plan(previous=labs.LabSettings(port=7, slot=0, extent=extent)).previous_slot is None
