"""As whom a container runs, in the kubelet's and containerd's rules and words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.kube.node import fakes

from bookmesh.kube.node import users
from bookmesh.kube.node.sources import CreationError, SourceError

ACCOUNTS = users.parse_accounts(
    "root:x:0:0:root:/root:/bin/sh\n# comment:x:1:1:::\napp:x:10001:10002:App:/home/app:/bin/false\n"
    "broken\nodd:x:a:b:::\n",
    "root:x:0:\nstaff:x:50:app,other\napp:x:10002:app\nwheel:x:10:root\nbad\n",
)


def identity(
    image_user: str = "", own: dict[str, Any] | None = None, shared: dict[str, Any] | None = None
) -> users.Identity:
    container = {"name": "c", "securityContext": own or {}}
    pod = fakes.pod(container, securityContext=shared or {})
    return users.identity_for(container, pod, image_user=image_user, accounts=ACCOUNTS)


@pytest.mark.parametrize(
    ("image_user", "own", "expected"),
    [
        ("", {}, users.Identity(0, 0, (10,), "/root")),
        ("app", {}, users.Identity(10001, 10002, (50,), "/home/app")),
        ("10001", {}, users.Identity(10001, 10002, (50,), "/home/app")),
        ("app:staff", {}, users.Identity(10001, 50, (10002,), "/home/app")),
        ("7:8", {}, users.Identity(7, 8, (), "/")),
        ("app", {"runAsUser": 7}, users.Identity(7, 0, (), "/")),
        ("app:staff", {"runAsGroup": 9}, users.Identity(10001, 9, (50, 10002), "/home/app")),
        ("7", {"runAsUser": 10001}, users.Identity(10001, 10002, (50,), "/home/app")),
        ("app", {"runAsUser": 0}, users.Identity(0, 0, (10,), "/root")),
    ],
)
def test_the_pods_user_wins_over_the_images(
    image_user: str, own: dict[str, Any], expected: users.Identity
) -> None:
    assert identity(image_user, own) == expected
    assert identity(image_user, {}, own) == expected, "of the pod, as of the container"


@pytest.mark.parametrize(
    ("image_user", "own", "message"),
    [
        ("", {"runAsNonRoot": True}, "container has runAsNonRoot and image will run as root"),
        ("0:50", {"runAsNonRoot": True}, "container has runAsNonRoot and image will run as root"),
        ("app", {"runAsNonRoot": True, "runAsUser": 0}, "container's runAsUser breaks non-root policy"),
        (
            "app",
            {"runAsNonRoot": True},
            "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_the_kubelets_words(
    image_user: str, own: dict[str, Any], message: str
) -> None:
    with pytest.raises(SourceError) as error:
        identity(image_user, own)
    of_pod = ' (pod: "web_default(uid-of-web)", container: c)' if "runAsNonRoot" in own else ""
    assert str(error.value) == message + of_pod


@pytest.mark.parametrize(
    ("image_user", "message"),
    [
        ("nobody", 'no users found: user "nobody" is not in the /etc/passwd of the image'),
        ("nobody:7", 'no users found: user "nobody" is not in the /etc/passwd of the image'),
        ("app:nogroup", 'no groups found: group "nogroup" is not in the /etc/group of the image'),
    ],
)
def test_names_that_the_image_does_not_have_are_refused_in_containerds_words(
    image_user: str, message: str
) -> None:
    with pytest.raises(CreationError) as error:
        identity(image_user)
    assert str(error.value) == f"failed to create containerd container: {message}"


def test_numbers_need_no_accounts() -> None:
    container = {"name": "c"}
    nobody = users.Accounts()
    found = users.identity_for(container, fakes.pod(container), image_user="7:8", accounts=nobody)
    assert found == users.Identity(7, 8, (), "/")


def test_a_number_or_the_pods_own_word_is_non_root_enough() -> None:
    assert identity("10001", {"runAsNonRoot": True}).uid == 10001
    assert identity("app", {"runAsNonRoot": True, "runAsUser": 7}).uid == 7


def test_a_container_may_overrule_its_pods_wish_for_no_root() -> None:
    assert identity("", {"runAsNonRoot": False}, {"runAsNonRoot": True}).uid == 0


def test_containers_are_in_the_groups_of_their_pod() -> None:
    shared = {"supplementalGroups": [70, 60], "fsGroup": 2000}
    assert identity("app", {}, shared) == users.Identity(10001, 10002, (50, 60, 70, 2000), "/home/app")
    strict = {**shared, "supplementalGroupsPolicy": "Strict"}
    assert identity("app", {}, strict).groups == (60, 70, 2000)
    pod = fakes.pod(securityContext=shared)
    stand_in = users.identity_for(pod["spec"]["containers"][0], pod, image_user="", accounts=None)
    assert stand_in.groups == (60, 70, 2000)
