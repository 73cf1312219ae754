{{/*
In the mesh: rules in their order, then the weights.
*/}}
{{- define "microservice.virtualService" -}}
{{- if eq .values.routing.kind "VirtualService" }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ .values.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  hosts: [{{ .values.name }}]
  http: {{- include "microservice.virtualServiceRoutes" (dict "context" . "paths" (list "/")) | trim | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "microservice.virtualServiceRoutes" -}}
{{- $context := .context -}}
{{- $values := .context.values -}}
{{- $paths := .paths -}}
{{- range $rule := $values.routing.rules }}
- match: {{- include "microservice.virtualServiceMatches" (dict "rule" $rule "paths" $paths) | trim | nindent 4 }}
  route:
    - destination: {{- include "microservice.destination" (dict "context" $context "subset" (include "microservice.ruleSubset" (dict "context" $context "rule" $rule))) | nindent 8 }}
  {{- with include "microservice.routeSettings" $context | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
{{- $matches := include "microservice.virtualServiceMatches" (dict "rule" dict "paths" $paths) | trim }}
- {{ if $matches }}match: {{- $matches | nindent 4 }}
  {{ end }}route: {{- include "microservice.weightedDestinations" $context | trim | nindent 4 }}
  {{- with $values.routing.mirror }}
  mirror: {{- include "microservice.destination" (dict "context" $context "subset" (include "microservice.strictSubset" (dict "context" $context "track" .track))) | nindent 4 }}
  mirrorPercentage: {value: {{ .percent }}}
  {{- end }}
  {{- with include "microservice.routeSettings" $context | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/*
What a request must be like: the headers of a rule, and its prefix or one of the paths that are let in. Empty: anything.
*/}}
{{- define "microservice.virtualServiceMatches" -}}
{{- $headers := dict -}}
{{- range $name, $value := .rule.headers -}}{{- $_ := set $headers $name (dict "exact" (toString $value)) -}}{{- end -}}
{{- $paths := ternary (list .rule.uri) .paths (not (empty .rule.uri)) -}}
{{- if eq (toJson $paths) "[\"/\"]" }}
{{- with $headers }}
- headers: {{- toYaml . | nindent 4 }}
{{- end }}
{{- else }}
{{- range $paths }}
- uri: {{ "{" }}{{ ternary "exact" "prefix" (hasPrefix "=" .) }}: {{ trimPrefix "=" . }}{{ "}" }}
  {{- with $headers }}
  headers: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "microservice.destination" -}}
host: {{ .context.values.name }}
port: {number: {{ .context.values.service.port }}}
{{- if and .subset (eq .context.values.routing.kind "VirtualService") }}
subset: {{ .subset }}
{{- end }}
{{- end -}}

{{/* Only tracks that get anything are named. Without any weight, the Service itself: each pod gets its share. */}}
{{- define "microservice.weightedDestinations" -}}
{{- $context := . -}}
{{- $weights := include "microservice.weights" . | fromYaml -}}
{{- if and (eq .values.routing.kind "VirtualService") (include "microservice.hasWeights" .) }}
{{- range $track, $weight := $weights }}
{{- if gt (int $weight) 0 }}
- destination: {{- include "microservice.destination" (dict "context" $context "subset" $track) | nindent 4 }}
  weight: {{ int $weight }}
{{- end }}
{{- end }}
{{- else }}
- destination: {{- include "microservice.destination" (dict "context" $context) | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "microservice.hasWeights" -}}
{{- range $track, $weight := include "microservice.weights" . | fromYaml -}}{{- if gt (int $weight) 0 }}true{{ end -}}{{- end -}}
{{- end -}}

{{- define "microservice.routeSettings" -}}
{{- with .values.routing.timeout }}
timeout: {{ . }}
{{- end }}
{{- with .values.routing.retries }}
retries: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
The same for the Gateway API. The Service is the parent, so that it holds in the mesh; with a Gateway of that API, it too.
*/}}
{{- define "microservice.httpRoute" -}}
{{- $context := . -}}
{{- $values := .values -}}
{{- if eq $values.routing.kind "HTTPRoute" }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $values.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  parentRefs:
    - {group: "", kind: Service, name: {{ $values.name }}, port: {{ $values.service.port }}}
  rules: {{- include "microservice.httpRouteRules" (dict "context" $context "paths" (list "/")) | trim | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "microservice.httpRouteRules" -}}
{{- $context := .context -}}
{{- $values := .context.values -}}
{{- $paths := .paths -}}
{{- range $rule := $values.routing.rules }}
- matches: {{- include "microservice.httpRouteMatches" (dict "rule" $rule "paths" $paths) | trim | nindent 4 }}
  backendRefs:
    - {name: {{ $values.name }}-{{ $rule.track }}, port: {{ $values.service.port }}}
  {{- with include "microservice.httpRouteTimeout" $context | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}
- matches: {{- include "microservice.httpRouteMatches" (dict "rule" dict "paths" $paths) | trim | nindent 4 }}
  {{- with $values.routing.mirror }}
  filters:
    - type: RequestMirror
      requestMirror:
        backendRef: {name: {{ $values.name }}-{{ .track }}, port: {{ $values.service.port }}}
        percent: {{ .percent }}
  {{- end }}
  backendRefs:
    {{- if and (eq $values.routing.kind "HTTPRoute") (include "microservice.hasWeights" $context) }}
    {{- range $track, $weight := include "microservice.weights" $context | fromYaml }}
    {{- if gt (int $weight) 0 }}
    - {name: {{ $values.name }}-{{ $track }}, port: {{ $values.service.port }}, weight: {{ int $weight }}}
    {{- end }}
    {{- end }}
    {{- else }}
    - {name: {{ $values.name }}, port: {{ $values.service.port }}}
    {{- end }}
  {{- with include "microservice.httpRouteTimeout" $context | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "microservice.httpRouteMatches" -}}
{{- $headers := list -}}
{{- range $name, $value := .rule.headers -}}
{{- $headers = append $headers (dict "name" $name "value" (toString $value)) -}}
{{- end -}}
{{- $paths := ternary (list .rule.uri) .paths (not (empty .rule.uri)) -}}
{{- range $paths }}
- path: {type: {{ ternary "Exact" "PathPrefix" (hasPrefix "=" .) }}, value: {{ trimPrefix "=" . }}}
  {{- with $headers }}
  headers: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "microservice.httpRouteTimeout" -}}
{{- with .values.routing.timeout }}
timeouts: {request: {{ . }}}
{{- end }}
{{- end -}}

{{/* A gateway of one's own: for Istio's ingress gateway, or one that the Gateway API's class deploys. */}}
{{- define "microservice.ingress" -}}
{{- $context := . -}}
{{- $values := .values -}}
{{- if eq $values.ingress.kind "Gateway" }}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: {{ $values.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  selector: {{- toYaml $values.ingress.selector | nindent 4 }}
  servers:
    - port: {number: {{ $values.ingress.port }}, name: http, protocol: HTTP}
      hosts: {{- toYaml $values.ingress.hosts | nindent 8 }}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {{ $values.name }}-ingress
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  hosts: {{- toYaml $values.ingress.hosts | nindent 4 }}
  gateways: [{{ $values.name }}]
  http: {{- include "microservice.virtualServiceRoutes" (dict "context" . "paths" $values.ingress.paths) | trim | nindent 4 }}
{{- else if eq $values.ingress.kind "GatewayAPI" }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: {{ $values.name }}
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  gatewayClassName: {{ $values.ingress.className }}
  listeners:
    {{- range $index, $host := $values.ingress.hosts }}
    - name: http-{{ $index }}
      port: {{ $values.ingress.port }}
      protocol: HTTP
      {{- if ne $host "*" }}
      hostname: {{ $host | quote }}
      {{- end }}
    {{- end }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {{ $values.name }}-ingress
  labels: {{- include "microservice.labels" . | nindent 4 }}
spec:
  parentRefs: [{name: {{ $values.name }}}]
  rules: {{- include "microservice.httpRouteRules" (dict "context" $context "paths" $values.ingress.paths) | trim | nindent 4 }}
{{- end }}
{{- end -}}
