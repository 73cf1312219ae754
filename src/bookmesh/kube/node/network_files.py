"""The files of /etc through which a container sees its network: hosts, resolv.conf, hostname."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bookmesh.base import cluster
from bookmesh.base.kubernetes import JsonObject


@dataclass(frozen=True, slots=True)
class Resolver:
    """Where names are looked up: the cluster's DNS, and the lines of the host's own resolv.conf."""

    cluster_dns: str = cluster.DNS_IP
    cluster_domain: str = "cluster.local"
    host_lines: Sequence[str] = field(default_factory=tuple)


def read_resolver(host_file: Path = Path("/etc/resolv.conf")) -> Resolver:
    """The resolver of a cluster on this host; a host may have no such file."""
    return Resolver(host_lines=host_file.read_text().splitlines() if host_file.exists() else ())


def hostname_of(pod: JsonObject) -> str:
    """What `hostname` answers in the pod; at most 63 characters."""
    name: str = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return name[:63].rstrip("-.")


def build_network_files(pod: JsonObject, *, ip: str, resolver: Resolver) -> dict[str, str]:
    """Build the text of each file by its path. Pure."""
    return {
        "/etc/hosts": _hosts(pod, ip=ip, resolver=resolver),
        "/etc/hostname": f"{hostname_of(pod)}\n",
        "/etc/resolv.conf": _resolv_conf(pod, resolver),
    }


def _hosts(pod: JsonObject, *, ip: str, resolver: Resolver) -> str:
    spec = pod["spec"]
    name = hostname_of(pod)
    own = name
    if subdomain := spec.get("subdomain"):
        own = f"{name}.{subdomain}.{pod['metadata']['namespace']}.svc.{resolver.cluster_domain}\t{name}"
    lines = ["127.0.0.1\tlocalhost", f"{ip}\t{own}"]
    aliases = spec.get("hostAliases") or []
    lines += ["\t".join([alias["ip"], *(alias.get("hostnames") or [])]) for alias in aliases]
    return "\n".join(lines) + "\n"


def _resolv_conf(pod: JsonObject, resolver: Resolver) -> str:
    spec = pod["spec"]
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    nameservers: list[str] = []
    searches: list[str] = []
    options: dict[str, str | None] = {}
    if policy == "Default":
        nameservers, searches, options = _parse(resolver.host_lines)
    elif policy != "None":
        domain = resolver.cluster_domain
        nameservers = [resolver.cluster_dns]
        searches = [f"{pod['metadata']['namespace']}.svc.{domain}", f"svc.{domain}", domain]
        options = {"ndots": "5"}
    config = spec.get("dnsConfig") or {}
    nameservers = list(dict.fromkeys([*nameservers, *(config.get("nameservers") or [])]))
    searches = list(dict.fromkeys([*searches, *(config.get("searches") or [])]))
    options |= {option["name"]: option.get("value") for option in config.get("options") or []}
    lines = [f"nameserver {address}" for address in nameservers]
    if searches:
        lines.append("search " + " ".join(searches))
    if options:
        lines.append(
            "options " + " ".join(f"{key}:{value}" if value else key for key, value in options.items())
        )
    return "\n".join(lines) + "\n"


def _parse(lines: Sequence[str]) -> tuple[list[str], list[str], dict[str, str | None]]:
    nameservers: list[str] = []
    searches: list[str] = []
    options: dict[str, str | None] = {}
    for line in lines:
        keyword, *values = line.split() or [""]
        if keyword == "nameserver":
            nameservers += values[:1]
        elif keyword in ("search", "domain"):
            searches = values
        elif keyword == "options":
            for value in values:
                name, _, number = value.partition(":")
                options[name] = number or None
    return nameservers, searches, options
