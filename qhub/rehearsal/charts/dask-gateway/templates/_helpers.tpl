{{- /*
Everything is called <part>-<full name>, where the parts are api, controller and traefik. The full name is the release's
own where that says "dask-gateway" already.

Helpers that need more than one argument take a list: the root context first.
*/}}

{{- define "dask-gateway.fullname" -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* (list $ "api") */}}
{{- define "dask-gateway.name" -}}
{{ printf "%s-%s" (index . 1) (include "dask-gateway.fullname" (index . 0)) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "dask-gateway.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
# The gateway's own Traefik reads only what carries its name here.
gateway.dask.org/instance: {{ include "dask-gateway.fullname" . }}
{{- end }}

{{- /* (list $ "gateway"): by component, which for the API is "gateway". */}}
{{- define "dask-gateway.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- /* (list $ "api" account): name of a part's ServiceAccount. */}}
{{- define "dask-gateway.account" -}}
{{ (index . 2).serviceAccountName | default (include "dask-gateway.name" (list (index . 0) (index . 1))) }}
{{- end }}

{{- /* (list $ "api" account rules): ServiceAccount and what it may do; nothing where somebody else's is used. */}}
{{- define "dask-gateway.rights" -}}
{{- $root := index . 0 }}
{{- /* What the real chart took over from Traefik's own carries no labels. */}}
{{- $labelled := ne (index . 1) "traefik" }}
{{- $name := include "dask-gateway.name" (list $root (index . 1)) }}
{{- if and $root.Values.rbac.enabled (not (index . 2).serviceAccountName) }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  {{- if $labelled }}
  labels:
    {{- include "dask-gateway.labels" $root | nindent 4 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  {{- if $labelled }}
  labels:
    {{- include "dask-gateway.labels" $root | nindent 4 }}
  {{- end }}
rules:
  {{- index . 3 | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  {{- if $labelled }}
  labels:
    {{- include "dask-gateway.labels" $root | nindent 4 }}
  {{- end }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $root.Release.Namespace }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
{{- end }}
{{- end }}

{{- /* (list $ "api" account part): the fields of a pod that all three parts fill in the same way. */}}
{{- define "dask-gateway.pod" -}}
{{- $part := index . 3 -}}
{{- if (index . 0).Values.rbac.enabled }}
serviceAccountName: {{ include "dask-gateway.account" (list (index . 0) (index . 1) (index . 2)) }}
{{- end }}
{{- range $field := list "imagePullSecrets" "nodeSelector" "affinity" "tolerations" }}
{{- with index $part $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "dask-gateway.image" -}}
image: {{ .name }}:{{ .tag }}
{{- with .pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end }}

{{- /* (list probe path port) */}}
{{- define "dask-gateway.probe" -}}
{{ toYaml (omit (index . 0) "enabled") }}
httpGet:
  path: {{ index . 1 }}
  port: {{ index . 2 }}
{{- end }}

{{- /* "true" where schedulers share the API's port. */}}
{{- define "dask-gateway.sharedPort" -}}
{{ if eq (toString .Values.traefik.service.ports.tcp.port) "web" }}true{{ end }}
{{- end }}

{{- /* The API's own address, for its other parts and for schedulers. */}}
{{- define "dask-gateway.apiUrl" -}}
http://{{ include "dask-gateway.name" (list . "api") }}.{{ .Release.Namespace }}:8000/api
{{- end }}
