from __future__ import annotations

import pytest

from bookmesh.base.kubernetes import ApiError
from bookmesh.base.pods import ExecOptions, LogOptions
from bookmesh.lab import absent_node

POD = {"metadata": {"name": "web", "namespace": "default"}}


async def test_logs_are_refused_when_they_are_read() -> None:
    lines = absent_node.AbsentNode().logs(POD, LogOptions("main"))
    with pytest.raises(ApiError, match='pod "web" does not run') as refused:
        await anext(lines)
    assert refused.value.code == 503


async def test_commands_and_ports_are_refused() -> None:
    node = absent_node.AbsentNode()
    with pytest.raises(ApiError, match="without a node"):
        await node.execute(POD, ExecOptions("main", ("true",)))
    with pytest.raises(ApiError, match="without a node"):
        await node.connect(POD, 80)
