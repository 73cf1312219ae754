"""From a claim that a pod names to the directory of the host that is behind it."""

from __future__ import annotations

from pathlib import Path

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node.sources import SourceError, Sources
from bookmesh.kube.node.unsupported import CODE


def find_volume(claim: str, sources: Sources) -> JsonObject:
    """
    Look up the volume that a claim is bound to.

    Raises:
        SourceError: there is no such claim, or it has no volume (yet).
    """
    found = sources.claims.get(claim)
    if found is None:
        raise SourceError(f'persistentvolumeclaim "{claim}" not found')
    name, phase = found["spec"].get("volumeName"), (found.get("status") or {}).get("phase", "Pending")
    place = f"{sources.namespace}/{claim}"
    if phase != "Bound" or not name:
        why = f"PVC {place} has non-bound phase ({phase}) or empty pvc.Spec.VolumeName ({name or ''})"
        raise SourceError(f"error processing PVC {place}: {why}")
    volume = sources.volumes.get(name)
    if volume is None:
        raise SourceError(f'error processing PVC {place}: persistentvolume "{name}" not found')
    return volume


def make_directory(volume: JsonObject, directory: Path) -> Path:
    """
    Find where a volume is; one of the lab's own, below `directory`, is made when it is not there.

    Raises:
        SourceError: it is not there, or not of a kind that can be used here.
    """
    spec = volume["spec"]
    source = spec.get("hostPath") or spec.get("local")
    if source is None:
        name = volume["metadata"]["name"]
        raise SourceError(f"{CODE} volume {name} cannot be used here: only hostPath and local volumes can")
    path = Path(source["path"])
    if path.parent == directory:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)
    elif not path.exists():
        raise SourceError(f'path "{path}" does not exist on the host, and none is made there')
    return path.resolve()
