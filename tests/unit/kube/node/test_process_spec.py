from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import process_spec, users
from bookmesh.kube.node.images import Image
from bookmesh.kube.node.sources import CreationError, SourceError
from bookmesh.kube.sandbox import specification
from bookmesh.kube.sandbox.specification import ImageRoot, Mount, SandboxSpec

IMAGE = Image(
    "app:1",
    entrypoint=("/bin/app", "--serve"),
    command=("--port", "80"),
    env={"PATH": "/image/bin", "A": "image"},
    working_dir="/srv",
    entry="app.main:run",
    mounts=(Mount("/host/lib", "/lib/app", read_only=True),),
)


def build(
    container: dict[str, Any], *, mounts: tuple[Mount, ...] = (), image: Image = IMAGE, **spec: Any
) -> SandboxSpec:
    container = {"name": "c", **container}
    return process_spec.build_spec(
        container,
        pod=fakes.pod(container, **spec),
        image=image,
        environment={"A": "pod", "B": "2"},
        mounts=mounts,
        files={"/etc/hosts": "h", "/etc/resolv.conf": "r"},
    )


@pytest.mark.parametrize(
    ("container", "argv", "entry"),
    [
        ({}, ("/bin/app", "--serve", "--port", "80"), "app.main:run"),
        ({"args": ["--b=$(B)"]}, ("/bin/app", "--serve", "--b=2"), "app.main:run"),
        ({"command": ["sh", "-c", "$(A)"]}, ("sh", "-c", "pod"), None),
        ({"command": ["sleep"], "args": ["5"]}, ("sleep", "5"), None),
    ],
)
def test_command_and_args_replace_what_the_image_says(
    container: dict[str, Any], argv: tuple[str, ...], entry: str | None
) -> None:
    spec = build(container)
    assert (spec.argv, spec.entry) == (argv, entry)


def test_the_pods_environment_wins_over_the_images() -> None:
    spec = build({})
    assert spec.env == {"PATH": "/image/bin", "HOME": "/root", "HOSTNAME": "web", "A": "pod", "B": "2"}
    assert (spec.name, spec.hostname, spec.cwd) == ("default/web/c", "web", "/srv")
    assert build({"workingDir": "/work"}).cwd == "/work"


def test_volumes_win_over_the_images_mounts_and_the_network_files() -> None:
    own = (Mount("/v/hosts", "/etc/hosts"), Mount("/v/lib", "/lib/app"))
    spec = build({}, mounts=own)
    assert spec.mounts == own
    assert spec.files == {"/etc/resolv.conf": "r"}
    assert build({}).mounts == IMAGE.mounts


@pytest.mark.parametrize(
    ("own", "shared", "ids"),
    [
        ({}, {}, (None, None)),
        ({}, {"runAsUser": 1000, "runAsGroup": 2000}, (1000, 2000)),
        ({"runAsUser": 0}, {"runAsUser": 1000}, (0, None)),
        ({"runAsUser": 1337, "runAsNonRoot": True}, {}, (1337, None)),
    ],
)
def test_the_containers_user_wins_over_the_pods(
    own: dict[str, Any], shared: dict[str, Any], ids: tuple[int | None, int | None]
) -> None:
    spec = build({"securityContext": own}, securityContext=shared)
    assert (spec.uid, spec.gid) == ids


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"runAsNonRoot": True}, "container has runAsNonRoot and image will run as root"),
        ({"runAsNonRoot": True, "runAsUser": 0}, "container's runAsUser breaks non-root policy"),
    ],
)
def test_root_is_refused_where_the_pod_says_so(context: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        build({"securityContext": context})


def test_a_loaded_image_brings_its_root_and_its_user() -> None:
    accounts = users.parse_accounts("app:x:101:102::/home/app:/bin/sh\n", "more:x:103:app\n")
    image = Image("app", ("/bin/app",), user="101", layers=("/layers/2", "/layers/1"), accounts=accounts)
    spec = build({"securityContext": {"runAsNonRoot": True}}, image=image)
    assert (spec.uid, spec.gid, spec.groups, spec.env["HOME"]) == (101, 102, (103,), "/home/app")
    assert spec.root == ImageRoot(("/layers/2", "/layers/1"))
    closed = build({"securityContext": {"readOnlyRootFilesystem": True}}, image=image)
    assert closed.root == ImageRoot(("/layers/2", "/layers/1"), read_only=True)
    keeping = dataclasses.replace(image, volumes=("/cache", "/data"))
    mount = Mount("/volumes/data", "/data")
    assert build({}, image=keeping, mounts=(mount,)).root == ImageRoot(
        ("/layers/2", "/layers/1"), volumes=("/cache",)
    )
    assert build({"securityContext": {"readOnlyRootFilesystem": True}}).root is None


def test_an_image_without_a_command_needs_one() -> None:
    with pytest.raises(CreationError, match="no command specified"):
        build({}, image=Image("empty", ()))


@pytest.mark.parametrize(
    ("volume", "is_shown"),
    [("/etc/ssl", False), ("/etc/ssl/bundle.crt", False), ("/", False), ("/etc/ss", True), ("/srv", True)],
)
def test_a_volume_hides_what_the_image_has_there_and_below(volume: str, is_shown: bool) -> None:
    content = (Mount("/host/bundle", "/etc/ssl/bundle.crt", read_only=True),)
    image = Image("app:1", entrypoint=("/bin/app",), mounts=IMAGE.mounts, content=content)
    mine = Mount("/volumes/one", volume)
    spec = build({}, mounts=(mine,), image=image)
    assert spec.mounts == (*IMAGE.mounts, *(content if is_shown else ()), mine)


def test_a_process_has_the_privileges_of_its_container() -> None:
    closed = build(
        {"securityContext": {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}}
    )
    assert (closed.capabilities, closed.no_new_privileges) == (0, True)
    assert build({}).capabilities == specification.USUAL_CAPABILITIES
