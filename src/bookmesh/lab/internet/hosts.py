"""
The hosts of the simulated Internet: what answers under which names, from `hosts.yaml` and the files a person gives.

    - names: [api.partner.example, "*.partner.example"]
      answers:
        - {path: /rates, headers: {content-type: application/json}, body: '{"EUR": 1.1}'}

A person's host takes its names over from a packaged one. Addresses that nobody chose are given out in the order of the
hosts, so that the same hosts have the same addresses every time.
"""

from __future__ import annotations

import importlib.resources
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec
import yaml

from bookmesh.base import findings

GIVEN_OUT: Final = ipaddress.ip_network("198.18.0.0/15")
"""Reserved for tests of networks (RFC 2544): no host of the real Internet has such an address."""
RESERVED_PORT: Final = 65_000
_FIRST: Final = 256  # 198.18.1.0: below are addresses of the simulation itself
_TAKEN: Final = tuple(
    ipaddress.ip_network(text) for text in ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3")
)
_NAME: Final = re.compile(r"(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_FORM: Final = "a list of hosts, each with names (docs/reference/internet.md)"


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is answered to a request; `path` is the whole path, `prefix` its beginning, neither stands for all."""

    path: str = ""
    prefix: str = ""
    status: int = 200
    headers: dict[str, str] = {}
    body: str = ""


class Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    One server.

    `names` may begin with `*.`, for every name below. `http` and `https` are ports. With `secure_only` a request in
    plain text is sent on to https. The first of `answers` that matches counts, then `program`, then 404. `alpn` are the
    versions of HTTP inside TLS, best first.
    """

    names: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    http: tuple[int, ...] = (80,)
    https: tuple[int, ...] = (443,)
    secure_only: bool = False
    alpn: tuple[Literal["h2", "http/1.1"], ...] = ("h2", "http/1.1")
    program: Literal["httpbin"] | None = None
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """All hosts, with the addresses of each: those it chose, or one that was given out."""

    hosts: tuple[Host, ...]
    addresses: tuple[tuple[str, ...], ...]

    @property
    def all_addresses(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(address for each in self.addresses for address in each))

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(sorted({port for host in self.hosts for port in (*host.http, *host.https)}))

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """Look a name up, lower case, without a dot at the end; a whole name wins, then the longest wildcard."""
        known = {name: at for host, at in zip(self.hosts, self.addresses, strict=True) for name in host.names}
        if name in known:
            return known[name]
        labels = name.split(".")
        for start in range(1, len(labels)):
            wildcard = "*." + ".".join(labels[start:])
            if wildcard in known:
                return known[wildcard]
        return ()


def load() -> tuple[Host, ...]:
    """Read the packaged hosts."""
    text = importlib.resources.files(__package__).joinpath("hosts.yaml").read_text()
    return parse(text, where="hosts.yaml")


def read(files: Iterable[Path]) -> tuple[Host, ...]:
    """
    Read a person's files; the hosts of a later one come later.

    Raises:
        BookmeshError: BM0340, one cannot be read, or says something impossible.
    """
    found: list[Host] = []
    for path in files:
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise _refusal(str(path), f"cannot be read: {error}") from error
        found += parse(text, where=str(path))
    return tuple(found)


def parse(text: str, *, where: str) -> tuple[Host, ...]:
    """
    Read hosts from YAML.

    Raises:
        BookmeshError: BM0340, with the place and what is wrong.
    """
    try:
        document = yaml.safe_load(text)
        hosts = msgspec.convert(document, tuple[Host, ...], strict=True)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise _refusal(where, str(error)) from error
    for index, host in enumerate(hosts):
        for problem in _problems(host):
            raise _refusal(where, f"{problem} - at `$[{index}]`")
    return hosts


def render(hosts: Sequence[Host]) -> str:
    """Write hosts so that `parse` reads the same."""
    return str(yaml.safe_dump(msgspec.to_builtins(hosts), sort_keys=False, allow_unicode=True))


def arrange(packaged: Sequence[Host], own: Sequence[Host]) -> Directory:
    """
    Put packaged and a person's hosts together and give out addresses.

    A name that several hosts have belongs to the last of them; a host without any name left is dropped.
    """
    owner = {name: index for index, host in enumerate((*packaged, *own)) for name in host.names}
    hosts: list[Host] = []
    addresses: list[tuple[str, ...]] = []
    for index, host in enumerate((*packaged, *own)):
        names = tuple(name for name in dict.fromkeys(host.names) if owner[name] == index)
        if names:
            hosts.append(msgspec.structs.replace(host, names=names))
            addresses.append(host.addresses or (str(GIVEN_OUT[_FIRST + index]),))
    return Directory(tuple(hosts), tuple(addresses))


def _problems(host: Host) -> Iterator[str]:
    if not host.names:
        yield "a host needs at least one name"
    for name in host.names:
        if not _NAME.fullmatch(name) or len(name) > 253:
            yield f'"{name}" is no name of a host: lower case, with a dot, "*." at most at its beginning'
        elif name.endswith(".cluster.local"):
            yield f'"{name}" is a name of the cluster'
    for text in host.addresses:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            yield f'"{text}" is no IPv4 address'
            continue
        if any(address in network for network in _TAKEN):
            yield f"{text} is an address of the cluster, of this machine, or of nobody"
    if not host.http and not host.https:
        yield "a host needs a port, in http or https"
    for port in (*host.http, *host.https):
        if not 0 < port < 65536:
            yield f"{port} is not a port"
        elif port >= RESERVED_PORT:
            yield f"port {port} is one of those that the simulation itself uses, from {RESERVED_PORT} on"
    for port in sorted(set(host.http) & set(host.https)):
        yield f"port {port} is both in http and in https"
    if host.secure_only and not (host.http and host.https):
        yield "secure_only needs ports in both http and https"
    if host.https and not host.alpn:
        yield "https needs a version of HTTP in alpn"
    yield from _answer_problems(host.answers)


def _answer_problems(answers: Iterable[Answer]) -> Iterator[str]:
    for answer in answers:
        if answer.path and answer.prefix:
            yield f'an answer has a path or a prefix, not both: "{answer.path}", "{answer.prefix}"'
        if not all(text.startswith("/") for text in (answer.path, answer.prefix) if text):
            yield f'"{answer.path or answer.prefix}" does not begin with /'
        if not 200 <= answer.status < 600:
            yield f"{answer.status} is no status of an answer"


def _refusal(where: str, what: str) -> findings.BookmeshError:
    return findings.BookmeshError(
        findings.Finding(
            code="BM0340",
            message=f"hosts of the simulated Internet cannot be used: {what}",
            where=where,
            known=_FORM,
            hint="mend the file; bookmesh up --internet lets real traffic out instead",
        ),
        exit_code=2,
    )
