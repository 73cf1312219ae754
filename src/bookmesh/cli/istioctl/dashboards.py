"""`istioctl dashboard`: a port of this machine that leads to a web page in the cluster, until it is interrupted."""

from __future__ import annotations

import sys
from typing import Final, NamedTuple

import click

from bookmesh.cli.istioctl import flags, targets


class Page(NamedTuple):
    """Which pods serve it (labels), and on which port; `path` is where a person starts."""

    labels: str
    port: int
    path: str = ""


PAGES: Final = {
    "grafana": Page("app.kubernetes.io/name=grafana", 3000),
    "jaeger": Page("app=jaeger", 16686),
    "kiali": Page("app=kiali", 20001, "/kiali"),
    "prometheus": Page("app.kubernetes.io/name=prometheus", 9090),
    "skywalking": Page("app=skywalking-ui", 8080),
    "zipkin": Page("app=zipkin", 9411),
}
ENVOY_PORT: Final = 15000


@click.command(cls=flags.Command)
@click.argument("what", type=click.Choice([*PAGES, "envoy", "proxy"]))
@click.argument("target", required=False)
@click.option(
    "-p", "--port", type=click.IntRange(0, 65535), default=0, help="Local port (default: the page's own)."
)
@click.option("--address", default="localhost", show_default=True, help="Local address.")
@flags.switch("--browser", default=False, help="Open a browser.")
@flags.common
@click.pass_obj
def dashboard(
    session: flags.Session, *, what: str, target: str | None, port: int, address: str, browser: bool
) -> None:
    """Print the address of a page (for envoy: of POD's admin page) and keep the way to it open."""
    if what in ("envoy", "proxy"):
        if target is None:
            raise flags.Misuse(f"dashboard {what} needs POD[.NAMESPACE] or deploy/NAME")
        pod, remote, path = targets.resolve(session.kubectl, target, session.namespace), ENVOY_PORT, ""
    else:
        pod, remote, path = _serving_pod(session, what), PAGES[what].port, PAGES[what].path
    local = port or remote
    url = f"http://{address}:{local}{path}"
    click.echo(url)
    if browser:
        click.launch(url)
    forward = ("--address", address, f"pod/{pod.name}", f"{local}:{remote}")
    sys.exit(session.kubectl.stay("port-forward", "-n", pod.namespace, *forward))


def _serving_pod(session: flags.Session, what: str) -> targets.Pod:
    namespace = session.given_namespace or session.system_namespace
    query = ("-n", namespace, "-l", PAGES[what].labels, "-o", "json")
    pods = session.kubectl.json("get", "pods", *query)["items"]
    running = [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == "Running"]
    if not running:
        raise click.ClickException(
            f"no {what} pods found: none runs in {namespace} with {PAGES[what].labels}"
        )
    return targets.Pod(running[0], namespace)
