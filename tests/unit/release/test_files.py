from __future__ import annotations

from pathlib import Path

import pytest

from bookmesh.base.findings import BookmeshError
from bookmesh.release import files
from bookmesh.release.contracts import ReleaseId


def write(directory: Path, text: str) -> Path:
    (directory / "charts" / "a").mkdir(parents=True)
    (directory / "more.yaml").write_text("pod: {replicas: 3, port: 80}\n")
    path = directory / "releases.yaml"
    path.write_text(text)
    return path


def test_values_come_from_files_and_from_the_entry_which_wins(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
releases:
  - name: a
    chart: charts/a
    namespace: shop
    valuesFiles: [more.yaml]
    values: {pod: {replicas: 5}, list: [1]}
    requires: [{release: b, contract: b-api, range: ">=2"}]
""",
    )
    (wanted,) = files.load(path)
    assert wanted.release == ReleaseId("shop", "a")
    assert wanted.chart == tmp_path / "charts" / "a"
    assert wanted.values == {"pod": {"replicas": 5, "port": 80}, "list": [1]}
    assert [str(need) for need in wanted.requires] == ["b-api >=2 of b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("releases: [", "releases.yaml"),
        ("[]", "Expected `object`"),
        ("releases: []", "there is no release in it"),
        ("releases: [{name: a}]", "missing required field `chart`"),
        ("releases: [{name: a, chart: charts/a, wait: true}]", "unknown field `wait`"),
        ("releases: [{name: a, chart: charts/b}]", "there is no chart charts/b"),
        ("releases: [{name: a, chart: charts/a}, {name: a, chart: charts/a}]", "default/a is there twice"),
        ("releases: [{name: a, chart: charts/a, valuesFiles: [none.yaml]}]", "none.yaml"),
        (
            "releases: [{name: a, chart: charts/a, requires: [{release: b, contract: c, range: new}]}]",
            "'new' is no",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BookmeshError) as refusal:
        files.load(write(tmp_path, text))
    assert refusal.value.finding.code == "BM0601"
    assert refusal.value.exit_code == 2
    assert words in refusal.value.finding.message


def test_a_map_of_values_is_merged_key_by_key_and_a_list_replaced() -> None:
    under = {"a": {"x": 1, "y": {"z": 1}}, "l": [1, 2], "n": 1}
    assert files.merge(under, {"a": {"y": {"w": 2}}, "l": [3], "n": None}) == {
        "a": {"x": 1, "y": {"z": 1, "w": 2}},
        "l": [3],
        "n": None,
    }


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{name: X_y, chart: .}", "'X_y' is no name of a release: at most 53 lower-case letters"),
        ("{name: x, chart: ., namespace: Shop}", "'Shop' is no name of a namespace"),
        (
            "{name: x, chart: ., requires: [{release: a, contract: b, range: '^2'}]}",
            "release x: what it requires of a: '^2' is no range of versions",
        ),
    ],
)
def test_what_is_wrong_in_an_entry_is_told_with_its_name(tmp_path: Path, entry: str, words: str) -> None:
    file = tmp_path / "releases.yaml"
    file.write_text(f"releases: [{entry}]")
    with pytest.raises(BookmeshError) as refusal:
        files.load(file)
    assert words in refusal.value.finding.message


def test_a_misspelt_field_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    file = tmp_path / "releases.yaml"
    file.write_text("releases: [{name: x, chart: ., valueFiles: [a]}]")
    with pytest.raises(BookmeshError) as refusal:
        files.load(file)
    assert (
        refusal.value.finding.known
        == "fields of a release: name, chart, namespace, valuesFiles, values, requires"
    )
