{{- define "ingress-nginx.fullname" -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "ingress-nginx.controllerName" -}}
{{ include "ingress-nginx.fullname" . }}-controller
{{- end }}

{{- define "ingress-nginx.admissionName" -}}
{{ include "ingress-nginx.fullname" . }}-admission
{{- end }}

{{- define "ingress-nginx.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "ingress-nginx.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "ingress-nginx.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end }}

{{- /* (list $ "controller"): labels of an object by its component. */}}
{{- define "ingress-nginx.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ $root.Chart.Name }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name ($root.Chart.Version | replace "+" "_") }}
{{- end }}

{{- /* Labels of what belongs to the controller: with the user's own. */}}
{{- define "ingress-nginx.controllerLabels" -}}
{{ include "ingress-nginx.labels" (list . "controller") }}
{{- with .Values.controller.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* (list $ image): a repository of its own, or a path under the registry that all images share. */}}
{{- define "ingress-nginx.image" -}}
{{- $image := index . 1 -}}
{{- $registry := $image.registry | default (index . 0).Values.global.image.registry -}}
{{ $image.repository | default (printf "%s/%s" $registry $image.image) }}:{{ $image.tag }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* The controller's command line. */}}
{{- define "ingress-nginx.args" -}}
{{- $controller := .Values.controller -}}
{{- $own := printf "$(POD_NAMESPACE)/%s" (include "ingress-nginx.controllerName" .) -}}
- /nginx-ingress-controller
{{- if not $controller.enableAnnotationValidations }}
- --enable-annotation-validation=false
{{- end }}
{{- /* Only with a Service of its own, as in the real chart, whatever pathOverride says. */}}
{{- if and $controller.publishService.enabled $controller.service.enabled }}
- --publish-service={{ $controller.publishService.pathOverride | default $own }}
{{- end }}
- --election-id={{ $controller.electionID | default (printf "%s-leader" (include "ingress-nginx.fullname" .)) }}
- --controller-class={{ $controller.ingressClassResource.controllerValue }}
{{- with $controller.ingressClass }}
- --ingress-class={{ . }}
{{- end }}
- --configmap={{ $own }}
{{- if .Values.tcp }}
- --tcp-services-configmap=$(POD_NAMESPACE)/{{ include "ingress-nginx.fullname" . }}-tcp
{{- end }}
{{- with $controller.admissionWebhooks }}
{{- if .enabled }}
- --validating-webhook=:{{ .port }}
- --validating-webhook-certificate={{ .certificate }}
- --validating-webhook-key={{ .key }}
{{- end }}
{{- end }}
{{- if $controller.ingressClassByName }}
- --ingress-class-by-name=true
{{- end }}
{{- if $controller.watchIngressWithoutClass }}
- --watch-ingress-without-class=true
{{- end }}
{{- if $controller.metrics.enabled }}
- --enable-metrics=true
{{- end }}
{{- range $flag, $value := $controller.extraArgs }}
- --{{ $flag }}{{ with $value }}={{ . }}{{ end }}
{{- end }}
{{- end }}
