"""Workloads, and requests to explain and to send: one case for each thing that can become of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "explained"

WORKLOADS = """
apiVersion: v1
kind: Namespace
metadata: {name: explained, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata:
  name: caller
  namespace: explained
  labels: {app: caller}
  annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: "8100"}
spec: {containers: [{name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-v1, namespace: explained, labels: {app: web, version: v1}}
spec: {containers: [{name: web, image: mccutchen/go-httpbin, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-v2, namespace: explained, labels: {app: web, version: v2}}
spec: {containers: [{name: web, image: mccutchen/go-httpbin, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo-v1, namespace: explained, labels: {app: echo, version: v1}}
spec: {containers: [{name: echo, image: istio/tcp-echo-server, args: ["9000", one], ports: [{containerPort: 9000}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: echo-v2, namespace: explained, labels: {app: echo, version: v2}}
spec: {containers: [{name: echo, image: istio/tcp-echo-server, args: ["9000", two], ports: [{containerPort: 9000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: explained}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 8000, targetPort: 8080}
  - {name: http-other, port: 8001, targetPort: 8080}
  - {name: http-excluded, port: 8100, targetPort: 8080}
  - {name: tls, port: 443, targetPort: 8080}
  - {name: unnamed, port: 8002, targetPort: 8080}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: explained}
spec: {clusterIP: None, selector: {app: web, version: v1}, ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: explained}
spec: {selector: {app: nobody}, ports: [{name: http, port: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: explained}
spec: {selector: {app: echo}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: explained}
spec:
  host: web
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: none, labels: {version: v9}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo, namespace: explained}
spec: {host: echo, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
"""


def rule(name: str, host: str, *http: str, **more: str) -> str:
    """A VirtualService; every part is YAML in one line."""
    routes = "".join(f"\n  - {each}" for each in http)
    rest = "".join(f"\n  {key}: {value}" for key, value in more.items())
    metadata = f"{{name: {name}, namespace: {NAMESPACE}}}"
    head = f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {metadata}"
    return f"---\n{head}\nspec:\n  hosts: [{host}]{rest}" + (f"\n  http:{routes}\n" if http else "\n")


def to(subset: str = "", *, port: int = 0, host: str = "web", weight: int | None = None) -> str:
    chosen = f", subset: {subset}" if subset else ""
    number = f", port: {{number: {port}}}" if port else ""
    share = f", weight: {weight}" if weight is not None else ""
    return f"{{destination: {{host: {host}{chosen}{number}}}{share}}}"


def route(*targets: str, match: str = "", more: str = "", name: str = "") -> str:
    parts = [f"name: {name}" if name else "", f"match: [{match}]" if match else "", more]
    parts.append(f"route: [{', '.join(targets)}]" if targets else "")
    return "{" + ", ".join(filter(None, parts)) + "}"


PLAIN = route(to("v1"), name="rest")
GATEWAY = f"""---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: explained, namespace: {NAMESPACE}}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*.explained.example.com"]}}]
"""
OUTSIDE = """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: explained}
spec:
  hosts: [one.outside.example.com, two.outside.example.com]
  location: MESH_EXTERNAL
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: ADDRESS, ports: {tls: 8080}}]
"""


@dataclass(frozen=True)
class Case:
    """
    `objects` are applied first. Requests go out with `headers` and `method`; `resolve` makes the client find the host
    at another one. `origin` is the proxy that is asked. More `requests` are needed where shares are counted.
    """

    name: str
    objects: str = ""
    url: str = "http://web:8000/get"
    method: str = "GET"
    headers: tuple[str, ...] = ()
    resolve: str = ""
    origin: str = "caller"
    expected: str = "forwarded"
    requests: int = 8


CASES = [
    Case("a service without any rule", url="http://web:8001/get"),
    Case("its full name, in other letters", url="http://WEB.explained.svc.cluster.local:8000/get"),
    Case("a name of another header", headers=("Host: web.explained",)),
    Case("a host nobody knows, at a known address", headers=("Host: nobody.example.com",)),
    Case(
        "a header that is exact",
        rule(
            "case", "web", route(to("v2"), match="{headers: {end-user: {exact: jason}}}", name="jason"), PLAIN
        ),
        headers=("end-user: jason",),
    ),
    Case(
        "a header that is not",
        rule(
            "case", "web", route(to("v2"), match="{headers: {end-user: {exact: jason}}}", name="jason"), PLAIN
        ),
        headers=("end-user: jasper",),
    ),
    Case(
        "a header that may not be there",
        rule(
            "case",
            "web",
            route(to("v2"), match="{withoutHeaders: {x-a: {prefix: b}}}", name="without"),
            PLAIN,
        ),
        headers=("x-a: bc",),
    ),
    Case(
        "a header by pattern",
        rule(
            "case",
            "web",
            route(to("v2"), match='{headers: {cookie: {regex: "^(.*;)?user=b.b(;.*)?$"}}}'),
            PLAIN,
        ),
        headers=("Cookie: a=1;user=bob",),
    ),
    Case("weights", rule("case", "web", route(to("v1", weight=70), to("v2", weight=30))), requests=40),
    Case("a weight of nothing", rule("case", "web", route(to("v1", weight=0), to("v2", weight=100)))),
    Case(
        "a path without regard to letters",
        rule(
            "case",
            "web",
            route(to("v2"), match="{uri: {prefix: /GE}, ignoreUriCase: true}", name="any"),
            PLAIN,
        ),
    ),
    Case(
        "an exact path that is longer",
        rule("case", "web", route(to("v2"), match="{uri: {exact: /ge}}", name="exact"), PLAIN),
    ),
    Case(
        "a path with dots",
        rule("case", "web", route(to("v2"), match="{uri: {exact: /get}}", name="exact"), PLAIN),
        url="http://web:8000/x/../get",
    ),
    Case(
        "a path by pattern must fit as a whole",
        rule("case", "web", route(to("v2"), match='{uri: {regex: "/ge"}}', name="part"), PLAIN),
    ),
    Case(
        "a query parameter",
        rule("case", "web", route(to("v2"), match='{queryParams: {a: {exact: "1"}}}', name="one"), PLAIN),
        url="http://web:8000/get?a=1&a=2",
    ),
    Case(
        "a method",
        rule("case", "web", route(to("v2"), match="{method: {exact: POST}}", name="post"), PLAIN),
        method="POST",
        url="http://web:8000/post",
    ),
    Case(
        "labels of the caller",
        rule(
            "case",
            "web",
            route(to("v1"), match="{sourceLabels: {app: other}}", name="other"),
            route(to("v2"), match="{sourceLabels: {app: caller}}", name="own"),
            PLAIN,
        ),
    ),
    Case(
        "the port that is called",
        rule(
            "case",
            "web",
            route(to("v1", port=8000), match="{port: 8000}", name="first"),
            route(to("v2", port=8001), match="{port: 8001}", name="second"),
        ),
        url="http://web:8001/get",
    ),
    Case(
        "a delegate",
        rule("case", "web", "{match: [{uri: {prefix: /}}], delegate: {name: inner}}")
        + rule("inner", "", route(to("v2"), match="{uri: {prefix: /get}}", name="inner"), PLAIN).replace(
            "hosts: []", "exportTo: ['*']"
        ),
    ),
    Case(
        "a rewrite",
        rule("case", "web", route(to("v2"), match="{uri: {prefix: /old}}", more="rewrite: {uri: /status}")),
        url="http://web:8000/old/418",
    ),
    Case(
        "a redirect",
        rule("case", "web", route(more="redirect: {uri: /new, redirectCode: 308}")),
        expected="answered",
    ),
    Case(
        "a direct response",
        rule("case", "web", route(more="directResponse: {status: 503}")),
        expected="answered",
    ),
    Case(
        "a fault for all",
        rule(
            "case", "web", route(to("v1"), more="fault: {abort: {httpStatus: 555, percentage: {value: 100}}}")
        ),
        expected="answered",
    ),
    Case(
        "a fault for some",
        rule(
            "case", "web", route(to("v1"), more="fault: {abort: {httpStatus: 555, percentage: {value: 40}}}")
        ),
        requests=40,
    ),
    Case(
        "a preflight",
        rule(
            "case",
            "web",
            route(
                to("v1"), more='corsPolicy: {allowOrigins: [{exact: "https://a.com"}], allowMethods: [PUT]}'
            ),
        ),
        method="OPTIONS",
        headers=("Origin: https://a.com", "Access-Control-Request-Method: PUT"),
        expected="answered",
    ),
    Case("a subset without pods", rule("case", "web", route(to("none"))), expected="answered"),
    Case("a subset nobody defined", rule("case", "web", route(to("undefined"))), expected="answered"),
    Case("a service without pods", url="http://empty:8000/", expected="answered"),
    Case(
        "no route that fits",
        rule("case", "web", route(to("v1"), match="{uri: {prefix: /elsewhere}}")),
        expected="answered",
    ),
    Case("a service whose pods are called one by one", url="http://headless:8080/get"),
    Case("a port without a declared protocol", url="http://web:8002/get"),
    Case("a port that goes past the proxy", url="http://web:8100/get", expected="direct"),
    Case("bytes", url="tcp://echo:9000"),
    Case(
        "bytes by weight",
        rule(
            "case",
            "echo",
            tcp=f"[{{route: [{to('v1', host='echo', weight=80)}, {to('v2', host='echo', weight=20)}]}}]",
        ),
        url="tcp://echo:9000",
        requests=40,
    ),
    Case("TLS without a rule", url="https://web:443/"),
    Case(
        "TLS by name",
        OUTSIDE
        + rule(
            "case",
            "one.outside.example.com",
            tls="[{match: [{port: 443, sniHosts: [one.outside.example.com]}], "
            f"route: [{to('v2', host='web', port=8001)}]}}]",
        ),
        url="https://one.outside.example.com/",
        resolve="headless",
    ),
    Case("TLS to an entry", OUTSIDE, url="https://two.outside.example.com/", resolve="headless"),
    Case(
        "TLS to a name nobody knows",
        OUTSIDE,
        url="https://three.outside.example.com/",
        resolve="headless",
    ),
    Case(
        "a gateway",
        GATEWAY
        + rule(
            "case",
            "a.explained.example.com",
            route(to("v2", port=8000), match="{uri: {prefix: /get}}", name="get"),
            gateways="[explained]",
        ),
        url="http://a.explained.example.com/get",
        origin="gateway",
    ),
    Case(
        "a path that a gateway does not know",
        GATEWAY
        + rule(
            "case",
            "a.explained.example.com",
            route(to("v2", port=8000), match="{uri: {prefix: /get}}", name="get"),
            gateways="[explained]",
        ),
        url="http://a.explained.example.com/other",
        origin="gateway",
        expected="answered",
    ),
    Case(
        "two rules for one host of a gateway",
        GATEWAY
        + rule(
            "case",
            "a.explained.example.com",
            route(to("v1", port=8000), name="all"),
            gateways="[explained]",
        )
        + rule(
            "more",
            "a.explained.example.com",
            route(to("v2", port=8000), match="{uri: {prefix: /get}}", name="get"),
            gateways="[explained]",
        ),
        url="http://a.explained.example.com/get",
        origin="gateway",
    ),
    Case(
        "a host that a gateway does not know",
        GATEWAY + rule("case", "a.explained.example.com", route(to("v1", port=8000)), gateways="[explained]"),
        url="http://b.explained.example.com/get",
        origin="gateway",
        expected="answered",
    ),
]
