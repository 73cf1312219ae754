"""How these commands take arguments: Istio's common flags anywhere, aliases, wrong flags named with known ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import click

from bookmesh.base import near_misses
from bookmesh.cli.istioctl.kubernetes import Kubectl

SYSTEM_NAMESPACE = "istio-system"


@dataclass(slots=True)
class Session:
    """
    What the common flags say; `find_environment` tells how kubectl finds the cluster without flags. It is asked when
    the cluster is: help, and files alone, need none.
    """

    find_environment: Callable[[], dict[str, str]]
    kubeconfig: str = ""
    context: str = ""
    given_namespace: str = ""
    system_namespace: str = SYSTEM_NAMESPACE
    _environment: dict[str, str] | None = None

    @property
    def kubectl(self) -> Kubectl:
        flags = [("--kubeconfig", self.kubeconfig), ("--context", self.context)]
        if self._environment is None:
            self._environment = self.find_environment()
        return Kubectl(self._environment, [part for name, value in flags if value for part in (name, value)])

    @property
    def namespace(self) -> str:
        """The one asked for, else that of the kubeconfig's context."""
        if self.given_namespace:
            return self.given_namespace
        query = "jsonpath={.contexts[0].context.namespace}"
        return self.kubectl.run("config", "view", "--minify", "-o", query).strip() or "default"


def common(function: click.decorators.FC) -> click.decorators.FC:
    """Istio's flags that every command takes; what is given last counts."""
    for names, field, text in (
        (("-i", "--istioNamespace"), "system_namespace", "Where Istio is (default: istio-system)."),
        (("--context",), "context", "Context of the kubeconfig."),
        (("-c", "--kubeconfig"), "kubeconfig", "File that says where the cluster is."),
        (("-n", "--namespace"), "given_namespace", "Namespace (default: that of the context)."),
    ):
        function = click.option(*names, expose_value=False, callback=_Keep(field), help=text)(function)
    return function


def switch(
    *names: str,
    default: bool | None,
    help: str,
) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """A flag as Istio's: `--flag`, `--flag=false`, `-f=false`; what follows it is never its value."""
    return click.option(*names, cls=_Switch, default=default, type=click.BOOL, metavar="[=false]", help=help)


class _Switch(click.Option):
    """Marks options to which `Command` adds the value that is left out."""


def _spelled_out(command: click.Command, args: list[str]) -> list[str]:
    """
    Booleans as Istio's command takes them: every switch gets its value, in the long form (`-k=false` is
    `--use-kube=false`), and other flags lose it (`--force=true` is `--force`, `--force=false` is nothing).
    """
    options = [each for each in command.params if isinstance(each, click.Option)]
    switches = {name: max(o.opts, key=len) for o in options if isinstance(o, _Switch) for name in o.opts}
    plain = {name for o in options if o.is_flag for name in o.opts}
    end = args.index("--") if "--" in args else len(args)
    found = []
    for arg in args[:end]:
        name, has_value, value = arg.partition("=")
        if name in switches:
            found.append(f"{switches[name]}={value if has_value else 'true'}")
        elif name in plain and value in ("true", "false"):
            found += [name] if value == "true" else []
        else:
            found.append(arg)
    return found + args[end:]


class _Keep:
    """Puts a common flag into the session."""

    def __init__(self, field: str) -> None:
        self._field = field

    def __call__(self, ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        session = ctx.find_object(Session)
        if session is not None and value is not None:
            setattr(session, self._field, value)


class Misuse(click.UsageError):
    """Flags or arguments that Istio's command would not take either; its exit code for that is another than ours."""

    exit_code = 64


class Command(click.Command):
    """Names the known flags when it gets another one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, _spelled_out(self, args))
        except click.UsageError as error:
            _refuse(self, ctx, error)


class Group(click.Group):
    """Commands with other names: `pc` for `proxy-config`."""

    command_class = Command

    def __init__(self, *args: Any, aliases: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._aliases = aliases or {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, self._aliases.get(cmd_name, cmd_name))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            click.echo(ctx.get_help())  # as Istio's, no failure
            ctx.exit(0)
        except click.UsageError as error:
            _refuse(self, ctx, error)

    def guess(self, ctx: click.Context, word: str) -> str:
        """`did you mean "x"? ` or nothing."""
        return near_misses.did_you_mean(word, [*self.list_commands(ctx), *self._aliases])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            known = f"{self.guess(ctx, args[0])}known: {', '.join(names)}"
            raise Misuse(f'unknown command "{args[0]}" for "{ctx.command_path}"; {known}', ctx)
        return super().resolve_command(ctx, args)


def _refuse(command: click.Command, ctx: click.Context, error: click.UsageError) -> NoReturn:
    if not isinstance(error, click.NoSuchOption):
        raise Misuse(error.format_message(), ctx) from error
    known = sorted(
        name for parameter in command.get_params(ctx) for name in parameter.opts if name.startswith("--")
    )
    raise Misuse(f"unknown flag: {error.option_name}; known: {', '.join(known)}", ctx) from error
