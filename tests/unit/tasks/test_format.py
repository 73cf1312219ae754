from __future__ import annotations

import msgspec
import pytest
from tests.unit.tasks import sample

from bookmesh.tasks import format as formats


def test_every_probe_has_checks_that_the_format_knows() -> None:
    fields = set(formats.Expectation.__struct_fields__)
    assert set(formats.CHECKS) == set(formats.PROBES)
    assert {check for checks in formats.CHECKS.values() for check in checks} <= fields
    assert set(formats.PROBES) <= fields
    assert set(formats.ACTIONS) <= set(formats.Step.__struct_fields__)


def test_action_and_probe_are_named() -> None:
    task = msgspec.convert(sample.document(), formats.Task)
    assert formats.action_of(task.steps[0]) == "apply"
    assert formats.probe_of(task.steps[0].expect[0]) == "exec"


def test_a_task_survives_the_way_to_plain_data_and_back() -> None:
    task = msgspec.convert(sample.document(), formats.Task)
    assert msgspec.convert(msgspec.to_builtins(task), formats.Task) == task


@pytest.mark.parametrize(
    "part", [formats.Task, formats.Step, formats.Expectation, formats.Request, formats.Text]
)
def test_unknown_fields_are_refused(part: type) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"surprise": 1}, part)
