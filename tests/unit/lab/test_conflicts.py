from __future__ import annotations

from typing import Any

import pytest
from tests.unit.lab.conftest import pretend_to_run

from bookmesh.base import findings
from bookmesh.lab import extents, labs, launching, paths


def test_another_port_for_a_running_lab_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=8, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0106", 2)


def test_a_running_lab_of_another_extent_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError, match="with a mesh, not as an API server alone") as caught:
        launching.start(lab, port=None, extent=extents.Extent.API, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0106", 2)


@pytest.mark.parametrize(
    ("was", "wanted"),
    [(extents.Extent.MESH, extents.Extent.API), (extents.Extent.NODE, extents.Extent.MESH)],
)
def test_objects_of_a_mesh_come_back_with_one_only(
    lab: paths.LabPaths, was: extents.Extent, wanted: extents.Extent
) -> None:
    lab.directory.mkdir(parents=True)
    labs.write_settings(lab, labs.LabSettings(port=7, slot=3, extent=was))
    with pytest.raises(findings.BookmeshError, match=f"{was.described}, and cannot") as caught:
        launching.start(lab, port=None, extent=wanted, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0140", 2)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"real_internet": True}, "with the simulated Internet, not the real one"),
        ({"hosts": "- names: [b.example]"}, "with other hosts"),
    ],
)
def test_another_internet_for_a_running_lab_is_misuse(
    lab: paths.LabPaths, wanted: dict[str, Any], said: str
) -> None:
    pretend_to_run(lab, port=7)
    lab.hosts.write_text("- names: [a.example]")
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, on_step=lambda _step: None, **wanted)
    assert caught.value.finding.code == "BM0106"
    assert said in caught.value.finding.message
    same = launching.start(lab, port=None, hosts="- names: [a.example]", on_step=lambda _step: None)
    assert same[1] is False


def test_another_size_for_a_running_node_is_misuse(lab: paths.LabPaths) -> None:
    pretend_to_run(lab, port=7)
    with pytest.raises(findings.BookmeshError) as caught:
        launching.start(lab, port=None, size={"cpu": "2"}, on_step=lambda _step: None)
    assert (caught.value.finding.code, caught.value.exit_code) == ("BM0147", 2)
    assert "as large as the machine" in caught.value.finding.known
