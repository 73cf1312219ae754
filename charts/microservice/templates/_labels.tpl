{{/* What objects and pods have in common: nothing in here changes with a release of the chart. */}}
{{- define "microservice.commonLabels" -}}
app: {{ .values.name }}
app.kubernetes.io/name: {{ .values.name }}
app.kubernetes.io/instance: {{ .release }}
app.kubernetes.io/managed-by: {{ .managedBy }}
{{- with .values.partOf }}
app.kubernetes.io/part-of: {{ . }}
{{- end }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "microservice.labels" -}}
{{ include "microservice.commonLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .chart .chartVersion | replace "+" "_" }}
{{- end -}}

{{/*
What selects the pods of one track: never a label that an upgrade may change. Usage: (dict "context" $context "track" "v1")
*/}}
{{- define "microservice.selector" -}}
app: {{ .context.values.name }}
version: {{ .track }}
{{- end -}}

{{/* Labels of the pods of one track. The revision that telemetry shows is the track, whatever the image's tag. */}}
{{- define "microservice.podLabels" -}}
{{ include "microservice.commonLabels" .context }}
version: {{ .track }}
service.istio.io/canonical-name: {{ .context.values.name }}
service.istio.io/canonical-revision: {{ .track }}
{{ include "microservice.trackLabel" .track }}: "true"
{{- end -}}

{{/* A label that only the pods of one track have: Istio's failover can ask whether a label is there, not for other values. */}}
{{- define "microservice.trackLabel" -}}
bookmesh.dev/track-{{ . }}
{{- end -}}

{{/* The image of one track's values, as a reference. */}}
{{- define "microservice.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .appVersion .image.tag }}
{{- end -}}
{{- end -}}
