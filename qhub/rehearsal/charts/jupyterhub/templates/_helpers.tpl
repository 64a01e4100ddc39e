{{- /*
Two sets of labels: JupyterHub's chart has selected its pods by `component`, `app` and `release` since its first days,
and others (network policies, Services of ours) select by either set.

Helpers that need more than one argument take a list: the root context first.
*/}}

{{- /* (list $ "hub"): what selectors use. */}}
{{- define "jupyterhub.selector" -}}
{{- $root := index . 0 -}}
component: {{ index . 1 }}
app: {{ $root.Chart.Name }}
release: {{ $root.Release.Name | quote }}
{{- end }}

{{- /* (list $ "hub"): what pods carry. No chart version in it, so that a new chart alone restarts nothing. */}}
{{- define "jupyterhub.podLabels" -}}
{{- $root := index . 0 -}}
{{ include "jupyterhub.selector" . }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
{{- end }}

{{- /* (list $ "hub"): what every object carries. */}}
{{- define "jupyterhub.labels" -}}
{{- $root := index . 0 -}}
{{- $chart := printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") -}}
{{ include "jupyterhub.podLabels" . }}
chart: {{ $chart }}
heritage: {{ $root.Release.Service }}
helm.sh/chart: {{ $chart }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{- define "jupyterhub.serviceAccount" -}}
{{ .Values.hub.serviceAccount.name | default (ternary "hub" "default" .Values.hub.serviceAccount.create) }}
{{- end }}

{{- define "jupyterhub.priorityClass" -}}
{{ .Release.Name }}-default-priority
{{- end }}

{{- define "jupyterhub.placeholderPriorityClass" -}}
{{ .Release.Name }}-user-placeholder-priority
{{- end }}

{{- /* (list $ image): `imagePullSecrets` of a pod: the chart's and the image's own. Entries may be names or objects. */}}
{{- define "jupyterhub.pullSecrets" -}}
{{- $root := index . 0 -}}
{{- $secrets := list -}}
{{- range concat (index . 1).pullSecrets $root.Values.imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- if $secrets -}}
imagePullSecrets: {{ $secrets | uniq | toJson }}
{{- end -}}
{{- end }}

{{- /* (list $ nodeSelector tolerations): where a pod of the hub's own runs. */}}
{{- define "jupyterhub.corePlacement" -}}
{{- $root := index . 0 -}}
{{- $scheduling := $root.Values.scheduling -}}
{{- if $scheduling.podPriority.enabled }}
priorityClassName: {{ include "jupyterhub.priorityClass" $root }}
{{- end }}
{{- with index . 1 }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $scheduling.corePods.tolerations (index . 2) }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "jupyterhub.affinity" (list "core" $scheduling.corePods.nodeAffinity.matchNodePurpose) }}
{{- end }}

{{- /* (list "core" "prefer"): lead a pod to nodes labelled for its purpose. */}}
{{- define "jupyterhub.affinity" -}}
{{- $expressions := list (dict "key" "hub.jupyter.org/node-purpose" "operator" "In" "values" (list (index . 0))) -}}
{{- $term := dict "matchExpressions" $expressions -}}
{{- if eq (index . 1) "prefer" }}
affinity:
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        preference: {{ $term | toJson }}
{{- else if eq (index . 1) "require" }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: {{ list $term | toJson }}
{{- end }}
{{- end }}

{{- /* Environment of a container from `extraEnv`: a map of name to value or to {value, valueFrom}, or the plain list. */}}
{{- define "jupyterhub.extraEnv" -}}
{{- if kindIs "slice" . -}}
{{ toYaml . }}
{{- else -}}
{{- range $name, $value := . }}
- name: {{ $name | quote }}
  {{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
  {{- else }}
  value: {{ $value | toString | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list probe path): an HTTP probe of port `http`. */}}
{{- define "jupyterhub.probe" -}}
{{ toYaml (omit (index . 0) "enabled") }}
httpGet:
  path: {{ index . 1 }}
  port: http
{{- end }}

{{- /*
(list $ key given): a secret: as given, else as it is in the cluster, else made up. Whoever gives none gets another one
at each render where the cluster is not asked (`helm template`), hence QHub gives all of them.
*/}}
{{- define "jupyterhub.secret" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $kept := (lookup "v1" "Secret" $root.Release.Namespace "hub").data | default dict -}}
{{- if index . 2 -}}
{{ index . 2 }}
{{- else if hasKey $kept $key -}}
{{ index $kept $key | b64dec }}
{{- else -}}
{{ randAlphaNum 64 | sha256sum }}
{{- end -}}
{{- end }}

{{- /* Token that the hub shows its proxy, if one is given. */}}
{{- define "jupyterhub.givenProxyToken" -}}
{{- $sections := .Values.hub.config -}}
{{- $own := dig "ConfigurableHTTPProxy" "auth_token" "" $sections -}}
{{- $old := dig "JupyterHub" "proxy_auth_token" "" $sections -}}
{{ $own | default $old | default .Values.proxy.secretToken | default "" }}
{{- end }}

{{- /* `data` of a Secret from `extraFiles`: the form of `data` follows from the name of the file it becomes. */}}
{{- define "jupyterhub.extraFiles" -}}
{{- range $name, $file := . }}
{{- $text := $file.stringData | default "" -}}
{{- if $file.data }}
{{- $suffix := ext $file.mountPath -}}
{{- if eq $suffix ".json" }}{{- $text = toJson $file.data }}
{{- else if has $suffix (list ".yaml" ".yml") }}{{- $text = toYaml $file.data }}
{{- else if eq $suffix ".toml" }}{{- $text = toToml $file.data }}
{{- else }}{{- fail (printf "extraFiles.%s: `data` becomes .json, .yaml, .yml or .toml, and mountPath is %s: use stringData" $name $file.mountPath) }}
{{- end }}
{{- end }}
{{ $name }}: {{ ($file.binaryData | default "" | nospace) | default (printf "%s\n" (trimSuffix "\n" $text) | b64enc) | quote }}
{{- end }}
{{- end }}

{{- /* (list files secretName): the volume `files`, if there are any. */}}
{{- define "jupyterhub.extraFilesVolume" -}}
{{- if index . 0 }}
- name: files
  secret:
    secretName: {{ index . 1 }}
    items:
      {{- range $name, $file := index . 0 }}
      - key: {{ $name | quote }}
        path: {{ $name | quote }}
        {{- with $file.mode }}
        mode: {{ . }}
        {{- end }}
      {{- end }}
{{- end }}
{{- end }}

{{- /* Requests and limits of one user's server, as a pod spec has them; for placeholders of the same size. */}}
{{- define "jupyterhub.userResources" -}}
{{- $user := .Values.singleuser -}}
{{- $resources := dict -}}
{{- range $kind, $key := dict "requests" "guarantee" "limits" "limit" -}}
{{- $wanted := deepCopy (index $user.extraResource (printf "%ss" $key)) -}}
{{- with index $user.cpu $key }}{{- $_ := set $wanted "cpu" . }}{{- end -}}
{{- with index $user.memory $key }}{{- $_ := set $wanted "memory" . }}{{- end -}}
{{- with $wanted }}{{- $_ := set $resources $kind . }}{{- end -}}
{{- end -}}
{{ toYaml $resources }}
{{- end }}
