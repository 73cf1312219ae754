"""From a container, its image, environment and mounts to the sandboxed process that runs it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node import expansion, network_files, privileges, users
from bookmesh.kube.node.images import Image
from bookmesh.kube.node.sources import CreationError
from bookmesh.kube.sandbox.specification import ImageRoot, Mount, SandboxSpec

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def build_spec(
    container: JsonObject,
    *,
    pod: JsonObject,
    image: Image,
    environment: Mapping[str, str],
    mounts: tuple[Mount, ...],
    files: Mapping[str, str],
) -> SandboxSpec:
    """
    Build the process.

    Args:
        environment: what Kubernetes adds, services included; it wins over the image's.
        mounts: of the container's volumes; they win over the image's.
        files: of the pod's network; a volume mounted over one of them wins.

    Raises:
        SourceError: the container may not run like this; the message is the kubelet's.
        CreationError: the image has not what the container needs.
    """
    hostname = network_files.hostname_of(pod)
    identity = users.identity_for(container, pod, image_user=image.user, accounts=image.accounts)
    argv, entry = _command(container, image, environment)
    mounted = {mount.target for mount in mounts}
    return SandboxSpec(
        name=f"{pod['metadata']['namespace']}/{pod['metadata']['name']}/{container['name']}",
        argv=argv,
        env={
            "PATH": _PATH,
            "HOME": identity.home,
            **image.env,
            **({"TERM": "xterm"} if container.get("tty") else {}),
            "HOSTNAME": hostname,
            **environment,
        },
        cwd=container.get("workingDir") or image.working_dir or "/",
        hostname=hostname,
        mounts=(
            *(mount for mount in image.mounts if mount.target not in mounted),
            *(mount for mount in image.content if not _is_hidden(mount.target, mounted)),
            *mounts,
        ),
        files={path: text for path, text in files.items() if path not in mounted},
        uid=identity.uid,
        gid=identity.gid,
        entry=entry,
        groups=identity.groups,
        root=_root(container, image, mounted),
        capabilities=privileges.capabilities_of(container),
        no_new_privileges=privileges.is_escalation_refused(container),
    )


def _is_hidden(target: str, mounted: Collection[str]) -> bool:
    """Whether a volume is mounted at a path or at one above it."""
    path = PurePosixPath(target)
    return any(path.is_relative_to(volume) for volume in mounted)


def _command(
    container: JsonObject, image: Image, environment: Mapping[str, str]
) -> tuple[tuple[str, ...], str | None]:
    """The rules of Docker and Kubernetes: `command` replaces ENTRYPOINT and drops CMD, `args` replaces CMD."""
    command = tuple(expansion.expand(part, environment) for part in container.get("command") or ())
    arguments = tuple(expansion.expand(part, environment) for part in container.get("args") or ())
    if command:
        return command + arguments, None
    argv = image.entrypoint + (arguments or image.command)
    if not argv:
        raise CreationError("failed to generate container spec: no command specified")
    return argv, image.entry


def _root(container: JsonObject, image: Image, mounted: Collection[str]) -> ImageRoot | None:
    """A volume of the pod takes the place of one of the image."""
    if not image.layers:
        return None
    own = container.get("securityContext") or {}
    volumes = tuple(path for path in image.volumes if path not in mounted)
    return ImageRoot(image.layers, read_only=bool(own.get("readOnlyRootFilesystem")), volumes=volumes)
