{{- define "microservice.serviceAccount" -}}
{{- if .values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .values.serviceAccount.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
  {{- with .values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/*
The one Service that callers know; for an HTTPRoute, which cannot name a subset, one more for each track.
*/}}
{{- define "microservice.services" -}}
{{- $context := . -}}
{{- include "microservice.service" (dict "context" . "name" .values.name "type" .values.service.type) }}
{{- if eq .values.routing.kind "HTTPRoute" }}
{{- range $track, $_ := include "microservice.tracks" . | fromYaml }}
{{- include "microservice.service" (dict "context" $context "name" (printf "%s-%s" $context.values.name $track) "type" "ClusterIP" "track" $track) }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "microservice.service" -}}
{{- $values := .context.values }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  labels:
    {{- include "microservice.labels" .context | nindent 4 }}
    {{- with .track }}
    version: {{ . }}
    {{- end }}
  {{- $annotations := deepCopy $values.service.annotations }}
  {{- if and $values.requires (not .track) }}
  {{- $_ := set $annotations "bookmesh.dev/requires" (toJson $values.requires) }}
  {{- end }}
  {{- with $annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .type }}
  selector:
    {{- if .track }}
    {{- include "microservice.selector" . | nindent 4 }}
    {{- else }}
    app: {{ $values.name }}
    {{- end }}
  ports:
    - name: {{ $values.service.portName }}
      port: {{ $values.service.port }}
      targetPort: http
{{- end -}}
