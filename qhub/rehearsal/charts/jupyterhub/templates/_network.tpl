{{- /*
Parts of network policies. Who may talk to whom is said by labels `hub.jupyter.org/network-access-<target>: "true"` on
the pod that talks.
*/}}

{{- define "jupyterhub.privateRanges" -}}
- 10.0.0.0/8
- 172.16.0.0/12
- 192.168.0.0/16
{{- end }}

{{- /* (list policy "hub" (list "http")): who may connect to these ports. */}}
{{- define "jupyterhub.ingressFrom" -}}
{{- $label := printf "hub.jupyter.org/network-access-%s" (index . 1) -}}
{{- $accept := eq (index . 0).interNamespaceAccessLabels "accept" -}}
- ports:
    {{- range index . 2 }}
    - port: {{ . }}
    {{- end }}
  from:
    - podSelector:
        matchLabels:
          {{ $label }}: "true"
      {{- if $accept }}
      namespaceSelector: {}
    - namespaceSelector:
        matchLabels:
          {{ $label }}: "true"
      {{- end }}
{{- end }}

{{- /* The rest of `ingress` that comes from the values. */}}
{{- define "jupyterhub.ingressExtra" -}}
{{- with .allowedIngressPorts }}
- ports:
    {{- range . }}
    - port: {{ . }}
    {{- end }}
{{- end }}
{{- with .ingress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* (list $ "proxy" (list 8001)): may connect to these ports of the pods of one component. */}}
{{- define "jupyterhub.egressTo" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "jupyterhub.selector" (list (index . 0) (index . 1)) | nindent 10 }}
  ports:
    {{- range index . 2 }}
    - port: {{ . }}
    {{- end }}
{{- end }}

{{- /* (list $ policy): the rest of `egress`: what the flags of `egressAllowRules` open, and rules of the values. */}}
{{- define "jupyterhub.egressExtra" -}}
{{- $metadata := printf "%s/32" (index . 0).Values.singleuser.cloudMetadata.ip -}}
{{- $policy := index . 1 -}}
{{- $allow := $policy.egressAllowRules -}}
{{- if or $allow.dnsPortsCloudMetadataServer $allow.dnsPortsKubeSystemNamespace $allow.dnsPortsPrivateIPs }}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
  to:
    {{- if $allow.dnsPortsCloudMetadataServer }}
    - ipBlock: {cidr: {{ $metadata }}}
    {{- end }}
    {{- if $allow.dnsPortsKubeSystemNamespace }}
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
    {{- end }}
    {{- if $allow.dnsPortsPrivateIPs }}
    {{- range include "jupyterhub.privateRanges" . | fromYamlArray }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
    {{- end }}
{{- end }}
{{- if $allow.nonPrivateIPs }}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
          {{- include "jupyterhub.privateRanges" . | nindent 10 }}
          - {{ $metadata }}
{{- end }}
{{- if $allow.privateIPs }}
- to:
    {{- range include "jupyterhub.privateRanges" . | fromYamlArray }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
{{- end }}
{{- if $allow.cloudMetadataServer }}
- to:
    - ipBlock: {cidr: {{ $metadata }}}
{{- end }}
{{- with $policy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
