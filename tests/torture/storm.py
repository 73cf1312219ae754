"""
The process that is killed: writers that compete for a few objects of a store, and watchers who follow them.

Each line that it prints says one thing that has happened: `S version` the store is open, `W version resource namespace
name op number` a write was acknowledged, `E watcher version resource namespace name type` an event was delivered, `C`
a write was refused since somebody else was faster.

    python storm.py STORE SEED
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from bookmesh.kube.store import records, store

RESOURCES = (records.GroupResource("", "configmaps"), records.GroupResource("apps", "deployments"))
PLACES = [(namespace, name) for namespace in ("a", "b") for name in ("x", "y", "z")]
WRITERS = 6


def say(*words: object) -> None:
    """Print one line, whole or not at all."""
    os.write(1, (" ".join(str(word) for word in words) + "\n").encode())


async def write_for_ever(objects: store.Store, dice: random.Random) -> None:
    """Add one to a number in an object, again and again; now and then delete it."""
    while True:
        resource, (namespace, name) = dice.choice(RESOURCES), dice.choice(PLACES)
        before = objects.get(resource, namespace, name)
        await asyncio.sleep(0)
        if dice.random() < 0.3:
            await asyncio.sleep(dice.random() / 1000)
        try:
            stored, operation = _write(objects, dice, resource, (namespace, name), before)
        except (records.AlreadyExists, records.Missing, records.VersionMismatch):
            say("C")
            continue
        number = stored.object["data"]["number"]
        say("W", stored.version, resource, namespace, name, operation, number)


def _write(
    objects: store.Store,
    dice: random.Random,
    resource: records.GroupResource,
    place: tuple[str, str],
    before: records.Stored | None,
) -> tuple[records.Stored, str]:
    """Write on the condition that nothing has changed since `before` was read."""
    namespace, name = place
    metadata = {"namespace": namespace, "name": name}
    if before is None:
        created = {"metadata": metadata, "data": {"number": 0, "ballast": "x" * dice.randrange(4000)}}
        return objects.create(resource, namespace, name, created), "create"
    if dice.random() < 0.1:
        return objects.delete(resource, namespace, name, expected=before.version), "delete"
    data = {**before.object["data"], "number": before.object["data"]["number"] + 1}
    changed = {"metadata": metadata, "data": data}
    return objects.update(resource, namespace, name, changed, expected=before.version), "update"


async def watch_for_ever(
    objects: store.Store, dice: random.Random, *, name: str, resource: records.GroupResource, namespace: str
) -> None:
    """Follow changes; break off now and then, and go on from the last one."""
    seen = objects.version
    while True:
        changes = objects.watch(resource, namespace, since=seen)
        try:
            async for change in changes:
                seen = change.stored.version
                say("E", name, seen, resource, change.stored.namespace, change.stored.name, change.type)
                if dice.random() < 0.05:
                    break
        finally:
            changes.close()
        await asyncio.sleep(dice.random() / 500)


async def main(path: Path, seed: int) -> None:
    """Rage until killed."""
    dice = random.Random(seed)
    objects = store.Store.open(path)
    say("S", objects.version)
    async with asyncio.TaskGroup() as group:
        for index, resource in enumerate(RESOURCES):
            for namespace in ("", "a"):
                watcher = f"{index}{namespace or '*'}"
                group.create_task(
                    watch_for_ever(objects, dice, name=watcher, resource=resource, namespace=namespace)
                )
        for _ in range(WRITERS):
            group.create_task(write_for_ever(objects, dice))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
