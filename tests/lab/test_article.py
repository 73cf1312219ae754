"""
The transcript of the article that Bookmesh began with: one Service, one ServiceAccount, three Deployments of reviews.

Its images answer their name on "/"; the article looks at them through `kubectl port-forward`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.lab import labs

NAMESPACE = "article"
HEAD = """
apiVersion: v1
kind: Service
metadata:
  name: review
  labels: {app: review, service: review}
spec:
  ports:
  - {port: 80, name: http}
  selector: {app: review}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: bookinfo-review
  labels: {account: review}
"""
DEPLOYMENT = """
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: review-v{number}
  labels: {{app: review, version: v{number}}}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: review, version: v{number}}}
  template:
    metadata:
      labels: {{app: review, version: v{number}}}
    spec:
      serviceAccountName: bookinfo-review
      containers:
      - name: review
        image: registry.cn-shanghai.aliyuncs.com/daydaygo/istio_bookinfo_review:0.{number}.0
        imagePullPolicy: IfNotPresent
        env:
        - {{name: LOG_DIR, value: /tmp/logs}}
        ports:
        - containerPort: 80
        volumeMounts:
        - {{name: tmp, mountPath: /tmp}}
        - {{name: wlp-output, mountPath: /opt/ibm/wlp/output}}
      volumes:
      - {{name: wlp-output, emptyDir: {{}}}}
      - {{name: tmp, emptyDir: {{}}}}
"""
REVIEW_YAML = HEAD + "".join(DEPLOYMENT.format(number=number) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def article(bookinfo: labs.Lab) -> Iterator[labs.Lab]:
    bookinfo.kubectl("create", "namespace", NAMESPACE)
    bookinfo.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=REVIEW_YAML)
    bookinfo.kubectl("rollout", "status", "-n", NAMESPACE, "deployment/review-v3", "--timeout=30s")
    yield bookinfo
    bookinfo.kubectl("delete", "namespace", NAMESPACE)


@pytest.mark.lab
def test_three_pods_are_running(article: labs.Lab) -> None:
    def rows() -> list[list[str]]:
        table = article.kubectl("get", "pods", "-n", NAMESPACE, "--no-headers").stdout
        return [line.split() for line in table.splitlines()]

    labs.wait_until(
        lambda: [row[1:3] for row in rows()] == [["1/1", "Running"]] * 3, what="three pods Running"
    )
    assert [row[0].rsplit("-", 2)[0] for row in rows()] == ["review-v1", "review-v2", "review-v3"]


@pytest.mark.lab
@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_port_forward_reaches_each_version(article: labs.Lab, version: str) -> None:
    pod = article.pod(f"app=review,version={version}", NAMESPACE)
    with article.forward(pod, 80, namespace=NAMESPACE) as port:
        answer = labs.request(f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.text) == (200, f"review-{version}")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.lab
def test_the_log_directory_is_used(article: labs.Lab) -> None:
    pod = article.pod("app=review,version=v1", NAMESPACE)
    listed = article.kubectl("exec", "-n", NAMESPACE, pod, "--", "ls", "/tmp/logs").stdout
    assert listed.strip()
