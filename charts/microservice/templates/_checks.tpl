{{/*
Refuse values that cannot work, with a sentence that says which, before anything is rendered.
*/}}
{{- define "microservice.checks" -}}
{{- $values := .values -}}
{{- $tracks := include "microservice.tracks" . | fromYaml -}}
{{- $known := keys $tracks | sortAlpha | join ", " -}}
{{- if not $tracks -}}
{{- fail (printf "%s has no version: `versions` needs at least one track that is enabled, such as versions: {v1: {}}" $values.name) -}}
{{- end -}}
{{- range $name, $track := $values.versions -}}
{{- $track = default dict $track -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$" $name) -}}
{{- fail (printf "versions.%s: a track is a short name of lower-case letters, digits and dashes, such as v1; it is a part of names and labels" $name) -}}
{{- end -}}
{{- if and (eq (toString $track.enabled) "false") (gt (int $track.weight) 0) -}}
{{- fail (printf "versions.%s is not enabled but has weight %d: move the weight to another track first, then retire this one" $name (int $track.weight)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $track := $tracks -}}
{{- include "microservice.podChecks" (dict "context" $ "track" $name "pod" $track) -}}
{{- end -}}
{{- if include "microservice.isWeighted" . -}}
{{- $sum := 0 -}}
{{- range $name, $weight := include "microservice.weights" . | fromYaml -}}{{- $sum = add $sum $weight -}}{{- end -}}
{{- if ne (int $sum) 100 -}}
{{- fail (printf "the weights of %s add up to %d, not 100: %s" $values.name (int $sum) (include "microservice.weightList" .)) -}}
{{- end -}}
{{- if and (eq $values.routing.kind "none") (gt (len $tracks) 1) -}}
{{- fail (printf "the tracks of %s have weights, but nothing carries them: set routing.kind to VirtualService or HTTPRoute" $values.name) -}}
{{- end -}}
{{- end -}}
{{- if and (eq $values.routing.kind "none") (or $values.routing.rules $values.routing.mirror) -}}
{{- fail (printf "%s has routing rules or a mirror, but nothing carries them: set routing.kind to VirtualService or HTTPRoute" $values.name) -}}
{{- end -}}
{{- if or (and (eq $values.ingress.kind "Gateway") (eq $values.routing.kind "HTTPRoute")) (and (eq $values.ingress.kind "GatewayAPI") (eq $values.routing.kind "VirtualService")) -}}
{{- fail (printf "ingress.kind %s does not go with routing.kind %s: the way in would not have the weights; use Gateway with VirtualService, GatewayAPI with HTTPRoute" $values.ingress.kind $values.routing.kind) -}}
{{- end -}}
{{- range $index, $rule := $values.routing.rules -}}
{{- if not (hasKey $tracks (toString $rule.track)) -}}
{{- fail (printf "routing.rules[%d] goes to track %q, which is not there (enabled tracks: %s)" $index (toString $rule.track) $known) -}}
{{- end -}}
{{- end -}}
{{- with $values.routing.mirror -}}
{{- if not (hasKey $tracks (toString .track)) -}}
{{- fail (printf "routing.mirror goes to track %q, which is not there (enabled tracks: %s)" (toString .track) $known) -}}
{{- end -}}
{{- end -}}
{{- include "microservice.failoverChecks" . -}}
{{- range $index, $need := $values.requires -}}
{{- if not (regexMatch `^\s*(>=|<=|>|<|=)?\s*[0-9]{1,9}(\.[0-9]{1,9}){0,2}(\s+(>=|<=|>|<|=)?\s*[0-9]{1,9}(\.[0-9]{1,9}){0,2})*\s*(\|\|\s*(>=|<=|>|<|=)?\s*[0-9]{1,9}(\.[0-9]{1,9}){0,2}(\s+(>=|<=|>|<|=)?\s*[0-9]{1,9}(\.[0-9]{1,9}){0,2})*\s*)*$` (toString $need.range)) -}}
{{- fail (printf "requires[%d].range %q is no range of versions: conditions such as >=2, <4 or 2.1, with spaces between those that all hold, and || between alternatives" $index (toString $need.range)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "microservice.podChecks" -}}
{{- $pod := .pod -}}
{{- $where := printf "versions.%s" .track -}}
{{- if not $pod.image.repository -}}
{{- fail (printf "%s has no image: set %s.image.repository, or pod.image.repository for all tracks" $where $where) -}}
{{- end -}}
{{- if regexMatch "[:@][^/]*$" $pod.image.repository -}}
{{- fail (printf "%s.image.repository %q has a tag or a digest: they are image.tag and image.digest" $where $pod.image.repository) -}}
{{- end -}}
{{- $own := include "microservice.podLabels" . | fromYaml -}}
{{- range $label, $_ := $pod.labels -}}
{{- if hasKey $own $label -}}
{{- fail (printf "%s has the label %s, which is the chart's own: %s" $where $label (get $own $label)) -}}
{{- end -}}
{{- end -}}
{{- with $pod.autoscaling -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail (printf "%s.autoscaling has minReplicas %d above maxReplicas %d" $where (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and $pod.preStopSleepSeconds (semverCompare "<1.30-0" .context.kubeVersion) -}}
{{- fail (printf "%s.preStopSleepSeconds needs Kubernetes 1.30, and this is %s: set it to 0, and let the application go on serving for a moment after SIGTERM" $where .context.kubeVersion) -}}
{{- end -}}
{{- if and $pod.preStopSleepSeconds (ge (int $pod.preStopSleepSeconds) (int $pod.terminationGracePeriodSeconds)) -}}
{{- fail (printf "%s sleeps %d seconds before it ends, of %d in all: terminationGracePeriodSeconds has to be longer than preStopSleepSeconds" $where (int $pod.preStopSleepSeconds) (int $pod.terminationGracePeriodSeconds)) -}}
{{- end -}}
{{- end -}}

{{- define "microservice.failoverChecks" -}}
{{- $values := .values -}}
{{- if include "microservice.hasFailover" . -}}
{{- range $name, $_ := $values.versions -}}
{{- if hasKey $values.versions (printf "%s-only" $name) -}}
{{- fail (printf "versions.%s-only: %s-only is the subset of rules to track %s; choose another name, or set routing.failover to false" $name $name $name) -}}
{{- end -}}
{{- end -}}
{{- $balancer := default dict (include "microservice.portPolicy" . | fromYaml).loadBalancer -}}
{{- if or (default dict $balancer.localityLbSetting).distribute $balancer.zoneAwareLbSetting -}}
{{- fail (printf "routing.trafficPolicy of %s distributes by locality or zone, and Istio has either that or failover: take it out, or set routing.failover to false" $values.name) -}}
{{- end -}}
{{- else -}}
{{- range $index, $rule := $values.routing.rules -}}
{{- if $rule.failover -}}
{{- fail (printf "routing.rules[%d] has failover, but routing.failover is false, or routing.kind is not VirtualService" $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "microservice.weightList" -}}
{{- $parts := list -}}
{{- range $name, $weight := include "microservice.weights" . | fromYaml -}}
{{- $parts = append $parts (printf "%s %d" $name (int $weight)) -}}
{{- end -}}
{{- join ", " $parts -}}
{{- end -}}

{{/*
Refuse keys that nothing reads, and lists in the place of maps: for charts without a copy of the schema. Whole sections that the
library does not have may be for other templates of a chart. Usage: the chart's own root context, before values are merged.
*/}}
{{- define "microservice.keyChecks" -}}
{{- $defaults := default dict (index .Values "microservice") -}}
{{/* Helm drops defaults that are null. */}}
{{- $empty := dict "routing" (list "mirror") "pod" (list "autoscaling") -}}
{{- range $section := list "service" "serviceAccount" "pod" "routing" "ingress" "networkPolicy" "serviceMonitor" "guards" "gate" "test" -}}
{{- include "microservice.keyCheck" (dict "where" $section "map" (index $.Values $section) "known" (concat (keys (index $defaults $section)) (default list (index $empty $section)))) -}}
{{- end -}}
{{- include "microservice.mapCheck" (dict "where" "versions" "map" .Values.versions) -}}
{{- $known := concat (keys $defaults.pod) (list "autoscaling" "enabled" "weight" "provides") -}}
{{- range $name, $track := .Values.versions -}}
{{- include "microservice.keyCheck" (dict "where" (printf "versions.%s" $name) "map" $track "known" $known) -}}
{{- end -}}
{{- $routing := default dict .Values.routing -}}
{{- range $index, $rule := $routing.rules -}}
{{- include "microservice.keyCheck" (dict "where" (printf "routing.rules[%d]" $index) "map" $rule "known" (list "headers" "uri" "track" "failover")) -}}
{{- include "microservice.mapCheck" (dict "where" (printf "routing.rules[%d].headers" $index) "map" $rule.headers) -}}
{{- range $name, $value := $rule.headers -}}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) -}}
{{- fail (printf "routing.rules[%d].headers.%s: a header is a name and a text that it has to be equal to, such as {end-user: jason}" $index $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "microservice.keyCheck" (dict "where" "routing.mirror" "map" $routing.mirror "known" (list "track" "percent")) -}}
{{- end -}}

{{/* Usage: (dict "where" "routing" "map" $map "known" $keys) */}}
{{- define "microservice.keyCheck" -}}
{{- $check := . -}}
{{- include "microservice.mapCheck" . -}}
{{- range $key, $_ := .map -}}
{{- if not (has $key $check.known) -}}
{{- fail (printf "%s.%s is no value of the library microservice; %s has: %s" $check.where $key $check.where ($check.known | sortAlpha | join ", ")) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "microservice.mapCheck" -}}
{{- if and .map (not (kindIs "map" .map)) -}}
{{- fail (printf "%s is a %s, and has to be a map" .where (kindOf .map | replace "slice" "list")) -}}
{{- end -}}
{{- end -}}
