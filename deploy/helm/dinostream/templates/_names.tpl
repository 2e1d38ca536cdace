{{- define "dinostream.selector" -}}
app.kubernetes.io/name: dinostream
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dinostream.labels" -}}
{{ include "dinostream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "dinostream.image" -}}
{{- $tag := .Values.image.tag | default (printf "%s%s" .Chart.AppVersion (ternary "-cuda" "" (gt (int .Values.workers.gpus) 0))) -}}
{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ $tag }}{{ end }}
{{- end }}

{{/* Seconds from a signal until engines have ended: the time to drain, and 20 for the last step and commit. */}}
{{- define "dinostream.drained" -}}
{{ add 20 (ceil (default 10 .Values.config.drain_s)) }}
{{- end }}

{{/* What would go wrong minutes later is refused before anything is made. */}}
{{- define "dinostream.check" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$" .Release.Name) }}
{{- fail "the release's name becomes the Ray cluster's: want 40 of a-z, 0-9 and -, a letter first" }}
{{- end }}
{{- if hasKey .Values.config "address" }}
{{- fail "leave config.address out: the job is for the cluster that the chart makes" }}
{{- end }}
{{- if and (gt (int .Values.workers.gpus) 0) (not (hasKey .Values.config "gpus_per_engine")) }}
{{- fail "workers.gpus is set: say config.gpus_per_engine too (1 for a GPU each), else a job that starts before its workers computes on CPUs" }}
{{- end }}
{{- $each := div (mul 2 (int .Values.workers.cpu)) (add 2 (int (default 2 .Values.config.decoders))) }}
{{- $room := mul $each (int .Values.workers.replicas) }}
{{- $engines := int (default 1 .Values.config.engines) }}
{{- if lt $room $engines }}
{{- fail (printf "config.engines is %d, and workers have room for %d: an engine asks for one CPU and half of one for each of config.decoders" $engines $room) }}
{{- end }}
{{- end }}
