"""`bookmesh task` and `bookmesh test`: the catalogue, and people's own cases in the same format."""

from __future__ import annotations

import difflib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

import click

from bookmesh.base import findings
from bookmesh.cli import examples, task_progress, terminal
from bookmesh.lab import client, labs, paths

if TYPE_CHECKING:
    from bookmesh.tasks import loading, records, running

OUTPUTS = ("text", "json", "junit", "html", "github")
CATALOGUE_VARIABLE = "BOOKMESH_TASKS"


class _Options(TypedDict):
    """What `_cluster_options` give."""

    target: str
    name: str
    jobs: int
    keep: bool
    ingress: str
    report: Path | None
    output: str


def _cluster_options(function: click.decorators.FC) -> click.decorators.FC:
    """Where and how tasks run."""
    for option in (
        click.option(
            "-o",
            "--output",
            type=click.Choice(OUTPUTS),
            default="text",
            show_default=True,
            help="What is printed: text for people, github for annotations, the others for programs.",
        ),
        click.option(
            "--report",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Also write an HTML report to this file.",
        ),
        click.option(
            "--ingress",
            default="istio-system/istio-ingressgateway",
            show_default=True,
            metavar="NAMESPACE/SERVICE",
            help="The ingress gateway for requests from outside.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            default=4,
            show_default=True,
            help="How many tasks run at the same time.",
        ),
        click.option(
            "--keep", is_flag=True, help="Keep the namespace of a task that does not pass, to look into it."
        ),
        terminal.name_option,
        click.option(
            "--target",
            default="lab",
            show_default=True,
            metavar="lab|CONTEXT",
            help="The lab, or a context of your kubeconfig.",
        ),
    ):
        function = option(function)
    return function


_pattern_option = click.option(
    "-k",
    "patterns",
    multiple=True,
    metavar="TEXT|GLOB",
    help="Only tasks whose name contains this text or matches this glob; may be repeated.",
)


def _complete_task(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from bookmesh.tasks import loading

    try:
        tasks = loading.discover(catalogue())
    except loading.TaskFileError:
        return []
    return [name for each in tasks for name in (each.key, each.task.id) if name.startswith(incomplete)]


@click.group(cls=examples.Group)
def task() -> None:
    """Tasks of Istio's documentation that run and check themselves: list, show, run, verify."""


@task.command("list")
@_pattern_option
@terminal.output_option
def list_tasks(patterns: tuple[str, ...], output: str) -> None:
    """List all tasks, by area."""
    tasks = _choose((), parts=patterns, every=not patterns)
    if output == "json":
        rows = [{"key": each.key, "title": each.task.title, "page": each.task.page} for each in tasks]
        terminal.print_json(rows)
        return
    width = max(len(each.key) for each in tasks)
    for each in tasks:
        click.echo(f"{each.key:<{width}}  {each.task.title}")


@task.command("show")
@click.argument("name", shell_complete=_complete_task)
def show_task(name: str) -> None:
    """Show the steps of a task: what it does, what it expects, and the YAML that it applies."""
    from bookmesh.tasks import describing

    for each in _choose((name,)):
        click.echo(describing.describe(each))


@task.command("run")
@click.argument("names", nargs=-1, required=True, shell_complete=_complete_task)
@_cluster_options
def run_task(names: tuple[str, ...], **options: Unpack[_Options]) -> None:
    """
    Run the named tasks and check what they promise; exit code 1 when one does not pass.

    A name is a task's folder, its id, or a glob over them.
    """
    _run(_choose(names), **options)


@task.command("verify")
@click.argument("names", nargs=-1, shell_complete=_complete_task)
@click.option("--all", "every", is_flag=True, help="The whole catalogue.")
@_pattern_option
@_cluster_options
def verify(
    names: tuple[str, ...], every: bool, patterns: tuple[str, ...], **options: Unpack[_Options]
) -> None:
    """
    Run tasks as "run" does, also --all of them or those that -k selects; exit code 1 when one does not pass.

    A name is a task's folder, its id, or a glob over them.
    """
    if every == bool(names or patterns):
        raise click.UsageError("say which: --all, names such as request-routing, or -k TEXT|GLOB")
    _run(_choose(names, parts=patterns, every=every), **options)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@_cluster_options
def test(files: tuple[Path, ...], **options: Unpack[_Options]) -> None:
    """
    Run your own cases on your own YAML; exit code 1 when one does not pass, 2 when a file is not a case.

    docs/guides/testing-your-own-mesh.md has one to copy, docs/reference/tasks.md the whole format.
    """
    from bookmesh.tasks import loading

    for folder in filter(Path.is_dir, files):
        raise click.BadParameter(f"{folder} is a folder; name the cases in it, such as {folder}/*.yaml")
    try:
        tasks = [loading.load(file) for file in files]
    except loading.TaskFileError as error:
        _misuse(*error.findings)
    _run(tasks, **options)


def catalogue() -> Path:
    """The folder of the catalogue: $BOOKMESH_TASKS, else tasks/ of the source tree, else the installed one."""
    if given := os.environ.get(CATALOGUE_VARIABLE):
        return Path(given)
    here = Path(__file__).resolve()
    return next(
        (folder for folder in (here.parents[3] / "tasks", here.parents[1] / "catalogue") if folder.is_dir()),
        here.parents[3] / "tasks",
    )


def _choose(
    names: Sequence[str], *, parts: Sequence[str] = (), every: bool = False
) -> list[loading.LoadedTask]:
    """
    Take tasks of the catalogue, in its order; a name or part that none has is misuse.

    Args:
        parts: of names, or globs.
    """
    from bookmesh.tasks import loading, verifying

    try:
        tasks = loading.discover(catalogue())
    except loading.TaskFileError as error:
        _misuse(*error.findings)
    if every:
        return tasks
    found = {name: verifying.select(tasks, (name,)) for name in names}
    found |= {part: verifying.select(tasks, (part,), by_part=True) for part in parts}
    unknown = [pattern for pattern, matching in found.items() if not matching]
    if unknown:
        _misuse(*(_no_task(pattern, tasks) for pattern in unknown))
    keys = {each.key for matching in found.values() for each in matching}
    return [each for each in tasks if each.key in keys]


def _no_task(pattern: str, tasks: Sequence[loading.LoadedTask]) -> findings.Finding:
    names = dict.fromkeys(name for each in tasks for name in (each.task.id, each.key))
    near = difflib.get_close_matches(pattern, names)
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    return findings.Finding(
        code="BM0402",
        message=f"no task matches {pattern}",
        where=str(catalogue()),
        known=f'"bookmesh task list" shows all {len(tasks)}',
        hint=f"{meant}a name is the folder, the id, or a glob over them such as 'traffic-management/*'; -k takes parts",
    )


def _misuse(*told: findings.Finding) -> NoReturn:
    for finding in told:
        terminal.show(finding)
    sys.exit(2)


def _run(
    tasks: Sequence[loading.LoadedTask],
    *,
    target: str,
    name: str,
    jobs: int,
    keep: bool,
    ingress: str,
    report: Path | None,
    output: str,
) -> None:
    from bookmesh.tasks import verifying

    began = time.monotonic()
    cluster = _cluster(target, name, ingress)
    with terminal.told_to_end_is_interrupted(), task_progress.Progress(len(tasks)) as progress:
        results = verifying.verify(tasks, cluster, jobs=jobs, listener=progress, keeps=keep)
    took_s = time.monotonic() - began
    where = f"the lab {name}" if target == "lab" else f"context {target}"
    _print(results, took_s, output, target=where)
    if report:
        report.write_text(_html(results, took_s, where))
        terminal.stderr().print(f"report: {report}", markup=False)
    if any(result.outcome != "passed" for result in results):
        sys.exit(1)


def _cluster(target: str, name: str, ingress: str) -> running.Cluster:
    from bookmesh.tasks import acting, kubectl, running

    with terminal.failures():
        environment: dict[str, str] = {}
        if target == "lab":
            lab = paths.paths_for(name)
            labs.require_running(lab)
            environment = client.environment(lab)
        program = client.find_kubectl()
    cluster = kubectl.Kubectl(program, environment, "" if target == "lab" else target)
    try:
        return running.Cluster(cluster, acting.cluster_wide_kinds(cluster), ingress)
    except kubectl.ClusterError as error:
        terminal.show(
            findings.Finding(
                code="BM0410",
                message=str(error),
                where=target,
                known="" if target == "lab" else _contexts(program),
                hint="see whether `kubectl get namespaces` works against the same cluster",
            )
        )
        sys.exit(1)


def _contexts(program: Path) -> str:
    """Which contexts there are for `--target`."""
    from bookmesh.tasks import kubectl

    names = kubectl.Kubectl(program).run("config", "get-contexts", "-o", "name").stdout.split()
    return f"contexts: {', '.join(names) or 'none'}; lab means the one of `bookmesh up`"


def _print(results: Sequence[records.Result], took_s: float, output: str, *, target: str) -> None:
    from bookmesh.tasks.reports import plain, text, timing

    if output == "text":
        for result in results:
            if told := text.explain(result):
                click.echo(told)
        for line in timing.describe(results, took_s):
            click.echo(line)
        click.echo(text.summarize(results, took_s))
    elif output == "json":
        click.echo(plain.as_json(results, took_s))
    elif output == "junit":
        click.echo(plain.as_junit(results, took_s))
    elif output == "github":
        click.echo(plain.as_github(results))
    else:
        click.echo(_html(results, took_s, target))


def _html(results: Sequence[records.Result], took_s: float, target: str) -> str:
    from bookmesh.tasks.reports import html

    return html.build_page(results, took_s=took_s, target=target, when=time.strftime("%Y-%m-%d %H:%M"))
