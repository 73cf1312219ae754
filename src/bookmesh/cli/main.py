"""The root of the command and the order in which `--help` lists its parts."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

import click

from bookmesh.cli import examples, owning

# name -> (module, one line). Modules are imported when their command runs, so that --help and env stay instant.
_COMMANDS = {
    "up": ("starting", "Start the lab, or say that it is running."),
    "kube": ("kube", "A Kubernetes API alone, without any mesh: up, status, env, down."),
    "app": ("app", "Run Bookinfo on this machine without any mesh."),
    "status": ("inspecting", "Show addresses, pods, proxies and problems."),
    "env": ("environment", 'Print variables for the shell: eval "$(bookmesh env)".'),
    "kubectl": ("environment", "Run kubectl against the lab."),
    "kubeconfig": ("environment", "Print the kubeconfig, or merge it into yours."),
    "task": (
        "tasks",
        "Tasks of Istio's documentation that run and check themselves: list, show, run, verify.",
    ),
    "test": ("tasks", "Run your own cases on your own YAML."),
    "image": ("images", "Images of your own, from files: load, list, remove."),
    "release": ("releases", "Releases that depend on each other: plan, apply, status, rollback, uninstall."),
    "istioctl": (
        "istioctl.command",
        "The commands of Istio's tasks: proxy-status, proxy-config, analyze, install …",
    ),
    "explain": (
        "explain.command",
        "Follow a request through a proxy's configuration, with the YAML behind each step.",
    ),
    "logs": ("inspecting", "Show the log of the lab itself."),
    "doctor": ("inspecting", "Check that this machine can run a lab."),
    "completion": ("completing", "Print the completion script for your shell."),
    "down": ("stopping", "Stop the lab and remove all of it."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"bookmesh.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return examples.attach(cmd_name, command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the commands that may be meant by one that is not there."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, _COMMANDS)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(f"No such command '{name}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bookmesh", prog_name="bookmesh")
def main() -> None:
    """
    Bookinfo on a service mesh, without a cluster.

    Stock kubectl, real Envoys, the same Istio YAML. Start with: bookmesh up --bookinfo
    """


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command with `arguments`, by default those of the process."""
    if arguments is None:
        owning.begin_anew(sys.argv[1:])
    main(args=arguments, prog_name="bookmesh")
