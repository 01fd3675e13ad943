{{- define "edgeauth.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "edgeauth.selector" -}}
app.kubernetes.io/name: edgeauth
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "edgeauth.labels" -}}
{{ include "edgeauth.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "edgeauth.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether what was admitted once is remembered in the pod alone. */}}
{{- define "edgeauth.localStore" -}}
{{- range splitList "\n" .Values.config -}}
{{- if regexMatch "^\\s*replay\\s*=\\s*[\"'](memory|sqlite:)" . -}}true{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if and (eq .name "EDGEAUTH_REPLAY") (regexMatch "^(memory|sqlite:)" (.value | default "")) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{- define "edgeauth.config" -}}
{{ .Values.config | trimSuffix "\n" }}

[service]
listen = "0.0.0.0:9000"
proxy = {{ .Values.service.proxy | quote }}
proxy_addresses = {{ .Values.proxyAddresses | toJson }}
workers = {{ .Values.service.workers | int }}
deny_status = {{ .Values.service.denyStatus | int }}
log_format = "json"
{{- end -}}
