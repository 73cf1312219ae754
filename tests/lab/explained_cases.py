"""Workloads, rules and requests: one case for each thing that can become of a request, all in force at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "explained"
DOMAIN: Final = "explained.example.com"

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
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: curl, image: curlimages/curl, command: [/bin/sleep, infinity]}]
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
  - {name: http-web, port: 80, targetPort: 8080}
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
---
apiVersion: v1
kind: Service
metadata: {name: echo-split, namespace: explained}
spec: {selector: {app: echo}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: two-ports, namespace: explained}
spec:
  selector: {app: web}
  ports: [{name: http-one, port: 8000, targetPort: 8080}, {name: http-two, port: 8001, targetPort: 8080}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo-split, namespace: explained}
spec: {host: echo-split, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outside, namespace: explained}
spec:
  hosts: [one.outside.example.com, two.outside.example.com]
  location: MESH_EXTERNAL
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: ADDRESS, ports: {tls: 8080}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: explained, namespace: explained}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.explained.example.com"]}]
"""


@dataclass(frozen=True)
class Case:
    """
    `rules` are the `http` rules of a VirtualService for a host of the case's own, each YAML in one line; `objects` are
    whole ones besides. The client connects to `connect`, whatever host the URL names. `origin` is the proxy that is
    asked. More `requests` are needed where shares are counted.
    """

    name: str
    rules: tuple[str, ...] = ()
    url: str = ""
    path: str = "/get"
    method: str = "GET"
    headers: tuple[str, ...] = ()
    objects: str = ""
    connect: str = ""
    origin: str = "caller"
    expected: str = "forwarded"
    requests: int = 8

    @property
    def slug(self) -> str:
        return re.sub("[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def host(self) -> str:
        return f"{self.slug}.{DOMAIN}"

    @property
    def address(self) -> str:
        """The URL that is called."""
        return self.url or f"http://{self.host}{self.path}"

    @property
    def applied(self) -> str:
        """Everything this case adds to the configuration."""
        if not self.rules:
            return self.objects
        gateways = "[explained]" if self.origin == "gateway" else ""
        return virtual_service(self.slug, self.host, *self.rules, gateways=gateways) + self.objects


def virtual_service(name: str, host: str, *http: str, **more: str) -> str:
    """A VirtualService; every rule and every further field is YAML in one line."""
    routes = "".join(f"\n  - {each}" for each in http)
    rest = "".join(f"\n  {key}: {value}" for key, value in more.items() if value)
    hosts = f"\n  hosts: [{host}]" if host else ""
    metadata = f"{{name: {name}, namespace: {NAMESPACE}}}"
    head = f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {metadata}"
    return f"---\n{head}\nspec:{hosts}{rest}" + (f"\n  http:{routes}\n" if http else "\n")


def to(subset: str = "", *, port: int = 8000, host: str = "web", weight: int | None = None) -> str:
    """A destination."""
    chosen = f", subset: {subset}" if subset else ""
    number = f", port: {{number: {port}}}" if port else ""
    share = f", weight: {weight}" if weight is not None else ""
    return f"{{destination: {{host: {host}{chosen}{number}}}{share}}}"


def route(*targets: str, match: str = "", more: str = "", name: str = "") -> str:
    """An `http` rule; `more` are further fields of it."""
    parts = [f"name: {name}" if name else "", f"match: [{match}]" if match else "", more]
    parts.append(f"route: [{', '.join(targets)}]" if targets else "")
    return "{" + ", ".join(filter(None, parts)) + "}"


REST = route(to("v1"), name="rest")
JASON = (route(to("v2"), match="{headers: {end-user: {exact: jason}}}", name="jason"), REST)
GET = (route(to("v2"), match="{uri: {prefix: /get}}", name="get"),)
CORS = 'corsPolicy: {allowOrigins: [{exact: "https://a.com"}], allowMethods: [PUT]}'

CASES = [
    Case("a service without any rule", url="http://web:8001/get"),
    Case("its full name in other letters", url="http://WEB.explained.svc.cluster.local:8000/get"),
    Case("a name of another header", url="http://web:8000/get", headers=("Host: web.explained",)),
    Case("a host nobody knows", url="http://web:8000/get", headers=("Host: nobody.example.com",)),
    Case("a header that is exact", JASON, headers=("end-user: jason",)),
    Case("a header that is not", JASON, headers=("end-user: jasper",)),
    Case(
        "a header that may not be there",
        (route(to("v2"), match="{withoutHeaders: {x-a: {prefix: b}}}", name="without"), REST),
        headers=("x-a: bc",),
    ),
    Case(
        "a header by pattern",
        (route(to("v2"), match='{headers: {cookie: {regex: "^(.*;)?user=b.b(;.*)?$"}}}'), REST),
        headers=("Cookie: a=1;user=bob",),
    ),
    Case("weights", (route(to("v1", weight=70), to("v2", weight=30)),), requests=40),
    Case("a weight of nothing", (route(to("v1", weight=0), to("v2", weight=100)),)),
    Case(
        "a path without regard to letters",
        (route(to("v2"), match="{uri: {prefix: /GE}, ignoreUriCase: true}", name="any"), REST),
    ),
    Case("an exact path that is longer", (route(to("v2"), match="{uri: {exact: /ge}}", name="exact"), REST)),
    Case(
        "a path with dots",
        (route(to("v2"), match="{uri: {exact: /get}}", name="exact"), REST),
        path="/x/../get",
    ),
    Case(
        "a pattern must fit as a whole", (route(to("v2"), match='{uri: {regex: "/ge"}}', name="part"), REST)
    ),
    Case(
        "a query parameter",
        (route(to("v2"), match='{queryParams: {a: {exact: "1"}}}', name="one"), REST),
        path="/get?a=1&a=2",
    ),
    Case(
        "a method",
        (route(to("v2"), match="{method: {exact: POST}}", name="post"), REST),
        path="/post",
        method="POST",
    ),
    Case(
        "labels of the caller",
        (
            route(to("v1"), match="{sourceLabels: {app: other}}", name="other"),
            route(to("v2"), match="{sourceLabels: {app: caller}}", name="own"),
            REST,
        ),
    ),
    Case(
        "the port that is called",
        url="http://two-ports:8001/get",
        objects=virtual_service(
            "two-ports",
            "two-ports",
            route(to("v1"), match="{port: 8000}", name="first"),
            route(to("v2"), match="{port: 8001}", name="second"),
        ),
    ),
    Case(
        "a delegate",
        ("{match: [{uri: {prefix: /}}], delegate: {name: inner}}",),
        objects=virtual_service(
            "inner", "", route(to("v2"), match="{uri: {prefix: /get}}", name="inner"), REST
        ),
    ),
    Case(
        "a rewrite",
        (route(to("v2"), match="{uri: {prefix: /old}}", more="rewrite: {uri: /status}"),),
        path="/old/418",
    ),
    Case("a redirect", (route(more="redirect: {uri: /new, redirectCode: 308}"),), expected="answered"),
    Case("a direct response", (route(more="directResponse: {status: 503}"),), expected="answered"),
    Case(
        "a fault for all",
        (route(to("v1"), more="fault: {abort: {httpStatus: 555, percentage: {value: 100}}}"),),
        expected="answered",
    ),
    Case(
        "a fault for some",
        (route(to("v1"), more="fault: {abort: {httpStatus: 555, percentage: {value: 40}}}"),),
        requests=40,
    ),
    Case(
        "a preflight",
        (route(to("v1"), more=CORS),),
        method="OPTIONS",
        headers=("Origin: https://a.com", "Access-Control-Request-Method: PUT"),
        expected="answered",
    ),
    Case("a subset without pods", (route(to("none")),), expected="answered"),
    Case("a subset nobody defined", (route(to("undefined")),), expected="answered"),
    Case("a service without pods", url="http://empty:8000/", expected="answered"),
    Case("no route that fits", (route(to("v1"), match="{uri: {prefix: /elsewhere}}"),), expected="answered"),
    Case("a service whose pods are called one by one", url="http://headless:8080/get"),
    Case("a port without a declared protocol", url="http://web:8002/get"),
    Case("a port that goes past the proxy", url="http://web:8100/get", expected="direct"),
    Case("bytes", url="tcp://echo:9000"),
    Case(
        "bytes by weight",
        url="tcp://echo-split:9000",
        objects=virtual_service(
            "echo-split",
            "echo-split",
            tcp=f"[{{route: [{to('v1', host='echo-split', port=0, weight=80)}, "
            f"{to('v2', host='echo-split', port=0, weight=20)}]}}]",
        ),
        requests=24,
    ),
    Case("TLS without a rule", url="https://web:443/"),
    Case(
        "TLS by name",
        url="https://one.outside.example.com/",
        connect="headless",
        objects=virtual_service(
            "tls-by-name",
            "one.outside.example.com",
            tls="[{match: [{port: 443, sniHosts: [one.outside.example.com]}], "
            f"route: [{to('v2', port=8001)}]}}]",
        ),
    ),
    Case("TLS to an entry", url="https://two.outside.example.com/", connect="headless"),
    Case("TLS to a name nobody knows", url="https://three.outside.example.com/", connect="headless"),
    Case("a gateway", GET, origin="gateway"),
    Case("a path that a gateway does not know", GET, path="/other", origin="gateway", expected="answered"),
    Case(
        "two rules for one host of a gateway",
        (route(to("v1"), name="all"),),
        origin="gateway",
        objects=virtual_service(
            "joined", f"two-rules-for-one-host-of-a-gateway.{DOMAIN}", *GET, gateways="[explained]"
        ),
    ),
    Case(
        "a host that a gateway does not know",
        url=f"http://nobody.{DOMAIN}/get",
        origin="gateway",
        expected="answered",
    ),
]
MARKER = f"marker.{DOMAIN}"
CONFIGURATION = "".join(case.applied for case in CASES) + virtual_service(
    "zz-marker", MARKER, route(to("v1")), gateways="[mesh, explained]"
)
