{{/* `helm test`: whether the Service answers. */}}
{{- define "microservice.test" -}}
{{- $context := include "microservice.context" . | fromYaml -}}
{{- $values := $context.values -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ $values.name }}-test
  labels:
    app.kubernetes.io/instance: {{ $context.release }}
    app.kubernetes.io/managed-by: {{ $context.managedBy }}
    sidecar.istio.io/inject: "false"
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  {{- with $values.pod.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.pod.securityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: ask
      image: {{ $values.test.image }}
      {{- with $values.pod.containerSecurityContext }}
      securityContext: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $values.test.resources }}
      resources: {{- toYaml . | nindent 8 }}
      {{- end }}
      command: [curl]
      args: [--silent, --show-error, --fail, --max-time, "10", --retry, "5", --retry-connrefused, "http://{{ $values.name }}:{{ $values.service.port }}{{ $values.test.path }}"]
{{- end -}}

{{/* What to do next, for NOTES.txt. */}}
{{- define "microservice.notes" -}}
{{- $context := include "microservice.context" . | fromYaml -}}
{{- $values := $context.values -}}
{{ $values.name }} runs in {{ len (include "microservice.tracks" $context | fromYaml) }} version(s): {{ keys (include "microservice.tracks" $context | fromYaml) | sortAlpha | join ", " }}.
{{- if and (ne $values.routing.kind "none") (include "microservice.hasWeights" $context) }}
Traffic, in percent: {{ include "microservice.weightList" $context }}.
{{- if and (gt (len $values.versions) 1) (not (include "microservice.hasFailover" $context)) }}
Nobody stands in for a version that has no ready pod: give a new one weight in an upgrade of its own, and go back to one that is
gone with `bookmesh release rollback {{ $context.release }}`, not with `helm rollback`.
{{- end }}
{{- end }}

Wait for its pods, then ask it:

    kubectl rollout status --namespace {{ $context.namespace }} {{ range $name, $pod := include "microservice.tracks" $context | fromYaml }}deployment/{{ $pod.name }} {{ end }}
    kubectl port-forward --namespace {{ $context.namespace }} service/{{ $values.name }} 8080:{{ $values.service.port }} &
    curl http://localhost:8080{{ $values.test.path }}
{{- end -}}
