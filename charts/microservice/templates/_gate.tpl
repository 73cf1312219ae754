{{/*
A Job that Helm starts before it changes anything, and that lets it go on when `bookmesh release check` does: what this release
requires is served, its callers can live with what it is going to be, and no track that nobody stands in for gets traffic before
it has a pod.
*/}}
{{- define "microservice.gate" -}}
{{- $context := . -}}
{{- $gate := .values.gate -}}
{{- if $gate.enabled }}
{{- $name := printf "%s-gate" .values.name }}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{- include "microservice.gateMetadata" (dict "context" . "name" $name "weight" "-10") | nindent 2 }}
{{- range $namespace := include "microservice.gateNamespaces" . | fromYamlArray }}
{{- $role := ternary $name (printf "%s-of-%s" $name $context.namespace) (eq $namespace $context.namespace) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  namespace: {{ $namespace }}
  {{- include "microservice.gateMetadata" (dict "context" $context "name" $role "weight" "-10") | nindent 2 }}
rules:
  - {apiGroups: [""], resources: [pods, services], verbs: [list]}
  - {apiGroups: [apps], resources: [deployments], verbs: [list]}
  - {apiGroups: [networking.istio.io], resources: [destinationrules, virtualservices], verbs: [list]}
  - {apiGroups: [gateway.networking.k8s.io], resources: [httproutes], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  namespace: {{ $namespace }}
  {{- include "microservice.gateMetadata" (dict "context" $context "name" $role "weight" "-10") | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $role }}}
subjects: [{kind: ServiceAccount, name: {{ $name }}, namespace: {{ $context.namespace }}}]
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata: {{- include "microservice.gateMetadata" (dict "context" . "name" $name "weight" "0") | nindent 2 }}
spec:
  backoffLimit: 0
  activeDeadlineSeconds: {{ add $gate.timeoutSeconds 60 }}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ $name }}
        sidecar.istio.io/inject: "false"
    spec:
      restartPolicy: Never
      serviceAccountName: {{ $name }}
      {{- with .values.pod.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.pod.securityContext }}
      securityContext: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: gate
          image: {{ $gate.image }}
          args: [release, check, --timeout, {{ $gate.timeoutSeconds | quote }}, --declares, {{ include "microservice.declaration" . | squote }}]
          {{- with .values.pod.containerSecurityContext }}
          securityContext: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $gate.resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
{{- end }}
{{- end -}}

{{- define "microservice.gateMetadata" -}}
name: {{ .name }}
labels: {{- include "microservice.labels" .context | nindent 2 }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade,pre-rollback
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
  {{- if eq .weight "0" }}
  helm.sh/hook-output-log-policy: hook-failed
  {{- end }}
{{- end -}}

{{/* Where the gate looks: at this release, and at those that it requires something of. */}}
{{- define "microservice.gateNamespaces" -}}
{{- $namespaces := list .namespace -}}
{{- range .values.requires -}}{{- with .namespace -}}{{- $namespaces = append $namespaces . -}}{{- end -}}{{- end -}}
{{- $namespaces | uniq | toYaml -}}
{{- end -}}

{{/* What the release is going to be, as `bookmesh release check` reads it. A track without replicas provides nothing. */}}
{{- define "microservice.declaration" -}}
{{- $values := .values -}}
{{- $provides := dict -}}
{{- range $track, $pod := include "microservice.tracks" . | fromYaml -}}
{{- if or $pod.autoscaling (gt (int $pod.replicas) 0) -}}
{{- $_ := set $provides $track (default dict $pod.provides) -}}
{{- end -}}
{{- end -}}
{{- $declaration := dict "release" .release "namespace" .namespace "requires" (default list $values.requires) "provides" $provides -}}
{{- if and (ne $values.routing.kind "none") (include "microservice.hasWeights" .) -}}
{{- $weighted := list -}}
{{- range $track, $weight := include "microservice.weights" . | fromYaml -}}
{{- if gt (int $weight) 0 -}}{{- $weighted = append $weighted $track -}}{{- end -}}
{{- end -}}
{{- $ruled := list -}}
{{- $strict := ternary list $weighted (not (empty (include "microservice.hasFailover" .))) -}}
{{- range $values.routing.rules -}}
{{- $ruled = append $ruled .track -}}
{{- if not .failover -}}{{- $strict = append $strict .track -}}{{- end -}}
{{- end -}}
{{- $_ := set $declaration "routed" (concat $weighted $ruled | uniq | sortAlpha) -}}
{{- $_ := set $declaration "strict" ($strict | uniq | sortAlpha) -}}
{{- end -}}
{{- toJson $declaration -}}
{{- end -}}
