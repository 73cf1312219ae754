{{- define "microservice.autoscalers" -}}
{{- $context := . -}}
{{- range $track, $pod := include "microservice.tracks" . | fromYaml }}
{{- with $pod.autoscaling }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $pod.name }}
  labels:
    {{- include "microservice.labels" $context | nindent 4 }}
    version: {{ $track }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $pod.name }}}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: {{ default 80 .averageUtilization }}}}
{{- end }}
{{- end }}
{{- end -}}

{{/* For tracks that can have more than one pod: with a single one, a budget would block every drain of a node. */}}
{{- define "microservice.disruptionBudgets" -}}
{{- $context := . -}}
{{- range $track, $pod := include "microservice.tracks" . | fromYaml }}
{{- $most := int $pod.replicas }}
{{- with $pod.autoscaling }}{{ $most = int .minReplicas }}{{ end }}
{{- if and $pod.disruptionBudget (gt $most 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $pod.name }}
  labels:
    {{- include "microservice.labels" $context | nindent 4 }}
    version: {{ $track }}
spec:
  {{- toYaml $pod.disruptionBudget | nindent 2 }}
  selector:
    matchLabels: {{- include "microservice.selector" (dict "context" $context "track" $track) | nindent 6 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "microservice.networkPolicy" -}}
{{- if .values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .values.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {app: {{ .values.name }}}
  policyTypes: [Ingress]
  ingress:
    - from: {{- toYaml (default (list (dict "podSelector" dict)) .values.networkPolicy.from) | nindent 8 }}
{{- end }}
{{- end -}}

{{- define "microservice.serviceMonitor" -}}
{{- if .values.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .values.name }}
  labels:
    {{- include "microservice.labels" . | nindent 4 }}
    {{- with .values.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {app: {{ .values.name }}, app.kubernetes.io/instance: {{ .release }}}
    matchExpressions: [{key: version, operator: DoesNotExist}]
  podTargetLabels: [version]
  endpoints:
    - {port: {{ .values.service.portName }}, path: /metrics, interval: {{ .values.serviceMonitor.interval }}}
{{- end }}
{{- end -}}
