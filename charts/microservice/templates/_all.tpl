{{/*
Everything a service needs, out of its values: the one line of a chart on this library.
*/}}
{{- define "microservice.all" -}}
{{- include "microservice.keyChecks" . -}}
{{- $context := include "microservice.context" . | fromYaml -}}
{{- include "microservice.checks" $context -}}
{{- include "microservice.guards" (dict "context" $context "capabilities" .Capabilities) -}}
{{- range $kind := list "gate" "serviceAccount" "services" "deployments" "autoscalers" "disruptionBudgets" "networkPolicy" "serviceMonitor" "destinationRules" "virtualService" "httpRoute" "ingress" }}
{{- include (printf "microservice.%s" $kind) $context }}
{{- end }}
{{- end -}}
