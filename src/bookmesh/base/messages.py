"""
The table of message codes. A code is never reused; a test checks that each one is raised by some test and documented.

01xx this machine and the lab · 02xx mesh configuration · 03xx images and pods · 04xx the Kubernetes API and tasks
05xx questions to proxies, and what Istio's analyzers say besides
"""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "BM0101": "the host does not allow what the lab needs (namespaces, mounts, nf_tables)",
    "BM0102": "a port or address the lab needs is in use",
    "BM0103": "there is no running lab of that name",
    "BM0104": "the lab did not start, or ended before it was ready",
    "BM0105": "kubectl is not installed",
    "BM0106": "the lab is running already with other settings",
    "BM0107": "that is not a possible name for a lab",
    "BM0108": "a file that should be a kubeconfig is none",
    "BM0109": "kubectl failed while the lab applied files",
    "BM0110": "Bookinfo did not become ready",
    "BM0111": "the ingress gateway did not become ready",
    "BM0201": "a mesh object could not be parsed",
    "BM0202": "a route names a destination host that no service has",
    "BM0203": "a route names a subset that no DestinationRule defines",
    "BM0204": "a route names a gateway that does not exist",
    "BM0205": "a field is valid Istio but this mesh does not act on it yet",
    "BM0206": "an Envoy refused configuration (NACK)",
    "BM0207": "two VirtualServices claim the same host and gateway",
    "BM0208": "a gateway selects no running proxy",
    "BM0209": "a secret with certificates is missing, or cannot be used",
    "BM0210": "the mesh configuration (ConfigMap istio) cannot be used in part or at all",
    "BM0211": "a VirtualService delegates to one that does not exist",
    "BM0230": "a Gateway of the Gateway API, or one of its listeners, is not accepted",
    "BM0231": "a route of the Gateway API is not accepted by a parent",
    "BM0232": "an object of the Gateway API refers to what does not exist or may not be used",
    "BM0233": "a BackendTLSPolicy is not in force",
    "BM0240": "a PeerAuthentication has no effect",
    "BM0241": "a DestinationRule and a PeerAuthentication exclude each other",
    "BM0242": "an EnvoyFilter uses a type that Envoy does not have",
    "BM0243": "a change of an EnvoyFilter cannot be made, or not all of it",
    "BM0301": "an image is not known to the lab",
    "BM0302": "a part of the pod specification cannot be honoured here",
    "BM0303": "an image stands for a program that this host does not have",
    "BM0310": "an object is kept, but does not act in the lab",
    "BM0340": "a file of hosts for the simulated Internet cannot be used",
    "BM0341": "a pod asked for a name that the simulated Internet does not have",
    "BM0342": "the simulated Internet does not run",
    "BM0401": "a file is no task, or there is none where they are looked for",
    "BM0402": "no task of the catalogue has that name",
    "BM0403": "an expectation was true before its step, so it shows nothing",
    "BM0404": "an expectation did not hold within its time",
    "BM0405": "an expectation that must hold before its step as well did not",
    "BM0406": "the action of a step failed",
    "BM0407": "a task makes an object outside of its namespace without declaring it",
    "BM0408": "an object that a task would make is there already",
    "BM0409": "a task left something behind",
    "BM0410": "the cluster did not answer, or did not do what every task needs",
    "BM0420": "an Ingress belongs to no class that exists, so nobody serves it",
    "BM0501": "no running pod is called so, or belongs to a workload called so",
    "BM0502": "a pod has no proxy, so there is nothing to explain",
    "BM0503": "it must be said from where a request is made",
}
