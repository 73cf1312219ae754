{{/*
For each track a DestinationRule with the subset that weights name. With failover, its pods come first in it and others stand in
while none of them is ready; rules and mirrors then name another one, TRACK-only, in which nobody does.

One rule for each track, which Istio joins: Helm writes a new one before the routes that name it, and deletes one that is not
wanted any more after them. In a single one, subsets would go while routes still lead there. Tracks that are not enabled keep
theirs, for requests that are on their way.
*/}}
{{- define "microservice.destinationRules" -}}
{{- $context := . -}}
{{- if eq .values.routing.kind "VirtualService" }}
{{- range $track, $_ := .values.versions }}
{{- $labels := printf "%s\nversion: %s" (include "microservice.labels" $context) $track }}
{{- include "microservice.destinationRule" (dict "context" $context "name" (printf "%s-%s" $context.values.name $track) "labels" $labels) }}
  subsets:
    {{- if include "microservice.hasFailover" $context }}
    - name: {{ $track }}
      labels: {app: {{ $context.values.name }}}
      trafficPolicy: {{- include "microservice.failoverPolicy" (dict "context" $context "track" $track) | nindent 8 }}
    {{- end }}
    - name: {{ include "microservice.strictSubset" (dict "context" $context "track" $track) }}
      labels: {version: {{ $track }}}
{{- end }}
{{- with .values.routing.trafficPolicy }}
{{- include "microservice.destinationRule" (dict "context" $context "name" $context.values.name "labels" (include "microservice.labels" $context)) }}
  trafficPolicy: {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "microservice.destinationRule" }}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {{ .name }}
  labels: {{- .labels | nindent 4 }}
spec:
  host: {{ .context.values.name }}
{{- end -}}

{{/* Whether other tracks, where there are any, stand in for one without a ready pod: a route of the Gateway API cannot say that. */}}
{{- define "microservice.hasFailover" -}}
{{- if and .values.routing.failover (eq .values.routing.kind "VirtualService") (gt (len .values.versions) 1) }}true{{ end -}}
{{- end -}}

{{/* The subset that is a track and nothing else. Usage: (dict "context" $context "track" "v1") */}}
{{- define "microservice.strictSubset" -}}
{{ .track }}{{ if include "microservice.hasFailover" .context }}-only{{ end }}
{{- end -}}

{{/* Where a rule leads. Usage: (dict "context" $context "rule" $rule) */}}
{{- define "microservice.ruleSubset" -}}
{{- if .rule.failover -}}{{ .rule.track }}{{- else -}}{{ include "microservice.strictSubset" (dict "context" .context "track" .rule.track) }}{{- end -}}
{{- end -}}

{{/*
Istio's failover: endpoints are ranked by the first label in this list that they do not have, `KEY=` standing for its absence.
Pods of the track come first, those of other tracks with weight next, those of tracks without weight last.

Failover needs outlier detection. Unless the values have one, it ejects nothing: a track whose pods are ready gets its whole
share, and its errors are seen. `minHealthPercent` keeps endpoints that are not ready from being counted.
*/}}
{{- define "microservice.failoverPolicy" -}}
{{- $priorities := list -}}
{{- range $track, $weight := include "microservice.weights" .context | fromYaml -}}
{{- if and (eq (int $weight) 0) (ne $track $.track) -}}
{{- $priorities = append $priorities (printf "%s=" (include "microservice.trackLabel" $track)) -}}
{{- end -}}
{{- end -}}
{{- $priorities = append $priorities (printf "version=%s" .track) -}}
{{- $own := include "microservice.portPolicy" .context | fromYaml -}}
{{- $balancer := deepCopy (default dict $own.loadBalancer) -}}
{{- $locality := default dict $balancer.localityLbSetting -}}
{{- if $locality.failoverPriority -}}
{{- $priorities = concat $priorities $locality.failoverPriority -}}
{{- else if and $own.outlierDetection (not $locality.failover) (ne (toString $locality.enabled) "false") -}}
{{- $priorities = concat $priorities (list "topology.kubernetes.io/region" "topology.kubernetes.io/zone" "topology.istio.io/subzone") -}}
{{- end -}}
{{- $locality = mustMergeOverwrite (deepCopy $locality) (dict "enabled" true "failoverPriority" $priorities) -}}
{{- $_ := set $balancer "localityLbSetting" $locality -}}
loadBalancer: {{- toYaml $balancer | nindent 2 }}
outlierDetection: {{- toYaml (default (dict "consecutive5xxErrors" 0 "minHealthPercent" 1) $own.outlierDetection) | nindent 2 }}
{{- end -}}

{{/* What routing.trafficPolicy says about the Service's port. */}}
{{- define "microservice.portPolicy" -}}
{{- $policy := .values.routing.trafficPolicy -}}
{{- $number := .values.service.port -}}
{{- range $policy.portLevelSettings -}}
{{- if eq (int .port.number) (int $number) -}}{{- $policy = . -}}{{- end -}}
{{- end -}}
{{- toYaml $policy -}}
{{- end -}}
