"""
The volume `proxy.bookmesh.dev`: what a pod's proxy needs to start, and its own way to the control plane.

Published at /etc/istio/proxy: the bootstrap file, and a unix socket that this pod alone can reach. That is how a proxy
is known: not by what it says, but by the socket it came through.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.lab.images import catalogue
from bookmesh.mesh.control.control_plane import ControlPlane


class ProxyVolumes:
    """The lab's `VolumeDriver` for proxies."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control

    async def publish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None:
        """Open the proxy's socket in `directory`, and write its bootstrap there."""
        endpoint = await self._control.open_proxy(pod, directory=directory)
        target = directory / PurePosixPath(catalogue.PROXY_CONFIG).name
        target.write_bytes(orjson.dumps(endpoint.bootstrap))

    async def unpublish(self, pod: JsonObject, volume: JsonObject, directory: Path) -> None:
        """Close the proxy's socket."""
        await self._control.close_proxy(pod["metadata"]["uid"])
