"""
Names of images as every container engine reads them: `nginx` is `docker.io/library/nginx:latest`. Pure.

Source: the reference grammar of github.com/distribution/reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_DOMAIN: Final = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_REFERENCE: Final = re.compile(
    rf"(?:(?P<domain>{_DOMAIN})/)?(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})))?",
    re.ASCII,
)
_DEFAULT_DOMAIN: Final = "docker.io"


@dataclass(frozen=True, slots=True)
class Reference:
    """`repository` has its registry; a reference with a digest and no tag has the tag ""."""

    repository: str
    tag: str
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def parse(text: str) -> Reference:
    """
    Read a reference and complete it.

    Raises:
        ValueError: it is none; the text says so.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no name of an image')
    domain, path = match["domain"], match["path"]
    if domain and not (set(".:") & set(domain) or domain == "localhost"):
        domain, path = None, f"{domain}/{path}"  # the first part of a path, not a registry
        if not re.fullmatch(rf"{_COMPONENT}(?:/{_COMPONENT})*", path):
            raise ValueError(f'"{text}" is no name of an image')
    domain = _DEFAULT_DOMAIN if domain in (None, "index.docker.io") else domain
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    digest = match["digest"] or ""
    return Reference(f"{domain}/{path}", match["tag"] or ("" if digest else "latest"), digest)
