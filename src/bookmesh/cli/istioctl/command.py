"""`bookmesh istioctl`: the root of these commands, and the order in which its help lists them."""

from __future__ import annotations

import functools
import importlib
import os
from typing import Any, Final

import click

from bookmesh.cli import examples
from bookmesh.cli.istioctl import flags
from bookmesh.lab import client, labs, paths

# name -> (module, attribute, one line); imported when the command runs
_COMMANDS: Final = {
    "install": ("installing", "install", "Set up the mesh of the lab: gateways, mesh settings, values."),
    "uninstall": ("installing", "uninstall", "Remove gateways and mesh settings."),
    "kube-inject": ("kube_injecting", "kube_inject", "Print a file with sidecars in its pods."),
    "proxy-status": ("proxy_status", "proxy_status", "Show which proxies are connected and in sync."),
    "proxy-config": ("proxy_config", "proxy_config", "Show the configuration of a proxy."),
    "analyze": ("analyzing", "analyze", "Say what is wrong with the mesh's configuration."),
    "dashboard": ("dashboards", "dashboard", "Open the way to a web page in the cluster."),
    "experimental": ("experimental", "experimental", "Describe a pod; statistics of an Envoy."),
    "version": ("versions", "version", "Show the version of the mesh."),
}
_ALIASES: Final = {
    "ps": "proxy-status",
    "pc": "proxy-config",
    "x": "experimental",
    "exp": "experimental",
    "dash": "dashboard",
    "d": "dashboard",
}
_AMBIENT: Final = ("waypoint", "ztunnel-config", "zc")
_ISTIOS: Final = (
    "admin",
    "authz",
    "bug-report",
    "completion",
    "create-remote-secret",
    "manifest",
    "remote-clusters",
    "tag",
    "upgrade",
    "validate",
)


class _Root(flags.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = _COMMANDS.get(_ALIASES.get(cmd_name, cmd_name))
        if found is None:
            return None
        command: click.Command = getattr(importlib.import_module(f"{__package__}.{found[0]}"), found[1])
        return examples.attach(f"istioctl {_ALIASES.get(cmd_name, cmd_name)}", command)

    def guess(self, ctx: click.Context, word: str) -> str:
        """Also a command that Istio has below `experimental`, as `describe`, and those that it alone has."""
        if word in _AMBIENT:
            return "it is for ambient mode, and the mesh of a lab has sidecars; "
        if word in _ISTIOS:
            return "it is one of Istio's own istioctl, which works with a lab, too; "
        below = self.get_command(ctx, "experimental")
        if isinstance(below, click.Group) and below.get_command(ctx, word):
            return f'did you mean "experimental {word}"? '
        return super().guess(ctx, word)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


class _Start:
    """Makes the session before any flag is looked at."""

    def __call__(self, ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        if isinstance(ctx.obj, flags.Session):
            return
        ctx.obj = flags.Session(functools.partial(_environment, value))


def _environment(name: str | None) -> dict[str, str]:
    """The lab called `name`; without a name the cluster of $KUBECONFIG, else the default lab."""
    if name is None and os.environ.get("KUBECONFIG"):
        return {}
    from bookmesh.cli import terminal

    with terminal.failures():
        lab = paths.paths_for(name or paths.DEFAULT_NAME)
        labs.require_running(lab)
    return client.environment(lab)


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--name", metavar="LAB", is_eager=True, expose_value=False, callback=_Start(), help="Which lab."
)
@flags.common
def istioctl() -> None:
    """
    The commands that Istio's tasks use, for the lab: istioctl proxy-status.

    If you have no istioctl, "bookmesh env" puts this one on PATH under that name. Istio's own program works as well.

    Exit codes are Istio's: 64 for misuse, 65 for files that cannot be read, 79 when analyze finds a problem.
    """


def run_shim(kubeconfig: str) -> None:
    """Run as the program `istioctl`; `kubeconfig` is that of the lab it belongs to, used when the shell names none."""
    environment: dict[str, Any] = {} if os.environ.get("KUBECONFIG") else {"KUBECONFIG": kubeconfig}
    istioctl(prog_name="istioctl", obj=flags.Session(lambda: environment))
