{{- define "traefik.fullname" -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* Of cluster-wide objects: two releases of one name in two namespaces must not share them. */}}
{{- define "traefik.clusterName" -}}
{{ printf "%s-%s" (include "traefik.fullname" .) .Release.Namespace | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "traefik.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ printf "%s-%s" .Release.Name .Release.Namespace | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "traefik.labels" -}}
{{ include "traefik.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end }}

{{- define "traefik.account" -}}
{{ .Values.serviceAccount.name | default (include "traefik.fullname" .) }}
{{- end }}

{{- define "traefik.image" -}}
{{- with .Values.image -}}
{{ .registry | default "docker.io" }}/{{ .repository | default "traefik" }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The command line. Entry points and the providers come from the values; ping is what the probes ask. */}}
{{- define "traefik.args" -}}
{{- $own := printf "%s/%s" .Release.Namespace (include "traefik.fullname" .) -}}
- --ping=true
- --api.dashboard={{ .Values.api.dashboard }}
- --log.level={{ .Values.log.level }}
- --metrics.prometheus=true
- --metrics.prometheus.entrypoint=metrics
{{- if not .Values.global.checkNewVersion }}
- --global.checkNewVersion=false
{{- end }}
{{- if .Values.global.sendAnonymousUsage }}
- --global.sendAnonymousUsage
{{- end }}
{{- range $name, $port := .Values.ports }}
- --entryPoints.{{ $name }}.address=:{{ $port.port }}/tcp
{{- if (($port.http).tls).enabled }}
- --entryPoints.{{ $name }}.http.tls=true
{{- end }}
{{- range $option := list "forwardedHeaders" "proxyProtocol" }}
{{- with index $port $option }}
{{- with .trustedIPs }}
- --entryPoints.{{ $name }}.{{ $option }}.trustedIPs={{ join "," . }}
{{- end }}
{{- if .insecure }}
- --entryPoints.{{ $name }}.{{ $option }}.insecure
{{- end }}
{{- end }}
{{- end }}
{{- with ((($port.transport).respondingTimeouts).readTimeout) }}
- --entryPoints.{{ $name }}.transport.respondingTimeouts.readTimeout={{ . }}
{{- end }}
{{- end }}
{{- with .Values.providers.kubernetesIngress }}
{{- if .enabled }}
- --providers.kubernetesingress
- --providers.kubernetesingress.allowEmptyServices={{ .allowEmptyServices }}
{{- with .ingressClass }}
- --providers.kubernetesingress.ingressClass={{ . }}
{{- end }}
{{- if and .publishedService.enabled (or $.Values.service.enabled .publishedService.pathOverride) }}
- --providers.kubernetesingress.ingressendpoint.publishedservice={{ .publishedService.pathOverride | default $own }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.providers.kubernetesIngressNGINX }}
{{- if .enabled }}
- --providers.kubernetesingressnginx
- --providers.kubernetesingressnginx.ingressClass={{ .ingressClass }}
- --providers.kubernetesingressnginx.controllerClass={{ .controllerClass }}
- --providers.kubernetesingressnginx.ingressClassByName={{ .ingressClassByName }}
- --providers.kubernetesingressnginx.watchIngressWithoutClass={{ .watchIngressWithoutClass }}
- --providers.kubernetesingressnginx.disableSvcExternalName={{ .disableSvcExternalName }}
{{- with .httpEntryPoint }}
- --providers.kubernetesingressnginx.httpEntryPoint={{ . }}
{{- end }}
{{- with .httpsEntryPoint }}
- --providers.kubernetesingressnginx.httpsEntryPoint={{ . }}
{{- end }}
{{- if and .publishService.enabled (or $.Values.service.enabled .publishService.pathOverride) }}
- --providers.kubernetesingressnginx.publishservice={{ .publishService.pathOverride | default $own }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.additionalArguments }}
- {{ . | quote }}
{{- end }}
{{- end }}
