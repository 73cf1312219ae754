from __future__ import annotations

from bookmesh.release import texts


def test_objects_that_differ_have_a_line_each_with_the_fields() -> None:
    before = [
        {"kind": "Service", "metadata": {"name": "a"}, "spec": {"port": 1, "names": ["x", "y"]}},
        {"kind": "Service", "metadata": {"name": "gone"}},
        {"kind": "Service", "metadata": {"name": "same"}},
    ]
    after = [
        {"kind": "Service", "metadata": {"name": "a"}, "spec": {"port": 2, "names": ["x", "z"], "extra": {}}},
        {"kind": "Service", "metadata": {"name": "same"}},
        {"kind": "Secret", "metadata": {"name": "new"}},
    ]
    assert texts.differences(before, after) == [
        "+ Secret new",
        "~ Service a: spec.port, spec.names[1], spec.extra",
        "- Service gone",
    ]


def test_long_lists_of_fields_are_cut() -> None:
    before = [{"kind": "A", "metadata": {"name": "a"}, "spec": {str(n): 0 for n in range(9)}}]
    after = [{"kind": "A", "metadata": {"name": "a"}, "spec": {str(n): 1 for n in range(9)}}]
    assert texts.differences(before, after) == ["~ A a: spec.0, spec.1, spec.2, spec.3 …"]
