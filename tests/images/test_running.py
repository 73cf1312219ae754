"""Bookinfo's own images in a lab: the charts' pods run from them, and the page is theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.charts import rendering
from tests.images import conftest
from tests.lab import labs

pytestmark = [pytest.mark.slow, pytest.mark.lab, pytest.mark.timeout(1200)]

MARKER = "/opt/bookinfo/sbom.cdx.json"
HASH = f"import hashlib; print(hashlib.sha256(open('{MARKER}', 'rb').read()).hexdigest())"


@pytest.fixture(scope="module")
def lab(new_lab: Callable[[], labs.Lab], built: conftest.Built) -> labs.Lab:
    """A lab with Bookinfo from the chart, whose images were loaded."""
    lab = new_lab()
    for image in conftest.BOOKINFO:
        command = [labs.BOOKMESH, "image", "load", "--name", lab.name, str(built.archives[image])]
        said = labs.run(command, env=lab.env)
        assert "in place of the stand-in bookinfo.main:main" in said.stderr
    lab.bookmesh("up")
    lab.kubectl("label", "namespace", "default", "istio-injection=enabled", "--overwrite")
    objects = rendering.objects(rendering.render("bookinfo", {}))
    lab.apply(yaml.safe_dump_all(objects), "-n", "default")
    lab.kubectl("wait", "--for=condition=Available", "deploy", "--all", "--timeout=80s")
    return lab


def inside(lab: labs.Lab, deployment: str, code: str) -> str:
    container = lab.get("deploy", deployment)["spec"]["template"]["spec"]["containers"][0]["name"]
    return lab.kubectl(
        "exec", f"deploy/{deployment}", "-c", container, "--", "python3", "-c", code
    ).stdout.strip()


def test_the_page_is_made_by_the_images(lab: labs.Lab) -> None:
    seen = set()
    with lab.forward("svc/productpage", 9080) as port:
        visitor = labs.Visitor(f"http://127.0.0.1:{port}/productpage")

        def has_every_version() -> bool:
            if "Shakespeare" in visitor.read():  # otherwise the proxies do not know reviews yet
                seen.add(visitor.stars())
            return seen == {"none", "black", "red"}

        labs.wait_until(has_every_version, what="reviews of all three versions, out of one image")


@pytest.mark.parametrize("service", conftest.SERVICES)
def test_a_pod_runs_from_its_image_alone(service: str, lab: labs.Lab, built: conftest.Built) -> None:
    deployment = f"{service}-v1"
    assert not Path(MARKER).exists(), "this machine has no such file"
    content = built.read(f"bookinfo-{service}", MARKER)
    assert inside(lab, deployment, HASH) == hashlib.sha256(content).hexdigest()
    (pod,) = lab.get("pods", "-l", f"app={service},version=v1")["items"]
    image_ids = [one["imageID"] for one in pod["status"]["containerStatuses"]]
    assert [one for one in image_ids if f"docker.io/bookmesh/bookinfo-{service}@sha256:" in one]
    warned = lab.kubectl(
        "get", "events", "--field-selector", f"involvedObject.name={pod['metadata']['name']}"
    ).stdout
    assert "readOnlyRootFilesystem" not in warned
    refused = "try: open('/new', 'w')\nexcept OSError as error: print(error.strerror)"
    assert inside(lab, deployment, refused) == "Read-only file system"
    assert inside(
        lab, deployment, "import os; print(os.path.exists('/bin/sh'), os.path.exists('/usr/bin/env'))"
    ) == ("False False")
