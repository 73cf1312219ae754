"""
A program `helm` for machines that have none: the verbs that `bookmesh release --use helm` uses, by Helm's own library.

Only arguments are read here; everything else is Helm. It knows no argument that the program does not know, and refuses
all others, so that what is asked of it can be asked of the program.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import helm_python


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="helm", allow_abbrev=False)
    for name in ("--kubeconfig", "--kube-context"):
        found.add_argument(name)
    verbs = found.add_subparsers(dest="verb", required=True)
    for verb, positional, options, flags in (
        ("template", ["name", "chart"], ["--values"], ["--is-upgrade", "--no-hooks"]),
        ("install", ["name", "chart"], ["--values", "--output"], ["--create-namespace"]),
        ("upgrade", ["name", "chart"], ["--values", "--output"], ["--reset-values"]),
        ("list", [], ["--output"], ["--deployed", "--failed", "--pending", "--superseded", "--uninstalling"]),
        ("history", ["name"], ["--output"], []),
        ("get", ["what", "name"], ["--revision"], []),
        ("rollback", ["name", "revision"], [], []),
        ("uninstall", ["name"], [], ["--wait"]),
    ):
        one = verbs.add_parser(verb, allow_abbrev=False)
        one.add_argument("--namespace", required=True)
        for argument in (*positional, *options):
            one.add_argument(argument)
        for flag in flags:
            one.add_argument(flag, action="store_true")
    return found


def answer(given: argparse.Namespace, config: helm_python.Config) -> str:
    match given.verb:
        case "template":
            with helm_python.Chart.load(given.chart) as chart:
                files = chart.render(
                    values(given), name=given.name, namespace=given.namespace, is_upgrade=given.is_upgrade
                )
            return "\n---\n".join(text for name, text in files.items() if not name.endswith(".txt"))
        case "install":
            done = config.install(
                given.chart, given.name, values(given), create_namespace=given.create_namespace
            )
            return json.dumps(done | {"version": int(done.get("version") or done["revision"])})
        case "upgrade":
            done = config.upgrade(given.chart, given.name, values(given), reset_values=given.reset_values)
            return json.dumps(done | {"version": int(done.get("version") or done["revision"])})
        case "list":
            found = config.list(all_states=True)
            return json.dumps(
                [one | {"revision": str(one.get("version") or one["revision"])} for one in found]
            )
        case "history":
            return json.dumps(config.history(given.name))
        case "get":
            revision = int(given.revision) if given.revision else None
            return str(config.status(given.name, revision=revision)["manifest"])
        case "rollback":
            config.rollback(given.name, version=int(given.revision))
        case "uninstall":
            config.uninstall(given.name, wait="watcher" if given.wait else None)
    return ""


def values(given: argparse.Namespace) -> dict[str, object]:
    assert given.values == "-"
    found: dict[str, object] = json.load(sys.stdin)
    return found


def main() -> None:
    given = parser().parse_args()
    kubeconfig = Path(given.kubeconfig) if given.kubeconfig else None
    try:
        with helm_python.Config(
            kubeconfig_path=kubeconfig, kube_context=given.kube_context, namespace=given.namespace
        ) as config:
            sys.stdout.write(answer(given, config))
    except helm_python.HelmError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
