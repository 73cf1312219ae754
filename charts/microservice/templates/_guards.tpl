{{/*
What can be seen of the cluster while Helm renders, and is certain to go wrong. Without a cluster (helm template, Argo CD)
nothing is seen, and nothing refused: the gate and `bookmesh release` know more. Only kinds are read that whoever installs this chart
has to write anyway, so that rights in one namespace are enough; and pods where something is required.
Usage: (dict "context" $context "capabilities" .Capabilities)
*/}}
{{- define "microservice.guards" -}}
{{- $context := .context -}}
{{- if and $context.values.guards.enabled (lookup "apps/v1" "Deployment" $context.namespace "") -}}
{{- range $need := $context.values.requires -}}
{{- include "microservice.guardRequirement" (dict "context" $context "need" $need) -}}
{{- end -}}
{{- if and (eq $context.values.routing.kind "VirtualService") (.capabilities.APIVersions.Has "networking.istio.io/v1/VirtualService") -}}
{{- include "microservice.guardRetirement" $context -}}
{{- end -}}
{{- include "microservice.guardArrival" $context -}}
{{- end -}}
{{- end -}}

{{/* No ready pod of the other release serves a version in the range: no waiting for its routes makes that better. */}}
{{- define "microservice.guardRequirement" -}}
{{- $need := .need -}}
{{- $release := .need.release -}}
{{- $namespace := default .context.namespace .need.namespace -}}
{{- $range := include "microservice.semverRange" .need.range -}}
{{- $served := list -}}
{{- $isServed := false -}}
{{- range $pod := (lookup "v1" "Pod" $namespace "").items -}}
{{- $labels := default dict $pod.metadata.labels -}}
{{- if and (eq (default "" (index $labels "app.kubernetes.io/instance")) $release) (not $pod.metadata.deletionTimestamp) -}}
{{- $provides := index (default dict $pod.metadata.annotations) "bookmesh.dev/provides" | default "{}" | fromJson -}}
{{- $isReady := false -}}
{{- range $pod.status.conditions -}}{{- if and (eq .type "Ready") (eq .status "True") -}}{{- $isReady = true -}}{{- end -}}{{- end -}}
{{- $version := index $provides $need.contract -}}
{{- if and $isReady $version -}}
{{- $served = append $served $version -}}
{{- if semverCompare $range $version -}}{{- $isServed = true -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $isServed -}}
{{- fail (printf "%s requires %s %s of release %s in namespace %s, whose ready pods serve %s: upgrade %s first (guards.enabled=false switches this off)" .context.values.name $need.contract $need.range $release $namespace ($served | uniq | sortAlpha | join ", " | default "nothing of it") $release) -}}
{{- end -}}
{{- end -}}

{{/*
A route of today still sends requests to a track that is about to go. With failover others answer them, as long as the subset is
there: one of weights, of a track that `versions` still has.
*/}}
{{- define "microservice.guardRetirement" -}}
{{- $context := . -}}
{{- $tracks := include "microservice.tracks" . | fromYaml -}}
{{- $hasFailover := include "microservice.hasFailover" . -}}
{{- $route := lookup "networking.istio.io/v1" "VirtualService" .namespace .values.name -}}
{{- range $http := (default dict $route.spec).http -}}
{{- range $http.route -}}
{{- $subset := default "" .destination.subset -}}
{{- $track := trimSuffix "-only" $subset -}}
{{- $weight := default (ternary 100 0 (eq (len $http.route) 1)) .weight -}}
{{- $isCovered := and $hasFailover (eq $subset $track) (hasKey $context.values.versions $track) -}}
{{- if and $track (gt (int $weight) 0) (not (hasKey $tracks $track)) (not $isCovered) -}}
{{- $advice := ternary "set enabled to false in this upgrade, and take it away in the next" "give it weight 0 in one upgrade, and take it away in the next" (and (not (empty $hasFailover)) (eq $subset $track)) -}}
{{- fail (printf "track %s of %s still gets %d %% of the traffic: %s (guards.enabled=false switches this off)" $track $context.values.name (int $weight) $advice) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A track would get weight before it has a pod, while others serve people, and nobody may stand in for it. */}}
{{- define "microservice.guardArrival" -}}
{{- $context := . -}}
{{- if and (ne .values.routing.kind "none") (include "microservice.hasWeights" .) (not (include "microservice.hasFailover" .)) -}}
{{- $serving := list -}}
{{- $missing := list -}}
{{- range $track, $weight := include "microservice.weights" . | fromYaml -}}
{{- $deployment := lookup "apps/v1" "Deployment" $context.namespace (printf "%s-%s" $context.values.name $track) -}}
{{- if (default dict $deployment.status).readyReplicas -}}{{- $serving = append $serving $track -}}{{- end -}}
{{- if and (gt (int $weight) 0) (not $deployment) -}}{{- $missing = append $missing $track -}}{{- end -}}
{{- end -}}
{{- if and $serving $missing -}}
{{- fail (printf "track %s of %s would get traffic before it has a pod: add it with weight 0 in one upgrade, and give it weight in the next; or use `bookmesh release apply` (guards.enabled=false switches this off)" (first $missing) $context.values.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
A range of versions of contracts, as semverCompare takes it: there, >2 would mean above all 2.x.
*/}}
{{- define "microservice.semverRange" -}}
{{- $range := regexReplaceAll "(>=|<=|>|<|=)\\s*" . "${1}" -}}
{{- $range = regexReplaceAll "(>=|<=|>|<|=)([0-9]+)(\\s|$)" $range "${1}${2}.0.0${3}" -}}
{{- regexReplaceAll "(>=|<=|>|<|=)([0-9]+\\.[0-9]+)(\\s|$)" $range "${1}${2}.0${3}" -}}
{{- end -}}
