from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.release import contracts, helm, intentions, ports
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted

CHARTS = Path(__file__).parents[3] / "charts"


def test_a_chart_of_ours_is_rendered_with_what_it_declares() -> None:
    values = {
        "versions": {"v1": {"weight": 0}, "v2": {"weight": 100}, "v3": {"weight": 0}},
        "routing": {"kind": "VirtualService"},
        "requires": [{"release": "ratings", "contract": "ratings-api", "range": ">=1"}],
    }
    release = ReleaseId("shop", "reviews")
    objects = helm.SdkHelm().render(Wanted(release, CHARTS / "reviews", values))
    assert [one["kind"] for one in objects].count("Deployment") == 3
    assert not [one for one in objects if one["kind"] == "Pod"], "hooks are kept apart"
    intended = intentions.read(release, objects)
    assert intended.shares == {"v2"}
    assert intended.declared.provides["v1"] == {"reviews-api": (1, 0, 0)}
    assert [need.release for need in intended.declared.requires] == [ReleaseId("shop", "ratings")]
    assert contracts.read(release, objects) == intended.declared


def test_what_the_chart_refuses_is_told_in_its_words() -> None:
    with pytest.raises(ports.HelmFailedError, match="has no version"):
        helm.SdkHelm().render(
            Wanted(ReleaseId("shop", "ratings"), CHARTS / "ratings", {"versions": {"v1": {"enabled": False}}})
        )


def test_a_folder_without_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ports.HelmFailedError):
        helm.SdkHelm().render(Wanted(ReleaseId("shop", "x"), tmp_path, {}))
