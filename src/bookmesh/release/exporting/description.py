"""What exporters know of a release, and how they write YAML."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.release.contracts import ReleaseId, Requirement
from bookmesh.release.ranges import Version
from bookmesh.release.sessions import Session


@dataclass(frozen=True, slots=True)
class Described:
    """
    One release. `chart` is a relative path; `wave` counts from 1; `serves` has, by contract, all versions that tracks
    with traffic serve, sorted.
    """

    release: ReleaseId
    chart: str
    chart_version: str
    values: Mapping[str, Any]
    requires: Sequence[Requirement]
    serves: Mapping[str, Sequence[Version]]
    wave: int

    @property
    def needs(self) -> list[ReleaseId]:
        """What it waits for, each once, in the order of its requirements."""
        return list(dict.fromkeys(one.release for one in self.requires))


def describe(session: Session, directory: Path) -> list[Described]:
    """Describe all releases of a plan, wave by wave; `directory` is what the paths of charts are relative to."""
    return [
        _described(session, release, number, directory)
        for number, wave in enumerate(session.plan.waves, start=1)
        for release in wave
    ]


def check_inside(releases: Sequence[Described], root: Path) -> None:
    """
    Refuse charts that whoever fetches the repository with that root would not have.

    Raises:
        BookmeshError: BM0635.
    """
    for one in releases:
        if one.chart.partition("/")[0] == "..":
            raise BookmeshError(
                Finding(
                    code="BM0635",
                    message=f"the chart of release {one.release} is outside of the repository that is fetched",
                    where=one.chart,
                    known=f"root of the repository: {root}",
                    hint="--root FOLDER says which folder of this machine is the root of that repository",
                )
            )


def _described(session: Session, release: ReleaseId, wave: int, directory: Path) -> Described:
    wanted, intended = session.wanted[release], session.intended[release]
    serves: dict[str, set[Version]] = {}
    for track, provided in intended.declared.provides.items():
        if intended.shares is None or track in intended.shares:
            for contract, version in provided.items():
                serves.setdefault(contract, set()).add(version)
    return Described(
        release,
        _relative(wanted.chart, directory),
        str(yaml.safe_load((wanted.chart / "Chart.yaml").read_text())["version"]),
        wanted.values,
        intended.declared.requires,
        {contract: sorted(versions) for contract, versions in sorted(serves.items())},
        wave,
    )


def _relative(chart: Path, directory: Path) -> str:
    """As tools want it that take other names for those of repositories: it begins with a dot."""
    path = os.path.relpath(chart.resolve(), directory.resolve())
    return path if path.startswith(".") else f"./{path}"


def write(comment: str, *documents: Any) -> str:
    """YAML documents under a comment."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.strip().splitlines())
    return head + "---\n".join(
        yaml.dump(one, Dumper=_Dumper, sort_keys=False, width=110) for one in documents
    )


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines, such as files in ConfigMaps, stay readable."""

    yaml_representers: ClassVar[dict[type, Callable[..., yaml.Node]]] = {
        **yaml.SafeDumper.yaml_representers,
        str: _represent_text,
    }
