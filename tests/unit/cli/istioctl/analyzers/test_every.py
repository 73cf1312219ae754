"""Each message of Istio's: once where it belongs, and not where all is well."""

from __future__ import annotations

import pytest
import yaml

from bookmesh.cli.istioctl.analyzers import every
from bookmesh.cli.istioctl.analyzers.objects import Objects

WELL = """
kind: Namespace
apiVersion: v1
metadata: {name: default, labels: {istio-injection: enabled}}
---
kind: Pod
apiVersion: v1
metadata: {name: a-v1, labels: {app: a, version: v1}, annotations: {sidecar.istio.io/status: "{}"}}
spec: {containers: [{name: a}]}
status: {phase: Running, podIP: 10.0.0.1}
---
kind: Pod
apiVersion: v1
metadata: {name: gw, labels: {istio: gw}, annotations: {sidecar.istio.io/status: "{}"}}
status: {phase: Running, podIP: 10.0.0.2}
---
kind: Service
apiVersion: v1
metadata: {name: a}
spec: {selector: {app: a}, ports: [{name: http-a, port: 80}]}
---
kind: Service
apiVersion: v1
metadata: {name: two}
spec: {selector: {app: a}, ports: [{name: http, port: 80}, {name: grpc-web-x, port: 81}]}
---
kind: Service
apiVersion: v1
metadata: {name: gw, labels: {istio: gw}}
spec: {selector: {istio: gw}, ports: [{name: status-port, port: 15021}, {name: http2, port: 80, targetPort: 8080}]}
---
kind: Gateway
apiVersion: networking.istio.io/v1
metadata: {name: gw}
spec: {selector: {istio: gw}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [a.com]}]}
---
kind: VirtualService
apiVersion: networking.istio.io/v1
metadata: {name: a}
spec:
  hosts: [a.com]
  gateways: [gw]
  http:
  - {match: [{uri: {prefix: /a}}], route: [{destination: {host: a, subset: v1}}]}
  - {route: [{destination: {host: two, port: {number: 80}}}]}
---
kind: DestinationRule
apiVersion: networking.istio.io/v1
metadata: {name: a}
spec: {host: a, subsets: [{name: v1, labels: {version: v1}}]}
"""


def thing(kind: str, name: str, spec: str, *, group: str = "networking.istio.io/v1") -> str:
    return f"---\nkind: {kind}\napiVersion: {group}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def rule(*http: str, hosts: str = "[a.com]", gateways: str = "[gw]") -> str:
    return thing(
        "VirtualService", "x", f"{{hosts: {hosts}, gateways: {gateways}, http: [{', '.join(http)}]}}"
    )


def said(text: str, *names: str) -> list[tuple[str, str, str]]:
    objects = Objects(each for each in yaml.safe_load_all(text) if each)
    return [(each.code, each.origin, each.path) for each in every.analyze(objects, names)]


def test_nothing_is_said_where_all_is_well() -> None:
    assert said(WELL) == []


TO_A = "route: [{destination: {host: a}}]"


@pytest.mark.parametrize(
    ("added", "code", "origin", "path"),
    [
        ("---\nkind: Namespace\nmetadata: {name: free}\n", "IST0102", "Namespace free", ""),
        ("---\nkind: Pod\nmetadata: {name: bare}\nspec: {}\n", "IST0103", "Pod default/bare", ""),
        (
            rule(f"{{{TO_A.replace('a}', 'two}')}}}"),
            "IST0112",
            "VirtualService default/x",
            "spec.http[0].route[0].destination.host",
        ),
        (
            thing("Service", "odd", "{ports: [{name: web, port: 80}]}", group="v1"),
            "IST0118",
            "Service default/odd",
            "spec.ports[0].name",
        ),
        (
            "---\nkind: Namespace\nmetadata: {name: torn, labels: {istio-injection: disabled, istio.io/rev: a}}\n",
            "IST0123",
            "Namespace torn",
            "",
        ),
        (
            thing(
                "Sidecar", "nobody", "{workloadSelector: {labels: {app: gone}}, egress: [{hosts: ['*/*']}]}"
            ),
            "IST0127",
            "Sidecar default/nobody",
            "spec.workloadSelector.labels",
        ),
        (
            thing("DestinationRule", "x", "{host: two, trafficPolicy: {tls: {mode: SIMPLE}}}"),
            "IST0128",
            "DestinationRule default/x",
            "spec.trafficPolicy.tls.mode",
        ),
        (
            thing(
                "DestinationRule",
                "x",
                "{host: two, trafficPolicy: {portLevelSettings: [{port: {number: 80}, tls: {mode: MUTUAL, "
                "clientCertificate: a, privateKey: b}}]}}",
            ),
            "IST0129",
            "DestinationRule default/x",
            "spec.trafficPolicy.portLevelSettings[0].tls.mode",
        ),
        (
            rule(f"{{{TO_A}}}", f"{{match: [{{uri: {{prefix: /b}}}}], {TO_A}}}"),
            "IST0130",
            "VirtualService default/x",
            "spec.http[1]",
        ),
        (
            rule(
                f"{{match: [{{uri: {{prefix: /b}}}}], {TO_A}}}",
                f"{{match: [{{uri: {{exact: /b/c}}}}], {TO_A}}}",
            ),
            "IST0130",
            "VirtualService default/x",
            "spec.http[1]",
        ),
        (
            rule(
                f"{{match: [{{uri: {{prefix: /b}}}}], {TO_A}}}",
                f"{{match: [{{uri: {{prefix: /c}}}}, {{uri: {{prefix: /b}}}}], {TO_A}}}",
            ),
            "IST0131",
            "VirtualService default/x",
            "spec.http[1].match[1]",
        ),
        (
            rule(f"{{{TO_A}}}", hosts="[a.com, b.com]"),
            "IST0132",
            "VirtualService default/x",
            "spec.gateways[0]",
        ),
        (
            thing(
                "ServiceEntry",
                "e",
                "{hosts: [e.com], ports: [{number: 9, name: t, protocol: TCP}], resolution: DNS}",
            ),
            "IST0134",
            "ServiceEntry default/e",
            "spec.ports[0].protocol",
        ),
        (
            thing(
                "Deployment",
                "root",
                "{template: {spec: {securityContext: {runAsUser: 1337}}}}",
                group="apps/v1",
            ),
            "IST0144",
            "Deployment default/root",
            "",
        ),
        (
            thing(
                "Gateway",
                "gw9",
                "{selector: {istio: gw}, servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: ['*.com']}]}",
            ),
            "IST0145",
            "Gateway default/gw9",
            "spec.servers[0]",
        ),
        (
            thing(
                "Service",
                "out",
                "{type: ExternalName, externalName: b.com, ports: [{name: tcp, port: 80}]}",
                group="v1",
            ),
            "IST0150",
            "Service default/out",
            "spec.ports[0].name",
        ),
        (
            thing(
                "Gateway",
                "gw9",
                "{selector: {istio: gw}, servers: [{port: {number: 99, name: h, protocol: HTTP}, hosts: [b.com]}]}",
            ),
            "IST0162",
            "Gateway default/gw9",
            "spec.servers[0].port.number",
        ),
        (
            thing("DestinationRule", "x", "{host: two, subsets: [{name: v7, labels: {version: v7}}]}"),
            "IST0173",
            "DestinationRule default/x",
            "spec.subsets[0]",
        ),
        (thing("DestinationRule", "x", "{host: gone}"), "IST0174", "DestinationRule default/x", "spec.host"),
    ],
)
def test_each_message_is_said_where_it_belongs(added: str, code: str, origin: str, path: str) -> None:
    assert (code, origin, path) in said(WELL + added)


@pytest.mark.parametrize(
    ("added", "code", "count"),
    [
        (
            thing("Sidecar", "s1", "{workloadSelector: {labels: {app: a}}}")
            + thing("Sidecar", "s2", "{workloadSelector: {labels: {version: v1}}}"),
            "IST0110",
            2,
        ),
        (thing("Sidecar", "s1", "{}") + thing("Sidecar", "s2", "{}"), "IST0111", 2),
        (
            "".join(
                thing(
                    "Gateway",
                    name,
                    f"{{selector: {{istio: gw}}, servers: [{{port: {{number: 80, name: h, protocol: HTTPS}}, "
                    f"hosts: [{name}.com], tls: {{mode: SIMPLE, credentialName: same}}}}]}}",
                )
                for name in ("g1", "g2")
            ),
            "IST0138",
            2,
        ),
        (
            thing(
                "ServiceEntry",
                "e1",
                "{hosts: [e.com], ports: [{number: 9, name: t, protocol: HTTP}], resolution: DNS}",
            )
            + thing(
                "ServiceEntry",
                "e2",
                "{hosts: [e.com], ports: [{number: 9, name: t, protocol: TLS}], resolution: DNS}",
            ),
            "IST0177",
            2,
        ),
    ],
)
def test_two_that_stand_in_each_others_way_are_both_named(added: str, code: str, count: int) -> None:
    assert len([each for each in said(WELL + added) if each[0] == code]) == count


def test_one_analyzer_alone_and_the_worst_first() -> None:
    added = thing("DestinationRule", "x", "{host: gone}") + "---\nkind: Namespace\nmetadata: {name: free}\n"
    assert {each[0] for each in said(WELL + added, "injection.Analyzer")} == {"IST0102"}
    added += thing("DestinationRule", "y", "{host: two, subsets: [{name: v7, labels: {version: v7}}]}")
    assert [each[0] for each in said(WELL + added)] == ["IST0173", "IST0174", "IST0102"]
