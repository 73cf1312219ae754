"""`bookmesh release`: releases in the order of their dependencies, on the lab or any other cluster."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bookmesh.base.findings import BookmeshError, Finding
from bookmesh.cli import examples, terminal
from bookmesh.lab import client, labs, paths

if TYPE_CHECKING:
    from bookmesh.release import ports, waiting

_MARKS = {"served": "✓", "unchanged": "=", "failed": "✗", "undone": "↺", "waiting": "…", "applying": "→"}


@dataclass(frozen=True, slots=True)
class _Tools:
    """One cluster, seen in both ways."""

    helm: ports.Helm
    cluster: ports.Cluster


_file_argument = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_namespace_option = click.option(
    "-n", "--namespace", default="default", show_default=True, help="Where the releases are."
)


_timeout_option = click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for each requirement and each release.",
)


def _target_options(function: click.decorators.FC) -> click.decorators.FC:
    function = terminal.name_option(function)
    function = click.option(
        "--use",
        type=click.Choice(["library", "helm"]),
        default="library",
        show_default=True,
        help="Use Helm as a library, or the program helm on PATH.",
    )(function)
    return click.option(
        "--target",
        default="lab",
        show_default=True,
        metavar="lab|CONTEXT",
        help="The lab, or a context of your kubeconfig.",
    )(function)


@click.group(cls=examples.Group)
def release() -> None:
    """Releases that depend on each other: plan, apply, status, rollback, uninstall, check, export."""


@release.command("plan")
@_file_argument
@_target_options
@terminal.output_option
def plan_releases(file: Path, *, target: str, name: str, use: str, output: str) -> None:
    """Show in which order the releases of FILE would be changed, and how; exit code 1 when they cannot."""
    from bookmesh.release import sessions, texts

    with _failures():
        session = sessions.open_session(file, _tools(target, name, use).helm)
        if output == "json":
            click.echo(texts.plan_as_json(session))
        else:
            click.echo(
                texts.describe_plan(session.plan, session.intended, session.rendered, session.installed)
            )
        _refuse(session.findings)


@release.command("apply")
@_file_argument
@_timeout_option
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@_target_options
@terminal.output_option
def apply_releases(
    file: Path, *, timeout_s: int, dry_run: bool, target: str, name: str, use: str, output: str
) -> None:
    """
    Install or upgrade the releases of FILE, each once what it requires is really served.

    When one fails, this run's changes are undone in reverse order. After an interruption, the same command continues.
    """
    from bookmesh.release import carrying_out, holders, sessions, texts, waiting

    with _failures():
        tools = _tools(target, name, use)
        session = sessions.open_session(file, tools.helm)
        if output == "text":
            described = texts.describe_plan(
                session.plan, session.intended, session.rendered, session.installed
            )
            terminal.stderr().print(described, markup=False)
        _refuse(session.findings)
        if dry_run:
            return
        with ExitStack() as stack:
            for namespace in sorted({one.namespace for one in session.wanted}):
                stack.enter_context(tools.cluster.lock(namespace, holders.own()))
            session = sessions.open_session(file, tools.helm)  # somebody may have been at it until now
            _refuse(session.findings)
            run = carrying_out.Run(session, tools.helm, tools.cluster, waiting.Patience(_report, timeout_s))
            is_done = run.carry_out()
        click.echo(
            texts.states_as_json(run.states, run.reasons)
            if output == "json"
            else texts.describe_states(run.states)
        )
    if not is_done:
        sys.exit(1)


@release.command("status")
@_namespace_option
@_target_options
def show_status(namespace: str, *, target: str, name: str, use: str) -> None:
    """Show what the installed releases require and whether it is served; exit code 1 when it is not."""
    from bookmesh.release import sessions

    with _failures():
        tools = _tools(target, name, use)
        rows = sessions.check_installed(namespace, tools.helm, tools.cluster)
        for row in rows:
            click.echo(
                f"{'ok ' if row.verdict.is_satisfied else 'NOT'}  {row.release.name} requires {row.requirement}: "
                f"{row.verdict.reason}"
            )
        if not rows:
            click.echo(f"no release in namespace {namespace} requires anything")
    if not all(row.verdict.is_satisfied for row in rows):
        sys.exit(1)


@release.command("export")
@_file_argument
@click.option(
    "--to",
    "tool",
    type=click.Choice(["helmfile", "flux", "argocd", "hip-0025"]),
    required=True,
    help="The tool to write for.",
)
@click.option(
    "--source",
    metavar="NAME|URL",
    help="Where the tool finds the charts: a GitRepository, [NAMESPACE/]NAME (flux), the URL of a repository (argocd).",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For flux and argocd: the folder that is the root of that repository (default: that of FILE).",
)
def export_releases(file: Path, tool: str, source: str | None, root: Path | None) -> None:
    """Write the releases of FILE and their order for another tool. No cluster is needed."""
    from bookmesh.release import helm, sessions
    from bookmesh.release.exporting import argocd, description, flux, helmfile, sequencing

    is_fetching = tool in {"flux", "argocd"}
    if is_fetching and source is None:
        raise click.UsageError(f"--to {tool} needs --source")
    if root is not None and not is_fetching:
        raise click.UsageError(f"--to {tool} names charts relative to FILE: --root is for flux and argocd")
    with _failures():
        session = sessions.plan_offline(file, helm.SdkHelm())
        _refuse(session.findings)
        described = description.describe(session, root or file.parent)
        if is_fetching:
            description.check_inside(described, root or file.parent)
        match tool:
            case "helmfile":
                text = helmfile.export(described)
            case "flux":
                text = flux.export(described, source=source or "")
            case "argocd":
                text = argocd.export(described, source=source or "")
            case _:
                text = sequencing.export(described)
        click.echo(text, nl=False)


@release.command("check")
@click.option(
    "--declares",
    "text",
    required=True,
    metavar="JSON",
    help="What the release will provide and require; charts pass it.",
)
@_timeout_option
@click.option(
    "--target",
    default="pod",
    show_default=True,
    metavar="pod|CONTEXT",
    help="The cluster of this pod, or a context of your kubeconfig.",
)
def check_release(text: str, timeout_s: int, target: str) -> None:
    """
    Wait until a release may change, as charts ask before Helm changes anything; exit code 1 when it may not.

    This is what `gate.enabled` of our charts runs in a Job of its own.
    """
    from bookmesh.release import clusters, gating, waiting
    from bookmesh.tasks import kubectl

    with _failures():
        intended = gating.parse(text)
        runner = kubectl.Kubectl(
            client.find_kubectl(), {"KUBECACHEDIR": tempfile.gettempdir()}, "" if target == "pod" else target
        )
        cluster = clusters.KubectlCluster(runner)
        _refuse(gating.check(intended, cluster, waiting.Patience(_report, timeout_s)))
        click.echo(f"release {intended.release} may change")


@release.command("rollback")
@click.argument("release_name", metavar="RELEASE")
@click.argument("revision", type=click.IntRange(min=1))
@_namespace_option
@_timeout_option
@_target_options
def roll_back(
    release_name: str, revision: int, *, namespace: str, timeout_s: int, target: str, name: str, use: str
) -> None:
    """
    Bring RELEASE back to REVISION, unless others require what it would no longer serve.

    Tracks that come back with traffic are brought up before they get any.
    """
    from bookmesh.release import carrying_out, contracts, holders, sessions, waiting

    with _failures():
        tools = _tools(target, name, use)
        one = contracts.ReleaseId(namespace, release_name)
        with tools.cluster.lock(namespace, holders.own()):
            _refuse(sessions.check_rollback(one, revision, tools.helm))
            carrying_out.go_back(
                one, revision, tools.helm, tools.cluster, waiting.Patience(_report, timeout_s)
            )
        click.echo(f"{release_name} is what revision {revision} was")


@release.command("uninstall")
@click.argument("release_names", metavar="RELEASE…", nargs=-1, required=True)
@_namespace_option
@_target_options
def uninstall(release_names: Sequence[str], *, namespace: str, target: str, name: str, use: str) -> None:
    """Remove releases, callers before the services that they call, unless other releases still require them."""
    from bookmesh.release import contracts, holders, sessions

    with _failures():
        tools = _tools(target, name, use)
        leaving = [contracts.ReleaseId(namespace, one) for one in release_names]
        with tools.cluster.lock(namespace, holders.own()):
            order, findings = sessions.check_uninstall(leaving, tools.helm)
            _refuse(findings)
            for one in order:
                tools.helm.uninstall(one)
                click.echo(f"{one.name} is gone")


@contextmanager
def _failures() -> Iterator[None]:
    """Findings, and what Helm or the cluster says, as messages and exit code 1."""
    from bookmesh.release import contracts, ports, waiting

    with terminal.failures():
        try:
            yield
        except (
            ports.HelmFailedError,
            ports.ClusterFailedError,
            waiting.NotServedError,
            contracts.DeclarationError,
        ) as error:
            raise BookmeshError(Finding(code="BM0606", message=str(error))) from error


def _refuse(findings: Sequence[Finding]) -> None:
    for finding in findings:
        terminal.show(finding)
    if findings:
        sys.exit(1)


def _tools(target: str, name: str, use: str) -> _Tools:
    from bookmesh.release import clusters, holders
    from bookmesh.tasks import kubectl

    environment: dict[str, str] = {}
    kubeconfig = None
    if target == "lab":
        lab = paths.paths_for(name)
        labs.require_running(lab)
        environment, kubeconfig = client.environment(lab), lab.kubeconfig
    context = "" if target == "lab" else target
    runner = kubectl.Kubectl(client.find_kubectl(), environment, context)
    return _Tools(
        _helm(use, kubeconfig, context),
        clusters.KubectlCluster(runner, is_gone=holders.is_gone),
    )


def _helm(use: str, kubeconfig: Path | None, context: str) -> ports.Helm:
    from bookmesh.release import helm, helm_program

    if use == "library":
        return helm.SdkHelm(kubeconfig=kubeconfig, context=context)
    program = shutil.which("helm")
    if program is None:
        raise BookmeshError(
            Finding(code="BM0622", message="there is no program helm on PATH", hint="leave out --use helm"),
            exit_code=3,
        )
    return helm_program.ProgramHelm(Path(program), kubeconfig=kubeconfig, context=context)


def _report(event: waiting.Event) -> None:
    if mark := _MARKS.get(event.state):
        text = f"  {mark} {event.release.name:<24} {event.state}" + (f": {event.text}" if event.text else "")
        terminal.stderr().print(text, markup=False)
