{{- /*
Three Deployments of one shape: controller (called as the release), cainjector and webhook.

Helpers that need more than one argument take a list: the root context first.
*/}}

{{- define "cert-manager.fullname" -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- /* (list $ "webhook"): name of a part; "" for the controller. */}}
{{- define "cert-manager.name" -}}
{{ include "cert-manager.fullname" (index . 0) }}{{ with index . 1 }}-{{ . }}{{ end }}
{{- end }}

{{- /* (list $ "webhook" "webhook"): by part and component. */}}
{{- define "cert-manager.selector" -}}
app.kubernetes.io/name: {{ index . 1 | default (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 2 }}
{{- end }}

{{- define "cert-manager.labels" -}}
{{- $chart := (index . 0).Chart -}}
app: {{ index . 1 | default $chart.Name }}
{{ include "cert-manager.selector" . }}
app.kubernetes.io/version: {{ $chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $chart.Name ($chart.Version | replace "+" "_") }}
{{- end }}

{{- /* (list $ image): a repository of its own, or name under registry and namespace that all images share. */}}
{{- define "cert-manager.image" -}}
{{- $values := (index . 0).Values -}}
{{- $image := index . 1 -}}
{{- $default := printf "%s/%s/%s" $values.imageRegistry $values.imageNamespace $image.name -}}
{{ $image.repository | default $default }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end }}

{{- /* (list $ part): what every pod of this chart says about itself. */}}
{{- define "cert-manager.pod" -}}
{{- $part := index . 1 -}}
enableServiceLinks: false
{{- with (index . 0).Values.global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- range $field := list "securityContext" "nodeSelector" "affinity" "tolerations" "topologySpreadConstraints" }}
{{- with index $part $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list $ part): image, environment, resources and rights of a container. */}}
{{- define "cert-manager.container" -}}
{{- $part := index . 1 -}}
image: {{ include "cert-manager.image" (list (index . 0) $part.image) }}
imagePullPolicy: {{ $part.image.pullPolicy }}
env:
  - name: POD_NAMESPACE
    valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
  {{- with $part.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $part.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* (list $ "webhook" "webhook" part): metadata of a part's pods. */}}
{{- define "cert-manager.podMetadata" -}}
{{- $part := index . 3 -}}
labels:
  {{- include "cert-manager.labels" . | nindent 2 }}
  {{- with $part.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  prometheus.io/path: /metrics
  prometheus.io/scrape: "true"
  prometheus.io/port: "9402"
  {{- with $part.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* (list $ "webhook" "webhook" part): head of a part's Deployment, down to its selector. */}}
{{- define "cert-manager.deploymentHead" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "cert-manager.name" . }}
  labels:
    {{- include "cert-manager.labels" . | nindent 4 }}
spec:
  replicas: {{ (index . 3).replicaCount }}
  {{- with (index . 3).strategy }}
  strategy:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "cert-manager.selector" . | nindent 6 }}
{{- end }}

{{- /* (list $ "webhook" "webhook" part): a ServiceAccount; its pull secrets go for every pod that uses it. */}}
{{- define "cert-manager.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "cert-manager.name" . }}
  labels:
    {{- include "cert-manager.labels" . | nindent 4 }}
  {{- with (index . 3).serviceAccount }}
  annotations:
    {{- toYaml .annotations | nindent 4 }}
  {{- end }}
{{- with (index . 0).Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
