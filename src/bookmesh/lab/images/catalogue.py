"""
Resolve an image name to what runs for it, from `catalogue.yaml` and the maps a person adds.

A stand-in is a Python entry point (forked from the warm interpreter), a program of the host, or the real Envoy. An
image that no entry matches is an error that says what to do: nothing is pulled, nothing is guessed.
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from bookmesh.base import findings
from bookmesh.kube.node import images
from bookmesh.kube.sandbox import specification
from bookmesh.lab.images import programs as image_programs
from bookmesh.mesh.injection import containers

PROXY_CONFIG = "/etc/istio/proxy/envoy-rev.json"
_HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class ImageName:
    """`docker.io/istio/proxyv2:1.28@sha256:…` taken apart; the tag of an image without one is "latest"."""

    repository: str
    tag: str


@dataclass(frozen=True, slots=True)
class Trust:
    """Files that images have for whom their programs trust, and variables that say where."""

    mounts: tuple[specification.Mount, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def parse_name(reference: str) -> ImageName:
    """Split an image reference; a digest is dropped, since stand-ins have none."""
    name, _, _ = reference.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return ImageName(repository=f"{head}{slash}{last}", tag=tag or "latest")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue; `run` is validated when the catalogue is read."""

    repository: re.Pattern[str]
    tag: re.Pattern[str]
    run: dict[str, Any]
    env: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)


def find(entries: Iterable[Entry], reference: str) -> tuple[Entry, re.Match[str]] | None:
    """Find the stand-in for an image: the first entry that matches, and how; None without any."""
    name = parse_name(reference)
    for entry in entries:
        match = entry.repository.fullmatch(name.repository)
        if match and entry.tag.fullmatch(name.tag):
            return entry, match
    return None


def describe(entry: Entry, match: re.Match[str]) -> str:
    """Say in a few words what a stand-in is: a Python function with its arguments, a program, or envoy."""
    arguments = " ".join(_expand(argument, match) for argument in entry.run.get("args", []))
    what = entry.run.get("python") or entry.run.get("program") or "envoy"
    return f"{what} {arguments}".strip()


def load() -> list[Entry]:
    """Read the packaged catalogue, in order."""
    text = importlib.resources.files(__package__).joinpath("catalogue.yaml").read_text()
    return [_parse_entry(item) for item in yaml.safe_load(text)]


class Catalogue:
    """
    The stand-ins of one lab. `programs` is where the scripts of images lie; they are written here. `trust` is what all
    images have besides: the certificates their programs trust, and the variables that say where.
    """

    def __init__(
        self, entries: list[Entry], *, envoy: Path, programs: Path, trust: Trust | None = None
    ) -> None:
        self._entries = entries
        self._envoy = envoy
        self._programs = programs
        self._trust = trust or Trust()
        image_programs.write(programs, (entry.programs for entry in entries))
        self._python_mounts = tuple(specification.python_mounts())

    def resolve(self, reference: str, *, loaded: Iterable[str] = ()) -> images.Image:
        """
        Find what runs for an image; `loaded` are names of images that are there besides, to tell people.

        Raises:
            ImageError: no entry matches, or the host does not have the program; the text says what to do.
        """
        found = find(self._entries, reference)
        if found is None:
            raise images.ImageError(self._unknown(reference, loaded).render())
        return self._image(reference, *found)

    def _image(self, reference: str, entry: Entry, match: re.Match[str]) -> images.Image:
        found = self._program(reference, entry, match)
        return replace(found, env={**self._trust.env, **found.env}, content=self._trust.mounts)

    def _program(self, reference: str, entry: Entry, match: re.Match[str]) -> images.Image:
        env = {"PATH": _HOST_PATH} | {name: _expand(value, match) for name, value in entry.env.items()}
        arguments = tuple(_expand(argument, match) for argument in entry.run.get("args", []))
        mounts = (*self._python_mounts, *image_programs.mounts(self._programs, entry.programs))
        for program, package in entry.run.get("needs", {}).items():
            if shutil.which(program, path=_HOST_PATH) is None:
                raise images.ImageError(self._missing(reference, program, package).render())
        if "python" in entry.run:
            module = entry.run["python"].partition(":")[0]
            return images.Image(
                reference=reference,
                entrypoint=(module,),
                command=arguments,
                env=env,
                working_dir="/",
                entry=entry.run["python"],
                mounts=mounts,
            )
        if "program" in entry.run:
            program = entry.run["program"]
            path = shutil.which(program, path=_HOST_PATH)
            if path is None:
                raise images.ImageError(self._missing(reference, program, entry.run["package"]).render())
            return images.Image(
                reference=reference,
                entrypoint=(path, *arguments),
                command=(),
                env=env,
                working_dir="/",
                entry=None,
                mounts=mounts if entry.programs else (),
            )
        return images.Image(
            reference=reference,
            entrypoint=(str(self._envoy), *_envoy_arguments()),
            command=containers.arguments(),
            env=env | {"ISTIO_UNKNOWN": "unknown"},
            working_dir="/",
            entry=None,
            mounts=mounts,
        )

    def _unknown(self, reference: str, loaded: Iterable[str]) -> findings.Finding:
        short = parse_name(reference).repository.rpartition("/")[2]
        known = sorted({_readable(entry.repository.pattern) for entry in self._entries})
        near = [*loaded, *difflib.get_close_matches(short, known, n=3, cutoff=0.5)]
        return findings.Finding(
            code="BM0301",
            message=f'image "{reference}" is not loaded and has no stand-in in this lab, and the lab pulls nothing',
            known=", ".join(near or known),
            hint="load it: docker save NAME -o FILE, bookmesh image load FILE; the stand-ins are in "
            "docs/reference/images.md",
        )

    def _missing(self, reference: str, program: str, package: str) -> findings.Finding:
        return findings.Finding(
            code="BM0303",
            message=f'image "{reference}" stands for the program "{program}", which this host does not have',
            known=f"searched {_HOST_PATH}",
            hint=f"install it, on Debian and Ubuntu: apt-get install {package}",
        )


def _envoy_arguments() -> tuple[str, ...]:
    """Flags of every proxy; threads and drain are for the container to say."""
    return (
        *("-c", PROXY_CONFIG),
        "--disable-hot-restart",
        *("--log-level", "warning"),
        *("--component-log-level", "misc:error"),
        *("--file-flush-interval-msec", "200"),
    )


def _parse_entry(item: dict[str, Any]) -> Entry:
    run = item["run"]
    if run == "envoy":
        run = {"envoy": True}
    if sum(kind in run for kind in ("python", "program", "envoy")) != 1:
        raise ValueError(f"catalogue entry {item['repository']!r}: run must name python, program or envoy")
    return Entry(
        repository=re.compile(item["repository"]),
        tag=re.compile(item.get("tag", ".*")),
        run=run,
        env=item.get("env", {}),
        programs=item.get("programs", {}),
    )


def _expand(text: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda number: match[int(number[1])], text)


def _readable(pattern: str) -> str:
    """A pattern as a person would name the image: optional prefixes dropped."""
    return re.sub(r"\(\?:[^)]*\)\?", "", pattern).replace("\\", "")
