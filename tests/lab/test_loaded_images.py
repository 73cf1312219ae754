"""Pods that run from the root file systems of images, which were loaded from files into a lab."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.lab import labs, root_files
from tests.unit.lab.images import making
from tests.unit.lab.images.making import Made, entry, folder, layer, link

from bookmesh.lab.images import loading

pytestmark = pytest.mark.lab

NAME = "example.com/tools:1.0"
HTTPBIN = "docker.io/mccutchen/go-httpbin:v2"
PROGRAMS = ("sh", "cat", "sleep", "id", "tar", "ls", "touch", "hostname", "env", "nginx")
CONFIG = {
    "Entrypoint": ["sh", "-c"],
    "Cmd": ["echo from CMD; exec sleep 1000"],
    "Env": ["PATH=/bin", "FROM_IMAGE=yes", "BOTH=image"],
    "WorkingDir": "/srv/work",
    "User": "app:more",
}
NGINX = """
user root root; pid /tmp/nginx.pid; error_log stderr; daemon off; master_process off; events {}
http {
  access_log off; client_body_temp_path /tmp/1; proxy_temp_path /tmp/2; fastcgi_temp_path /tmp/3;
  uwsgi_temp_path /tmp/4; scgi_temp_path /tmp/5;
  server { listen 8080; location / { return 200 "of the image\\n"; } }
}
"""


@dataclass(frozen=True)
class Images:
    lab: labs.Lab
    path: Path
    layers: tuple[bytes, ...]

    def image(self, *arguments: str, check: bool = True) -> str:
        command, *rest = arguments
        done = labs.run(
            [labs.BOOKMESH, "image", command, "--name", self.lab.name, *rest], env=self.lab.env, check=check
        )
        return done.stdout if done.returncode == 0 else done.stderr

    def run(
        self,
        name: str,
        *,
        image: str = NAME,
        spec: dict[str, Any] | None = None,
        sidecar: bool = False,
        **container: Any,
    ) -> None:
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": {"app": name, "sidecar.istio.io/inject": str(sidecar).lower()},
            },
            "spec": {
                "containers": [{"name": "c", "image": image, **container}],
                "terminationGracePeriodSeconds": 1,
                **(spec or {}),
            },
        }
        self.lab.apply(yaml.safe_dump(body))

    def until_ready(self, name: str) -> None:
        done = self.lab.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s", check=False)
        if done.returncode:
            told = [
                self.lab.kubectl("describe", "pod", name),
                self.lab.kubectl("logs", name, "-c", "c", check=False),
            ]
            raise AssertionError("\n".join(one.stdout for one in told))

    def inside(self, name: str, *command: str) -> str:
        return self.lab.kubectl("exec", name, "-c", "c", "--", *command).stdout

    def waiting(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.lab.get("pod", name)["status"]["containerStatuses"][0]
        found: dict[str, Any] = status["state"].get("waiting", {})
        return found


@pytest.fixture(scope="module")
def images(new_lab: Callable[[], labs.Lab], tmp_path_factory: pytest.TempPathFactory) -> Images:
    """A lab that had an image before it was up."""
    directory = tmp_path_factory.mktemp("images")
    root = directory / "root"
    root_files.copy_programs(root, *PROGRAMS)
    accounts = layer(
        folder("etc"),
        entry("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:10001:10002::/home/app:/bin/sh\n"),
        entry("etc/group", "root:x:0:\napp:x:10002:\nmore:x:10003:\nfurther:x:10004:app\n"),
        entry("etc/nginx.conf", NGINX),
        entry("only-here", "of the image\n"),
        link("etc/resolv.conf", "../nowhere"),
        folder("srv/work", uid=10001, gid=10003),
        folder("tmp", 0o1777),
    )
    layers = (making.folder_layer(root), accounts)
    made = Made(layers, name=NAME, config=CONFIG)
    path = making.write_tar(directory / "tools.tar", making.layout(made, packing="zstd"))
    found = Images(new_lab(), path, layers)
    assert found.image("load", str(path)) == ""
    found.lab.bookmesh("up")
    return found


def test_a_pod_is_what_its_image_says(images: Images) -> None:
    images.run("plain", env=[{"name": "BOTH", "value": "pod"}])
    images.until_ready("plain")
    pod = images.lab.get("pod", "plain")
    (status,) = pod["status"]["containerStatuses"]
    rows = json.loads(images.image("list", "-o", "json"))["images"]
    assert status["imageID"] == f"example.com/tools@{rows[0]['digest']}"
    assert images.inside("plain", "cat", "/only-here") == "of the image\n"
    labs.wait_until(lambda: images.lab.kubectl("logs", "plain").stdout == "from CMD\n", what="what it says")
    variables = images.inside("plain", "env").splitlines()
    assert {"FROM_IMAGE=yes", "BOTH=pod", "HOME=/home/app", "HOSTNAME=plain", "PATH=/bin"} <= set(variables)
    assert images.inside("plain", "hostname") == "plain\n"
    assert pod["status"]["podIP"] in images.inside("plain", "cat", "/etc/hosts")
    assert "nameserver 10.96.0.10" in images.inside("plain", "cat", "/etc/resolv.conf")
    who = images.inside("plain", "sh", "-c", "echo $(id -u) $(id -g) $(id -G); pwd; touch mine && echo made")
    as_app = "10001 10003 10003 10004" if loading.has_every_uid() else "0 0 0"
    assert who == f"{as_app}\n/srv/work\nmade\n"
    refused = images.lab.kubectl("exec", "plain", "--", "python3", check=False)
    assert "executable file not found" in refused.stderr, "the host's programs are not there"


def test_command_and_arguments_follow_kubernetes_rules(images: Images) -> None:
    images.run("args", args=["echo from args; exec sleep 1000"])
    images.run("command", command=["sh"], args=["-c", "echo $0 from command; exec sleep 1000", "$(WHAT)"])
    for name, said in (("args", "from args\n"), ("command", "$(WHAT) from command\n")):
        images.until_ready(name)
        labs.wait_until(lambda name=name, said=said: images.lab.kubectl("logs", name).stdout == said)  # type: ignore[misc]


def test_files_are_copied_in_and_out_and_end_with_the_container(images: Images, tmp_path: Path) -> None:
    images.run(
        "copied", args=["if [ -e /tmp/in ]; then echo old; fi; while [ ! -e /tmp/end ]; do sleep 0.1; done"]
    )
    images.until_ready("copied")
    (tmp_path / "in").write_text("from outside\n")
    images.lab.kubectl("cp", "--no-preserve", str(tmp_path / "in"), "copied:/tmp/in")
    assert images.inside("copied", "cat", "/tmp/in") == "from outside\n"
    images.lab.kubectl("cp", "copied:/only-here", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "of the image\n"
    images.inside("copied", "touch", "/tmp/end")

    def runs_again() -> bool:
        (status,) = images.lab.get("pod", "copied")["status"]["containerStatuses"]
        return status["restartCount"] == 1 and "running" in status["state"]

    labs.wait_until(runs_again, what="the next container")
    assert images.inside("copied", "ls", "/tmp") == "", "what a container writes is its own"


def test_a_read_only_root_takes_nothing_but_in_volumes(images: Images) -> None:
    images.run(
        "closed",
        securityContext={"readOnlyRootFilesystem": True, "runAsNonRoot": True, "runAsUser": 10001},
        spec={"volumes": [{"name": "data", "emptyDir": {}}]},
        volumeMounts=[{"name": "data", "mountPath": "/tmp"}],
    )
    images.until_ready("closed")
    assert images.inside("closed", "sh", "-c", "touch /tmp/mine && ls /tmp") == "mine\n"
    done = images.lab.kubectl("exec", "closed", "--", "touch", "/srv/work/new", check=False)
    assert "Read-only file system" in done.stderr
    warned = images.lab.kubectl("get", "events", "--field-selector=involvedObject.name=closed").stdout
    assert "readOnlyRootFilesystem" not in warned


def test_a_name_is_no_proof_of_another_user_than_root(images: Images) -> None:
    images.run("named", securityContext={"runAsNonRoot": True})
    waiting = labs.wait_until(lambda: images.waiting("named").get("message") and images.waiting("named"))
    assert waiting["reason"] == "CreateContainerConfigError"
    assert "image has non-numeric user (app), cannot verify user is non-root (pod:" in waiting["message"]
    images.lab.kubectl("delete", "pod", "named")


@pytest.mark.parametrize(
    ("user", "message"), [("nobody2", "no users found: user"), ("app:crew", "no groups found: group")]
)
def test_an_account_that_the_image_does_not_have_makes_no_container(
    user: str, message: str, images: Images, tmp_path: Path
) -> None:
    name = f"example.com/{user.replace(':', '-')}:1"
    made = Made(images.layers, name=name, config=CONFIG | {"User": user})
    images.image("load", str(making.write_tar(tmp_path / "image.tar", making.layout(made))))
    images.run("nameless", image=name)
    waiting = labs.wait_until(
        lambda: images.waiting("nameless").get("message") and images.waiting("nameless")
    )
    assert waiting["reason"] == "CreateContainerError"
    assert waiting["message"].startswith(f"failed to create containerd container: {message}")
    images.lab.kubectl("delete", "pod", "nameless")
    images.run("numbered", image=name, securityContext={"runAsUser": 7})
    images.until_ready("numbered")
    images.lab.kubectl("delete", "pod", "numbered")


def test_a_sidecar_and_probes_serve_an_image(images: Images) -> None:
    images.run(
        "served",
        sidecar=True,
        args=["exec nginx -c /etc/nginx.conf -e stderr"],
        readinessProbe={"exec": {"command": ["cat", "/only-here"]}, "periodSeconds": 1},
        livenessProbe={"httpGet": {"path": "/", "port": 8080}},
    )
    images.lab.kubectl("expose", "pod", "served", "--port=80", "--target-port=8080")
    images.run("caller", sidecar=True, image="curlimages/curl:8", command=["sleep", "1000"])
    images.until_ready("served")
    images.until_ready("caller")
    assert len(images.lab.get("pod", "served")["status"]["containerStatuses"]) == 2

    def answer() -> str:
        command = ("exec", "caller", "-c", "c", "--", "curl", "-si", "http://served/")
        return images.lab.kubectl(*command, check=False).stdout

    labs.wait_until(lambda: answer().endswith("of the image\n"), what="an answer of the image")
    assert "server: envoy" in answer()


def test_an_image_is_waited_for_and_used_as_soon_as_it_is_loaded(images: Images) -> None:
    images.run("early", image="example.com/later:1")
    images.run("never", image="example.com/later:1", imagePullPolicy="Never")
    waiting = labs.wait_until(lambda: images.waiting("early").get("message") and images.waiting("early"))
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "error[BM0301]" in waiting["message"]
    assert "bookmesh image load FILE" in waiting["message"]
    assert NAME in waiting["message"], "what is loaded is told"
    labs.wait_until(lambda: images.waiting("never").get("reason") == "ErrImageNeverPull")
    images.image("load", str(images.path), "--as", "example.com/later:1")
    images.until_ready("early")
    images.until_ready("never")


def test_a_loaded_image_wins_over_a_stand_in_until_it_is_removed(images: Images) -> None:
    images.run("first", image=HTTPBIN)
    images.until_ready("first")
    assert not images.lab.get("pod", "first")["status"]["containerStatuses"][0]["imageID"].count("sha256")
    loaded = json.loads(images.image("load", str(images.path), "--as", HTTPBIN, "-o", "json"))["images"]
    assert (loaded[0]["answers"], loaded[0]["stand_in"]) == ("loaded", "bookmesh.lab.standins.httpbin:main")
    images.run("second", image="mccutchen/go-httpbin:v2")
    images.until_ready("second")
    assert images.inside("second", "cat", "/only-here") == "of the image\n"
    table = images.image("list", HTTPBIN, "mccutchen/go-httpbin:v1", "example.com/none")
    assert [line.split()[1] for line in table.splitlines()] == ["ANSWERS", "loaded", "stand-in", "nothing"]
    images.image("remove", HTTPBIN)
    assert images.inside("second", "cat", "/only-here") == "of the image\n", "what runs goes on"
    images.run("third", image=HTTPBIN)
    images.until_ready("third")
    assert "BM0357" in images.image("remove", HTTPBIN, check=False)


def test_images_stay_over_a_crash_and_go_with_the_lab(images: Images) -> None:
    pid = json.loads((images.lab.home / images.lab.name / "daemon.pid").read_text())["pid"]
    labs.run(["kill", "-9", str(pid)], env=images.lab.env)
    labs.wait_until(lambda: not Path(f"/proc/{pid}").exists(), what="the end of the lab")
    assert NAME in images.image("list"), "a lab that does not run has its images"
    images.lab.bookmesh("up")
    read = ("exec", "plain", "-c", "c", "--", "cat", "/only-here")
    labs.wait_until(
        lambda: images.lab.kubectl(*read, check=False).stdout == "of the image\n", what="the pod runs again"
    )
    images.lab.bookmesh("down")
    assert not (images.lab.home / images.lab.name).exists()
