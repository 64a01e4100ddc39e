{{- define "autoscaler.name" -}}
{{ printf "%s-%s" .Values.cloudProvider .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "autoscaler.fullname" -}}
{{- $name := include "autoscaler.name" . -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "autoscaler.selector" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ include "autoscaler.name" . }}
{{- end }}

{{- define "autoscaler.labels" -}}
{{ include "autoscaler.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "autoscaler.account" -}}
{{- with .Values.rbac.serviceAccount -}}
{{ .name | default (ternary (include "autoscaler.fullname" $) "default" .create) }}
{{- end }}
{{- end }}
