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
{{- end -}}

{{- define "microservice.podChecks" -}}
{{- $pod := .pod -}}
{{- $where := printf "versions.%s" .track -}}
{{- if not $pod.image.repository -}}
{{- fail (printf "%s has no image: set %s.image.repository, or pod.image.repository for all tracks" $where $where) -}}
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
