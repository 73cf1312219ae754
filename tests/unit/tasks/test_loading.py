from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tasks import sample

from bookmesh.tasks import loading


def test_a_file_becomes_a_task(tmp_path: Path) -> None:
    loaded = loading.load(sample.write(tmp_path), area="a/b")
    assert (loaded.task.title, loaded.key, loaded.directory) == ("A light", "a/b/light", tmp_path)


def test_an_unknown_field_is_told_with_line_and_path(tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text("id: a\ntitle: b\nsteps:\n  - name: c\n    appply: [x.yaml]\n")
    with pytest.raises(loading.TaskFileError) as caught:
        loading.load(file)
    (finding,) = caught.value.findings
    assert finding.code == "BM0401"
    assert finding.where == f"{file}:5  steps[0].appply"
    assert finding.message == '"appply" is not a field of the format'
    assert finding.hint.startswith('did you mean "apply"? ')


def test_a_wrong_type_is_told_with_line_and_path(tmp_path: Path) -> None:
    file = tmp_path / "task.yaml"
    file.write_text("id: a\ntitle: b\nsteps:\n  - name: 7\n")
    with pytest.raises(loading.TaskFileError, match=r":4  steps\[0\]\.name: Expected `str`, got `int`"):
        loading.load(file)


def test_all_problems_of_the_rules_are_told(tmp_path: Path) -> None:
    file = sample.write(
        tmp_path, id="A B", steps=[{"name": "s", "apply": ["x.yaml"], "expect": [sample.LOOK]}]
    )
    with pytest.raises(loading.TaskFileError) as caught:
        loading.load(file)
    first, second = str(caught.value).splitlines()
    assert f"{file}:1  id: " in first
    assert "steps[0].apply[0]: there is no file" in second


def test_a_path_is_found_in_the_file(tmp_path: Path) -> None:
    file = sample.write(tmp_path)
    lines = file.read_text().splitlines()
    assert lines[loading.line_in(file, "steps[0].expect[0].exec") - 1].strip() == "exec:"
    assert lines[loading.line_in(file, "steps[0].within") - 1].strip().startswith("within:")
    assert loading.line_in(file, "nothing") == 1


@pytest.mark.parametrize("text", ["a: [", "", "- 1\n"])
def test_what_is_no_task_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "task.yaml"
    file.write_text(text)
    with pytest.raises(loading.TaskFileError, match=r"task\.yaml"):
        loading.load(file)


def test_a_catalogue_is_found_and_sorted(tmp_path: Path) -> None:
    sample.write(tmp_path / "b" / "two", id="two")
    sample.write(tmp_path / "a" / "deep" / "one", id="one")
    assert [each.key for each in loading.discover(tmp_path)] == ["a/deep/one", "b/two"]


def test_an_empty_catalogue_and_a_name_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(loading.TaskFileError, match=r"there is no task\.yaml"):
        loading.discover(tmp_path)
    sample.write(tmp_path / "a" / "one")
    sample.write(tmp_path / "a" / "two")
    with pytest.raises(loading.TaskFileError, match="is also called a/light"):
        loading.discover(tmp_path)


def test_what_is_not_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("id: mine\ntitle: [\n")
    with pytest.raises(loading.TaskFileError) as refused:
        loading.load(file)
    (finding,) = refused.value.findings
    assert finding.message.startswith("it is not YAML: ")
    assert finding.where == f"{file}:3"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apiVersion: v1\nkind: Service\n", "it is a Kubernetes Service, not a case"),
        ("kind: A\n---\nkind: B\n", "it has several YAML documents, and a case is one"),
    ],
)
def test_a_manifest_in_place_of_a_case_is_told_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    with pytest.raises(loading.TaskFileError) as refused:
        loading.load(file)
    (finding,) = refused.value.findings
    assert finding.message == message
    assert "apply: [routes.yaml]" in finding.hint


def test_an_alias_without_its_anchor_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("id: mine\ntitle: *none\n")
    with pytest.raises(loading.TaskFileError, match="it is not YAML: found undefined alias"):
        loading.load(file)
