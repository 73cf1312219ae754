"""
Whether this machine allows what a lab needs, found out by doing it all once, small, in a process of its own.

    python -m bookmesh.kube.sandbox.requirements    # prints the JSON outcome of the trial
"""

from __future__ import annotations

import errno
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.kube.sandbox import namespaces, netlink, network, nft, nft_transactions, roots, syscalls

_OLDEST_KERNEL: Final = (5, 12)  # overlays in user namespaces (5.11), mount_setattr (5.12)
_TIMEOUT_S: Final = 20


def check_host() -> list[Finding]:
    """
    Try namespaces, mounts, networking and packet rules in a throw-away process.

    Returns:
        What does not work, with the setting to change (BM0101); empty when a lab can run. Takes about 0.2 s.
    """
    if sys.platform != "linux":
        return [
            _finding(
                "this is not Linux", f"system: {platform.system()}", "use a Linux machine, or a virtual one"
            )
        ]
    release = platform.release()
    numbers = tuple(int(part) for part in release.replace("-", ".").split(".")[:2] if part.isdigit())
    if numbers < _OLDEST_KERNEL:
        return [_finding("the kernel is too old", f"Linux {release}", "Linux 5.12 or newer is needed")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        trial = subprocess.run(
            [sys.executable, "-P", "-m", "bookmesh.kube.sandbox.requirements"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [_finding("the trial of namespaces did not end", f"after {_TIMEOUT_S} s", "")]
    if trial.returncode != 0 or not trial.stdout:
        return [_finding("the trial of namespaces ended unexpectedly", trial.stderr.strip()[-500:], "")]
    outcome = json.loads(trial.stdout)
    if outcome["step"] is None:
        return []
    known = f"{outcome['text']} (uid {os.geteuid()}, Linux {release})"
    return [
        _finding(
            f"this machine does not allow {outcome['step']}", known, _hint(outcome["step"], outcome["errno"])
        )
    ]


def try_everything() -> tuple[str | None, int, str]:
    """
    Do what a lab does, in this process, which is unfit for anything else afterwards.

    Returns:
        (step that failed or None, errno, text).
    """
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        (USER_NAMESPACE, namespaces.enter_user_namespace),
        ("a network namespace with routed interfaces", _try_network),
        ("nf_tables address translation", _try_rules),
        ("PID and mount namespaces", _try_namespaces),  # no thread can start any more after this one
        ("the root of a sandbox (tmpfs, overlay, proc, devpts)", _try_root),
    )
    for name, step in steps:
        try:
            step()
        except OSError as error:
            return name, error.errno or 0, error.strerror or str(error)
    return None, 0, ""


USER_NAMESPACE: Final = "user namespaces for ordinary users"


def _try_namespaces() -> None:
    syscalls.unshare(
        syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWUTS | syscalls.CLONE_NEWIPC
    )
    syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)


def _try_network() -> None:
    node = network.NodeNetwork.create("127.97.255.254")
    sandbox = namespaces.NetworkNamespace.create()
    try:
        node.attach(sandbox, "10.244.0.2")
    except netlink.NetlinkError as error:
        if "table" not in str(error) and "chain" not in str(error) and "rule" not in str(error):
            raise
    finally:
        sandbox.close()
        node.close()


def _try_rules() -> None:
    tcp = nft.protocol("tcp")
    rules = (
        nft.rule(nft.mark(1), nft.return_()),
        nft.rule(nft.daddr("10.96.0.1"), nft.one_in(2), tcp, nft.dnat("10.244.0.2", 80)),
        nft.rule(nft.daddr("127.97.0.0/16"), nft.dnat_prefix("10.97.0.0/16")),
        nft.rule(tcp, nft.redirect(15001)),
    )
    source = (nft.rule(nft.saddr("127.0.0.0/8"), nft.masquerade()),)
    refuse = (nft.rule(nft.daddr("10.96.0.0/16"), tcp, nft.reject_with_reset()),)
    table = nft.Table(
        "trial",
        (
            nft.Chain("output", rules, nft.Hook("nat", "output", nft.DSTNAT)),
            nft.Chain("postrouting", source, nft.Hook("nat", "postrouting", nft.SRCNAT)),
            nft.Chain("prerouting", refuse, nft.Hook("filter", "prerouting", nft.FILTER)),
        ),
    )
    namespace = namespaces.NetworkNamespace.create()
    try:
        namespace.run(lambda: nft_transactions.install(table))
    finally:
        namespace.close()


def _try_root() -> None:
    """Build a root in a child, which is the first process of the new PID namespace."""
    outcome, told = os.pipe()
    child = os.fork()
    if child == 0:
        code, text = 0, ""
        try:
            roots.enter(mounts=[], files={}, in_user_namespace=namespaces.mapped_ids() < 2**32 - 1)
        except OSError as error:
            code, text = error.errno or errno.EIO, error.strerror or str(error)
        os.write(told, f"{code} {text}".encode())
        os._exit(0)
    os.close(told)
    with os.fdopen(outcome) as pipe:
        number, _, text = pipe.read().partition(" ")
    os.waitpid(child, 0)
    if number != "0":
        raise OSError(int(number or errno.EIO), text or "the child ended unexpectedly")


def _hint(step: str, number: int) -> str:
    """Name the setting that is likely to be in the way."""
    if step == USER_NAMESPACE or (number in (errno.EPERM, errno.EACCES) and os.geteuid() != 0):
        for path, refused, advice in _SETTINGS:
            if _read(path) in refused:
                return advice
    if number == errno.ENOSPC:
        return "a limit in /proc/sys/user is reached: raise it with sysctl -w user.max_user_namespaces=15000"
    if number in (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.ENODEV):
        modules = "veth overlay nf_tables nft_chain_nat nft_nat nft_redir nft_masq nft_numgen nft_reject_ipv4"
        return f"a kernel module may be missing; as root: modprobe -a {modules}"
    if _is_container():
        return "this is a container whose runtime forbids it: run it with --privileged, or use the machine itself"
    if os.geteuid() == 0:
        return "this root user lacks capabilities (CAP_SYS_ADMIN, CAP_NET_ADMIN), or a security module forbids it"
    return "run it as root, or ask for unprivileged user namespaces to be allowed on this machine"


_SETTINGS: Final = (
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        {"0"},
        "as root: sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    ("/proc/sys/user/max_user_namespaces", {"0"}, "as root: sysctl -w user.max_user_namespaces=15000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        {"1", "2"},
        "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (AppArmor restricts user namespaces)",
    ),
)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _is_container() -> bool:
    """Whether marks of a container runtime, or its filter on system calls, are here."""
    marked = any(os.path.exists(path) for path in ("/.dockerenv", "/run/.containerenv"))
    return marked or "\nSeccomp:\t2" in _read("/proc/self/status")


def _finding(what: str, known: str, hint: str) -> Finding:
    return Finding(code="BM0101", message=what, known=known, hint=hint)


if __name__ == "__main__":
    failed, number, why = try_everything()
    print(json.dumps({"step": failed, "errno": number, "text": why}))  # noqa: T201 - the program's output
