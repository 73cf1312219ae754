"""`istioctl install` and `uninstall`: what can be chosen about a lab's mesh, applied with kubectl."""

from __future__ import annotations

import importlib.resources
import json
import sys
from typing import Any, Final, NamedTuple

import click
import yaml

from bookmesh.cli.istioctl import flags, gateway_settings, profiles
from bookmesh.cli.istioctl.kubernetes import Kubectl
from bookmesh.lab import releases


class Component(NamedTuple):
    """`name` is that of its Deployment; `title` what people are told."""

    name: str
    manifest: str
    title: str


INGRESS: Final = Component("istio-ingressgateway", "ingress-gateway.yaml", "Ingress gateways")
EGRESS: Final = Component("istio-egressgateway", "egress-gateway.yaml", "Egress gateways")
CONTROL_PLANE: Final = Component("istiod", "istiod.yaml", "Istiod")
_SETTINGS: Final = ("istio", "istio-sidecar-injector")
_WEBHOOKS: Final = (
    "mutatingwebhookconfigurations/istio-sidecar-injector",
    "mutatingwebhookconfigurations/istio-revision-tag-default",
    "validatingwebhookconfigurations/istio-validator-istio-system",
    "validatingwebhookconfigurations/istiod-default-validator",
)
_OWNED_BY_ISTIOCTL: Final = "install.operator.istio.io/owning-resource"
_PATIENCE: Final = "--timeout=120s"


@click.command(cls=flags.Command)
@click.option(
    "-s", "--set", "sets", multiple=True, metavar="PATH=VALUE", help="profile, meshConfig.…, values.…"
)
@click.option("-f", "--filename", "files", multiple=True, help="IstioOperator YAML; - for standard input.")
@click.option("-y", "--skip-confirmation", "is_sure", is_flag=True, help="Do not ask.")
@click.option("-r", "--revision", default="default", help="Only default.")
@click.option("--force", is_flag=True, help="Accepted for compatibility: nothing is validated twice.")
@click.option("--verify", is_flag=True, help="Accepted for compatibility: installing waits and verifies.")
@click.option("--readiness-timeout", default="", help="Accepted for compatibility: two minutes.")
@flags.common
@click.pass_obj
def install(
    session: flags.Session,
    *,
    sets: tuple[str, ...],
    files: tuple[str, ...],
    is_sure: bool,
    revision: str,
    force: bool,
    verify: bool,
    readiness_timeout: str,
) -> None:
    """Set up the mesh of the lab: gateways of a profile, mesh settings and values. Run it again to change them."""
    del force, verify, readiness_timeout
    _check_revision(revision)
    try:
        wanted = profiles.build([_read(name) for name in files], sets)
    except (profiles.ProfileError, OSError) as error:
        raise click.ClickException(str(error)) from error
    for note in wanted.notes:
        click.echo(note, err=True)
    what = f"the Istio {releases.ISTIO_TAG} profile {json.dumps(wanted.profile)}"
    _ask(f"This will install {what} into the cluster. Proceed? (y/N)", is_sure=is_sure)
    kubectl, namespace = session.kubectl, session.system_namespace
    kubectl.run("apply", "-f", "-", stdin=yaml.safe_dump_all(build_settings(wanted, namespace)))
    _make_way(kubectl, namespace)
    click.echo("\u2714 Istio core installed")
    for component, settings in (
        (CONTROL_PLANE, profiles.Gateway(wanted.profile != "empty")),
        (EGRESS, wanted.egress),
        (INGRESS, wanted.ingress),
    ):
        if settings.is_enabled:
            kubectl.run("apply", "-f", "-", stdin=build_manifest(component, settings, namespace))
            if component is not CONTROL_PLANE and "hpaSpec" not in settings.k8s:
                # One of an earlier installation would go on scaling.
                kubectl.run("delete", "hpa", component.name, "-n", namespace, "--ignore-not-found")
            kubectl.run("rollout", "status", f"deployment/{component.name}", "-n", namespace, _PATIENCE)
            click.echo(f"\u2714 {component.title} installed")
        else:
            _remove(kubectl, component, namespace)
    click.echo("\u2714 Installation complete")


@click.command(cls=flags.Command)
@click.option("--purge", is_flag=True, help="All revisions, of which there is one.")
@click.option("-r", "--revision", default="", help="Only default.")
@click.option("-f", "--filename", "files", multiple=True, help="What was installed; all of it goes.")
@click.option("-y", "--skip-confirmation", "is_sure", is_flag=True, help="Do not ask.")
@click.option("--force", is_flag=True, help="Accepted for compatibility.")
@flags.common
@click.pass_obj
def uninstall(
    session: flags.Session, *, purge: bool, revision: str, files: tuple[str, ...], is_sure: bool, force: bool
) -> None:
    """Remove gateways and settings. The control plane and Istio's kinds belong to the lab and stay."""
    del force
    if not (purge or revision or files):
        raise click.ClickException("at least one of the --revision, --filename, or --purge flags must be set")
    _check_revision(revision or "default")
    _ask("All Istio resources will be pruned from the cluster. Proceed? (y/N)", is_sure=is_sure)
    kubectl, namespace = session.kubectl, session.system_namespace
    _make_way(kubectl, namespace)
    for component in (INGRESS, EGRESS, CONTROL_PLANE):
        _remove(kubectl, component, namespace)
    kubectl.run("delete", "configmap", *_SETTINGS, "-n", namespace, "--ignore-not-found")
    click.echo("\u2714 Uninstall complete")


def build_settings(wanted: profiles.Installation, namespace: str) -> list[dict[str, Any]]:
    """Build the namespace and the ConfigMaps that control plane and injection read."""
    owned = {"release": "istio", "istio.io/rev": "default"}
    data = (
        {"mesh": wanted.mesh, "meshNetworks": "networks: {}"},
        {"values": json.dumps(wanted.values, indent=2)},
    )
    maps: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "labels": owned},
            "data": content,
        }
        for name, content in zip(_SETTINGS, data, strict=True)
    ]
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, *maps]


def read_manifest(name: str, namespace: str) -> str:
    """A component's objects, but for the namespace, which stays when the component goes."""
    text = (importlib.resources.files("bookmesh.lab") / "manifests" / name).read_text()
    documents = [
        document for document in yaml.safe_load_all(text) if document and document["kind"] != "Namespace"
    ]
    for document in documents:
        document["metadata"]["namespace"] = namespace
    return str(yaml.safe_dump_all(documents))


def build_manifest(component: Component, settings: profiles.Gateway, namespace: str) -> str:
    """A component's objects with what was asked for."""
    documents = yaml.safe_load_all(read_manifest(component.manifest, namespace))
    return str(yaml.safe_dump_all(gateway_settings.apply(documents, settings.k8s, settings.labels)))


def _remove(kubectl: Kubectl, component: Component, namespace: str) -> None:
    everything = build_manifest(component, profiles.Gateway(is_enabled=True, k8s={"hpaSpec": {}}), namespace)
    kubectl.run("delete", "--ignore-not-found", "-f", "-", stdin=everything)


def _make_way(kubectl: Kubectl, namespace: str) -> None:
    """Delete what Istio's own installation leaves: webhooks of an istiod that answers none, and its Deployments."""
    kubectl.run("delete", *_WEBHOOKS, "--ignore-not-found")
    kubectl.run("delete", "deployments", "-n", namespace, "-l", _OWNED_BY_ISTIOCTL)


def _check_revision(revision: str) -> None:
    if revision != "default":
        raise click.ClickException(
            f'revision "{revision}" is not supported: a lab has one control plane, "default"'
        )


def _read(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    with open(name) as file:
        return file.read()


def _ask(question: str, *, is_sure: bool) -> None:
    """
    Ask, unless somebody is sure already.

    Raises:
        SystemExit: 1, the answer is no.
    """
    if is_sure:
        return
    click.echo(question, nl=False)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        click.echo("Cancelled.")
        sys.exit(1)
