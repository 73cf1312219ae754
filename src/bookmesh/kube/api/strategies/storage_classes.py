"""Storage classes: one whose provisioner is not here is kept, and whoever writes it is told."""

from __future__ import annotations

from bookmesh.base import volumes
from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.strategies import base

_CODE = "BM0310"


class ClassStrategy(base.Strategy):
    """There is one provisioner; others may run in pods."""

    def warnings(self, obj: JsonObject) -> tuple[str, ...]:
        provisioner = obj.get("provisioner", "")
        if provisioner in (volumes.PROVISIONER, volumes.NO_PROVISIONER):
            return ()
        return (
            f"{_CODE}: it is kept, but no provisioner {provisioner} is part of this cluster; "
            f"the one that is: {volumes.PROVISIONER}",
        )
