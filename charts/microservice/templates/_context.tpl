{{/*
The context that all other templates here work on: this chart's values over the library's, and the built-in objects.
Usage: {{- $context := include "microservice.context" . | fromYaml }}, where functions of objects (Capabilities) are not needed.
*/}}
{{- define "microservice.context" -}}
{{- $defaults := deepCopy (default dict (index .Values "microservice")) -}}
{{- $own := omit .Values "microservice" "global" -}}
{{- $values := mustMergeOverwrite (omit $defaults "global") (deepCopy $own) -}}
{{- $_ := set $values "name" (default .Chart.Name $values.name) -}}
{{- $_ := set $values.serviceAccount "name" (default $values.name $values.serviceAccount.name) -}}
{{- toYaml (dict "values" $values "chart" .Chart.Name "chartVersion" .Chart.Version "appVersion" .Chart.AppVersion "release" .Release.Name "namespace" .Release.Namespace "managedBy" .Release.Service "kubeVersion" .Capabilities.KubeVersion.Version) -}}
{{- end -}}

{{/*
The tracks that are enabled, by name, each with everything that `pod` says and it does not.
*/}}
{{- define "microservice.tracks" -}}
{{- $values := .values -}}
{{- $tracks := dict -}}
{{- range $name, $track := $values.versions -}}
{{- $track = default dict $track -}}
{{- if ne (toString $track.enabled) "false" -}}
{{- $whole := mustMergeOverwrite (deepCopy $values.pod) (deepCopy $track) -}}
{{- $_ := set $whole "name" (printf "%s-%s" $values.name $name) -}}
{{- $_ := set $tracks $name $whole -}}
{{- end -}}
{{- end -}}
{{- toYaml $tracks -}}
{{- end -}}

{{/*
The weight of each enabled track, in percent: what the map says, else everything for the only one, else nothing.
*/}}
{{- define "microservice.weights" -}}
{{- $tracks := include "microservice.tracks" . | fromYaml -}}
{{- $weights := dict -}}
{{- range $name, $track := $tracks -}}
{{- if kindIs "invalid" $track.weight -}}
{{- $_ := set $weights $name (ternary 100 0 (eq (len $tracks) 1)) -}}
{{- else -}}
{{- $_ := set $weights $name (int $track.weight) -}}
{{- end -}}
{{- end -}}
{{- toYaml $weights -}}
{{- end -}}

{{/*
Whether any track has a weight of its own.
*/}}
{{- define "microservice.isWeighted" -}}
{{- range $name, $track := .values.versions -}}
{{- if not (kindIs "invalid" (default dict $track).weight) }}true{{ end -}}
{{- end -}}
{{- end -}}
