"""Removes what is in a volume of the lab's provisioner when the volume is deleted, and only then lets it go."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from bookmesh.base import volumes as agreed
from bookmesh.base.kubernetes import VOLUMES, ApiError, Client, JsonObject, WatchEvent
from bookmesh.kube.node import following

_log = logging.getLogger(__name__)
_AGAIN_S = 1.0


class VolumeRemoval:
    """One task of the node; a volume that cannot be removed now is tried again and holds up no other for long."""

    def __init__(self, client: Client, directory: Path) -> None:
        """`directory` has one directory for each volume, by name; nothing outside of it is ever removed."""
        self._client = client
        self._directory = directory
        self._due: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                following.follow(self._client, VOLUMES, on_list=self._on_list, on_event=self._on_event)
            )
            group.create_task(self._work())

    def _on_list(self, volumes: list[JsonObject]) -> None:
        for volume in volumes:
            self._note(volume)

    def _on_event(self, event: WatchEvent) -> None:
        if event.type != "DELETED":
            self._note(event.object)

    def _note(self, volume: JsonObject) -> None:
        if is_due(volume):
            self._due.put_nowait(volume["metadata"]["name"])

    async def _work(self) -> None:
        while True:
            name = await self._due.get()
            try:
                await self._remove(await self._client.get(VOLUMES, name))
            except (ApiError, OSError) as error:
                if isinstance(error, ApiError) and error.code in (404, 409):
                    continue  # it is gone, or its next version is on the way
                _log.warning("volume %s not removed: %s; again in %.0f s", name, error, _AGAIN_S)
                asyncio.get_running_loop().call_later(_AGAIN_S, self._due.put_nowait, name)

    async def _remove(self, volume: JsonObject) -> None:
        if not is_due(volume):
            return
        metadata = volume["metadata"]
        path = self._directory / metadata["name"]
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and path.is_dir():
            await asyncio.to_thread(shutil.rmtree, path)
        rest = [each for each in metadata["finalizers"] if each != agreed.CONTENTS_FINALIZER]
        fields = {"finalizers": rest, "resourceVersion": metadata["resourceVersion"]}
        await self._client.patch(VOLUMES, metadata["name"], "", {"metadata": fields})


def is_due(volume: JsonObject) -> bool:
    """Whether a volume is to go and no claim has it any more."""
    metadata = volume["metadata"]
    finalizers = metadata.get("finalizers") or []
    return (
        bool(metadata.get("deletionTimestamp"))
        and agreed.CONTENTS_FINALIZER in finalizers
        and agreed.VOLUME_FINALIZER not in finalizers
    )
