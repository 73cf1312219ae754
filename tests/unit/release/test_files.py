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
