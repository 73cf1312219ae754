{{- define "microservice.deployments" -}}
{{- $context := . -}}
{{- range $track, $pod := include "microservice.tracks" . | fromYaml }}
{{- include "microservice.deployment" (dict "context" $context "track" $track "pod" $pod) }}
{{- end }}
{{- end -}}

{{- define "microservice.deployment" -}}
{{- $pod := .pod }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $pod.name }}
  labels:
    {{- include "microservice.labels" .context | nindent 4 }}
    version: {{ .track }}
spec:
  {{- if not $pod.autoscaling }}
  replicas: {{ $pod.replicas }}
  {{- end }}
  revisionHistoryLimit: {{ $pod.revisionHistoryLimit }}
  strategy: {{- toYaml $pod.strategy | nindent 4 }}
  selector:
    matchLabels: {{- include "microservice.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "microservice.podLabels" . | nindent 8 }}
        {{- with $pod.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- $annotations := deepCopy $pod.annotations }}
      {{- with $pod.provides }}
      {{- $_ := set $annotations "bookmesh.dev/provides" (toJson .) }}
      {{- end }}
      {{- with $annotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec: {{- include "microservice.pod" . | nindent 6 }}
{{- end -}}

{{- define "microservice.pod" -}}
{{- $pod := .pod -}}
serviceAccountName: {{ .context.values.serviceAccount.name }}
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ $pod.terminationGracePeriodSeconds }}
{{- with $pod.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pod.securityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .context.values.name }}
    image: {{ include "microservice.image" (dict "image" $pod.image "appVersion" .context.appVersion) | quote }}
    imagePullPolicy: {{ $pod.image.pullPolicy }}
    {{- with $pod.command }}
    command: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $pod.args }}
    args: {{- toYaml . | nindent 6 }}
    {{- end }}
    ports:
      - name: http
        containerPort: {{ $pod.port }}
    {{- with $pod.env }}
    env:
      {{- range $name, $value := . }}
      {{- if not (kindIs "invalid" $value) }}
      - name: {{ $name }}
        {{- if kindIs "map" $value }}
        {{- toYaml $value | nindent 8 }}
        {{- else }}
        value: {{ include "microservice.text" $value | quote }}
        {{- end }}
      {{- end }}
      {{- end }}
    {{- end }}
    {{- with $pod.envFrom }}
    envFrom: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- range $kind, $probe := $pod.probes }}
    {{- with $probe }}
    {{ $kind }}Probe: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- end }}
    {{- if $pod.preStopSleepSeconds }}
    lifecycle: {preStop: {sleep: {seconds: {{ $pod.preStopSleepSeconds }}}}}
    {{- end }}
    {{- with $pod.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $pod.containerSecurityContext }}
    securityContext: {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if or $pod.writable $pod.volumeMounts }}
    volumeMounts:
      {{- range $path, $_ := $pod.writable }}
      - {name: {{ include "microservice.volumeName" $path }}, mountPath: {{ $path }}}
      {{- end }}
      {{- with $pod.volumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- end }}
{{- if or $pod.writable $pod.volumes }}
volumes:
  {{- range $path, $directory := $pod.writable }}
  - name: {{ include "microservice.volumeName" $path }}
    emptyDir: {{ toJson (default dict $directory) }}
  {{- end }}
  {{- with $pod.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- if $pod.spread }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "microservice.selector" . | nindent 8 }}
{{- end }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $pod $key }}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A value as a text. Helm reads every number as a float, which would write ten million as 1e+07. */}}
{{- define "microservice.text" -}}
{{- if and (kindIs "float64" .) (eq . (float64 (int64 .))) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{- define "microservice.volumeName" -}}
{{ printf "writable%s" (. | replace "/" "-" | replace "." "-" | lower) | trunc 63 | trimSuffix "-" }}
{{- end -}}
