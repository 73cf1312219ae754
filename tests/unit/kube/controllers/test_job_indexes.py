"""Numbers of Indexed Jobs; which pod gets which is in the table of jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookmesh.kube.controllers import job_indexes


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([0], "0"), ([0, 1], "0,1"), ([3, 0, 1, 2, 7], "0-3,7")]
)
def test_ranges_are_written_as_kubernetes_does(numbers: list[int], text: str) -> None:
    assert job_indexes.format_ranges(numbers) == text


@given(st.sets(st.integers(0, 40)))
def test_ranges_are_read_back(numbers: set[int]) -> None:
    assert job_indexes.parse_ranges(job_indexes.format_ranges(numbers)) == numbers


def test_a_pod_is_told_its_number_once() -> None:
    own = {"name": job_indexes.VARIABLE, "value": "mine"}
    spec = {"containers": [{"name": "a"}, {"name": "b", "env": [own]}], "hostname": "kept"}
    numbered = job_indexes.numbered(spec, 3, host_name="load-3")
    assert numbered["containers"][0]["env"][0]["name"] == job_indexes.VARIABLE
    assert numbered["containers"][1]["env"] == [own]
    assert numbered["hostname"] == "kept"
    assert "env" not in spec["containers"][0]
