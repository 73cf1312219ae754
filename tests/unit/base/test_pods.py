from __future__ import annotations

import dataclasses

import pytest

from bookmesh.base import pods


def test_nothing_is_asked_of_logs_unless_said() -> None:
    options = dataclasses.asdict(pods.LogOptions(container="web"))
    assert options.pop("container") == "web"
    assert not any(options.values())


@pytest.mark.parametrize(
    "options", [pods.LogOptions(container="web"), pods.ExecOptions(container="web", command=("true",))]
)
def test_options_cannot_be_changed(options: pods.LogOptions | pods.ExecOptions) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.container = "other"  # type: ignore[misc]
