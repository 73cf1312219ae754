"""
The Pod Security Standards: what a pod specification has that its level does not allow, in a real server's words. Pure.

Checks of `baseline` come first, then those of `restricted`, each in the order of their names; a restricted check takes
the place of the baseline one of the same matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bookmesh.base.kubernetes import JsonObject

PRIVILEGED: Final = "privileged"
BASELINE: Final = "baseline"
RESTRICTED: Final = "restricted"
LEVELS: Final = (PRIVILEGED, BASELINE, RESTRICTED)

_Check = Callable[[JsonObject], str]
_USUAL: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_SAFE_SYSCTLS: Final = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_PROFILES: Final = ("RuntimeDefault", "Localhost")


def violations(spec: JsonObject, level: str) -> list[str]:
    """
    List what a pod specification has or lacks that `level` forbids or wants.

    Returns:
        One text for each check, with what it found in parentheses; empty when the pod is allowed.
    """
    return [f"{what} ({detail})" for what, check in _CHECKS[level] if (detail := check(spec))]


def _containers(spec: JsonObject) -> list[JsonObject]:
    parts = ("initContainers", "containers", "ephemeralContainers")
    return [container for part in parts for container in spec.get(part) or []]


def _context(holder: JsonObject) -> JsonObject:
    found: JsonObject = holder.get("securityContext") or {}
    return found


def _named(what: str, names: Sequence[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{what}{'s' * (len(names) > 1)} {', '.join(_quoted(names))}"


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _those(spec: JsonObject, is_bad: Callable[[JsonObject], bool]) -> list[str]:
    """Names of the containers whose security context is bad."""
    return [container["name"] for container in _containers(spec) if is_bad(_context(container))]


def _host_namespaces(spec: JsonObject) -> str:
    return ", ".join(f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name))


def _privileged(spec: JsonObject) -> str:
    names = _those(spec, lambda context: bool(context.get("privileged")))
    return f"{_named('container', names)} must not set securityContext.privileged=true" if names else ""


def _added(spec: JsonObject, allowed: Iterable[str]) -> str:
    names, added = [], set()
    for container in _containers(spec):
        wanted = (_context(container).get("capabilities") or {}).get("add") or []
        if beyond := {name for name in wanted if name not in allowed}:
            names.append(container["name"])
            added |= beyond
    if not names:
        return ""
    listed = ", ".join(_quoted(sorted(added)))
    return f"{_named('container', names)} must not include {listed} in securityContext.capabilities.add"


def _capabilities(spec: JsonObject) -> str:
    return _added(spec, _USUAL)


def _few_capabilities(spec: JsonObject) -> str:
    names = _those(spec, lambda context: "ALL" not in ((context.get("capabilities") or {}).get("drop") or []))
    found = []
    if names:
        found.append(f'{_named("container", names)} must set securityContext.capabilities.drop=["ALL"]')
    if added := _added(spec, ("NET_BIND_SERVICE",)):
        found.append(added)
    return "; ".join(found)


def _host_paths(spec: JsonObject) -> str:
    names = [volume["name"] for volume in spec.get("volumes") or [] if volume.get("hostPath") is not None]
    return _named("volume", names) if names else ""


def _volumes(spec: JsonObject) -> str:
    names, kinds = [], set()
    for volume in spec.get("volumes") or []:
        if beyond := [key for key in volume if key != "name" and key not in _VOLUMES]:
            names.append(volume["name"])
            kinds.update(beyond)
    if not names:
        return ""
    verb, types = ("uses", "type") if len(names) == 1 else ("use", "type" + "s" * (len(kinds) > 1))
    return f"{_named('volume', names)} {verb} restricted volume {types} {', '.join(_quoted(sorted(kinds)))}"


def _host_ports(spec: JsonObject) -> str:
    names, ports = [], set()
    for container in _containers(spec):
        if used := {port["hostPort"] for port in container.get("ports") or [] if port.get("hostPort")}:
            names.append(container["name"])
            ports |= used
    if not names:
        return ""
    verb, noun = "uses" if len(names) == 1 else "use", "hostPort" + "s" * (len(ports) > 1)
    return f"{_named('container', names)} {verb} {noun} {', '.join(str(port) for port in sorted(ports))}"


def _sysctls(spec: JsonObject) -> str:
    names = [item["name"] for item in _context(spec).get("sysctls") or []]
    return ", ".join(sorted(name for name in names if name not in _SAFE_SYSCTLS))


def _proc_mount(spec: JsonObject) -> str:
    names = _those(spec, lambda context: context.get("procMount", "Default") != "Default")
    return (
        f'{_named("container", names)} must not set securityContext.procMount to "Unmasked"' if names else ""
    )


def _profile(holder: JsonObject) -> str | None:
    found: str | None = (_context(holder).get("seccompProfile") or {}).get("type")
    return found


def _seccomp(spec: JsonObject) -> str:
    holders = ["pod"] if _profile(spec) not in (None, *_PROFILES) else []
    names = [each["name"] for each in _containers(spec) if _profile(each) not in (None, *_PROFILES)]
    if names:
        holders.append(_named("container", names))
    if not holders:
        return ""
    return f'{" and ".join(holders)} must not set securityContext.seccompProfile.type to "Unconfined"'


def _some_seccomp(spec: JsonObject) -> str:
    if forbidden := _seccomp(spec):
        return forbidden
    names = [each["name"] for each in _containers(spec) if _profile(each) is None]
    if _profile(spec) is not None or not names:
        return ""
    types = " or ".join(_quoted(_PROFILES))
    return f"pod or {_named('container', names)} must set securityContext.seccompProfile.type to {types}"


def _escalation(spec: JsonObject) -> str:
    names = _those(spec, lambda context: context.get("allowPrivilegeEscalation") is not False)
    what = "must set securityContext.allowPrivilegeEscalation=false"
    return f"{_named('container', names)} {what}" if names else ""


def _non_root(spec: JsonObject) -> str:
    shared = _context(spec).get("runAsNonRoot")
    forbidden = ["pod"] if shared is False else []
    if names := _those(spec, lambda context: context.get("runAsNonRoot") is False):
        forbidden.append(_named("container", names))
    if forbidden and (names or shared is False):
        return f"{' and '.join(forbidden)} must not set securityContext.runAsNonRoot=false"
    names = _those(spec, lambda context: context.get("runAsNonRoot") is None)
    if shared or not names:
        return ""
    return f"pod or {_named('container', names)} must set securityContext.runAsNonRoot=true"


def _root(spec: JsonObject) -> str:
    holders = ["pod"] if _context(spec).get("runAsUser") == 0 else []
    if names := _those(spec, lambda context: context.get("runAsUser") == 0):
        holders.append(_named("container", names))
    return f"{' and '.join(holders)} must not set runAsUser=0" if holders else ""


_COMMON: Final[tuple[tuple[str, _Check], ...]] = (
    ("host namespaces", _host_namespaces),
    ("hostPort", _host_ports),
    ("privileged", _privileged),
    ("procMount", _proc_mount),
    ("forbidden sysctls", _sysctls),
)
_CHECKS: Final[dict[str, tuple[tuple[str, _Check], ...]]] = {
    PRIVILEGED: (),
    BASELINE: (
        ("non-default capabilities", _capabilities),
        _COMMON[0],
        ("hostPath volumes", _host_paths),
        *_COMMON[1:4],
        ("seccompProfile", _seccomp),
        _COMMON[4],
    ),
    RESTRICTED: (
        *_COMMON,
        ("allowPrivilegeEscalation != false", _escalation),
        ("unrestricted capabilities", _few_capabilities),
        ("restricted volume types", _volumes),
        ("runAsNonRoot != true", _non_root),
        ("runAsUser=0", _root),
        ("seccompProfile", _some_seccomp),
    ),
}
