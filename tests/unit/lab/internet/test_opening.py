"""What pods trust outside of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from bookmesh.base import findings
from bookmesh.lab import paths
from bookmesh.lab.internet import authority, opening, outlet, simulation


@pytest.fixture
def lab(tmp_path: Path) -> paths.LabPaths:
    (tmp_path / "one").mkdir()
    return paths.LabPaths("one", tmp_path / "one")


def open_internet(lab: paths.LabPaths, *, real: bool) -> opening.Outside:
    nobody = cast(Any, None)
    return opening.open_internet(lab, nobody, nobody, real=real, proxy_port=0, envoy=Path("/opt/envoy"))


def test_the_real_internet_adds_nothing_to_what_pods_trust(lab: paths.LabPaths) -> None:
    outside = open_internet(lab, real=True)
    assert isinstance(outside.internet, outlet.Outlet)
    assert (outside.trust.mounts, outside.trust.env, outside.proxy_port) == ((), {}, 0)


def test_pods_trust_the_simulated_internet_at_every_usual_place(lab: paths.LabPaths) -> None:
    outside = open_internet(lab, real=False)
    assert isinstance(outside.internet, simulation.Simulation)
    assert outside.proxy is not None
    assert outside.proxy_port > 0
    outside.proxy.close()
    targets = [mount.target for mount in outside.trust.mounts]
    assert targets == [opening.BUNDLE, *(text for text in authority.BUNDLES if Path(text).is_file())]
    assert {mount.source for mount in outside.trust.mounts} == {str(lab.directory / "ca-certificates.crt")}
    assert outside.trust.env == {"SSL_CERT_FILE": opening.BUNDLE}


def test_hosts_of_an_earlier_start_are_there_again(lab: paths.LabPaths) -> None:
    lab.hosts.write_text("- names: [reviews]")
    with pytest.raises(findings.BookmeshError, match="is no name of a host"):
        open_internet(lab, real=False)
