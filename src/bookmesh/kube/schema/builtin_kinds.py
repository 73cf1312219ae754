"""
The table of built-in kinds; `kinds` parses it.

Columns: apiVersion, kind, plural, scope (n namespaced, c cluster), short names, categories, subresources, verbs. A dash
is nothing (for verbs: all of them); several names are joined by commas. Versions of one group are in order of
preference; the first line of a resource is the version it is stored in.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = """
v1 ConfigMap configmaps n cm - - -
v1 Endpoints endpoints n ep - - -
v1 Event events n ev - - -
v1 LimitRange limitranges n limits - - -
v1 Namespace namespaces c ns - finalize,status create,delete,get,list,patch,update,watch
v1 Node nodes c no - status -
v1 PersistentVolumeClaim persistentvolumeclaims n pvc - status -
v1 PersistentVolume persistentvolumes c pv - status -
v1 Pod pods n po all attach,binding,ephemeralcontainers,eviction,exec,log,portforward,status -
v1 PodTemplate podtemplates n - - - -
v1 ResourceQuota resourcequotas n quota - status -
v1 Secret secrets n - - - -
v1 ServiceAccount serviceaccounts n sa - token -
v1 Service services n svc all status -
admissionregistration.k8s.io/v1 MutatingAdmissionPolicy mutatingadmissionpolicies c - api-extensions - -
admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings c - api-extensions - -
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies c - api-extensions status -
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings c - api-extensions - -
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration mutatingwebhookconfigurations c - api-extensions - -
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations c - api-extensions - -
apiregistration.k8s.io/v1 APIService apiservices c - api-extensions status -
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions c crd,crds api-extensions status -
apps/v1 ControllerRevision controllerrevisions n - - - -
apps/v1 DaemonSet daemonsets n ds all status -
apps/v1 Deployment deployments n deploy all scale,status -
apps/v1 ReplicaSet replicasets n rs all scale,status -
apps/v1 StatefulSet statefulsets n sts all scale,status -
authentication.k8s.io/v1 SelfSubjectReview selfsubjectreviews c - - - create
authentication.k8s.io/v1 TokenReview tokenreviews c - - - create
authorization.k8s.io/v1 LocalSubjectAccessReview localsubjectaccessreviews n - - - create
authorization.k8s.io/v1 SelfSubjectAccessReview selfsubjectaccessreviews c - - - create
authorization.k8s.io/v1 SelfSubjectRulesReview selfsubjectrulesreviews c - - - create
authorization.k8s.io/v1 SubjectAccessReview subjectaccessreviews c - - - create
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers n hpa all status -
autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers n hpa all status -
batch/v1 CronJob cronjobs n cj all status -
batch/v1 Job jobs n - all status -
certificates.k8s.io/v1 CertificateSigningRequest certificatesigningrequests c csr - approval,status -
coordination.k8s.io/v1 Lease leases n - - - -
discovery.k8s.io/v1 EndpointSlice endpointslices n - - - -
networking.k8s.io/v1 IngressClass ingressclasses c - - - -
networking.k8s.io/v1 Ingress ingresses n ing - status -
networking.k8s.io/v1 NetworkPolicy networkpolicies n netpol - - -
node.k8s.io/v1 RuntimeClass runtimeclasses c - - - -
policy/v1 PodDisruptionBudget poddisruptionbudgets n pdb - status -
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings c - - - -
rbac.authorization.k8s.io/v1 ClusterRole clusterroles c - - - -
rbac.authorization.k8s.io/v1 RoleBinding rolebindings n - - - -
rbac.authorization.k8s.io/v1 Role roles n - - - -
scheduling.k8s.io/v1 PriorityClass priorityclasses c pc - - -
storage.k8s.io/v1 StorageClass storageclasses c sc - - -
"""  # noqa: E501 - a line a kind

METRICS: Final = """
metrics.k8s.io/v1beta1 NodeMetrics nodes c - - - get,list
metrics.k8s.io/v1beta1 PodMetrics pods n - - - get,list
"""
"""Served where there is a node that measures; nobody stores them."""
