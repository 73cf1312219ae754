"""A plan, and the state of releases, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.intentions import Intended
from bookmesh.release.planning import Plan
from bookmesh.release.ports import Installed
from bookmesh.release.sessions import Session


def describe_plan(
    plan: Plan,
    intended: Mapping[ReleaseId, Intended],
    rendered: Mapping[ReleaseId, Sequence[JsonObject]],
    installed: Mapping[ReleaseId, Installed],
) -> str:
    """Waves with what each release does and waits for, and a line for each object: + new, ~ changed, - gone."""
    lines = []
    for number, wave in enumerate(plan.waves, start=1):
        lines.append(f"wave {number}")
        for release in wave:
            before = installed.get(release)
            changes = list(differences(before.manifest if before else (), rendered[release]))
            verb = (
                "install" if before is None else "upgrade" if changes or not before.is_deployed else "leave"
            )
            lines.append(f"  {verb} {release.name}  (namespace {release.namespace})")
            lines += [f"    waits for {need}" for need in intended[release].declared.requires]
            lines += [f"    {change}" for change in changes]
    return "\n".join(lines)


def differences(before: Sequence[JsonObject], after: Sequence[JsonObject]) -> list[str]:
    """One line for each object that differs, sorted by kind and name; nothing for those that stay as they are."""
    old, new = ({(one["kind"], one["metadata"]["name"]): one for one in each} for each in (before, after))
    lines = []
    for key in sorted(old.keys() | new.keys()):
        name = f"{key[0]} {key[1]}"
        if key not in old:
            lines.append(f"+ {name}")
        elif key not in new:
            lines.append(f"- {name}")
        elif old[key] != new[key]:
            paths = changed_paths(old[key], new[key])
            lines.append(f"~ {name}: {', '.join(paths[:4])}{' …' if len(paths) > 4 else ''}")
    return lines


def changed_paths(before: object, after: object, path: str = "") -> list[str]:
    """Paths of the fields that differ, in the order of the newer object; the innermost that are maps or lists."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*after, *(key for key in before if key not in after)]
        return [
            found
            for key in keys
            for found in changed_paths(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [found for number, (a, b) in pairs for found in changed_paths(a, b, f"{path}[{number}]")]
    return [] if before == after else [path]


def plan_as_json(session: Session) -> str:
    """`{waves: [[{release, namespace, changes, requires}]], findings: [text]}`."""
    waves = [
        [
            {
                "release": release.name,
                "namespace": release.namespace,
                "requires": [str(need) for need in session.intended[release].declared.requires],
                "changes": differences(
                    session.installed[release].manifest if release in session.installed else (),
                    session.rendered[release],
                ),
            }
            for release in wave
        ]
        for wave in session.plan.waves
    ]
    facts = {"waves": waves, "findings": [finding.render() for finding in session.findings]}
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def describe_states(states: Mapping[ReleaseId, str]) -> str:
    """A line for each release: the state it is in after a run."""
    return "\n".join(f"{release.name:<24} {state}" for release, state in sorted(states.items()))


def states_as_json(states: Mapping[ReleaseId, str], reasons: Mapping[ReleaseId, str]) -> str:
    """`{releases: [{release, namespace, state, reason}]}`; those that did not fail have no reason."""
    rows = [
        {"release": release.name, "namespace": release.namespace, "state": state}
        | ({"reason": reasons[release]} if release in reasons else {})
        for release, state in sorted(states.items())
    ]
    return orjson.dumps({"releases": rows}, option=orjson.OPT_INDENT_2).decode()
