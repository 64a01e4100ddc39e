{{- /* Versions of the charts inside the real one, after which their images are tagged. */}}
{{- define "stack.grafana" -}}13.2.0{{- end }}
{{- define "stack.kubeStateMetrics" -}}v2.20.0{{- end }}
{{- define "stack.nodeExporter" -}}v1.12.1{{- end }}

{{- define "stack.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
release: {{ .Release.Name }}
{{- end }}

{{- /* (list image tag): reference of an image, with a tag where its values have none. */}}
{{- define "stack.image" -}}
{{- $image := index . 0 -}}
{{ $image.registry }}/{{ $image.repository }}:{{ $image.tag | default (index . 1) }}
{{- end }}

{{- /* (list $ values): what every pod has of its part's values. */}}
{{- define "stack.pod" -}}
{{- with (index . 0).Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" }}
{{- with index (index $ 1) $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* (list $ name annotations): labels and annotations of a pod. */}}
{{- define "stack.metadata" -}}
labels:
  {{- include "stack.labels" (index . 0) | nindent 2 }}
  app.kubernetes.io/name: {{ index . 1 }}
{{- with index . 2 }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "stack.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end }}
