{{/* What every pod has, whoever makes it. A group is one of workers, head and driver. */}}
{{- define "dinostream.pod" -}}
{{- $root := index . 0 -}}
{{- $group := index . 1 -}}
serviceAccountName: {{ $root.Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ add 90 (include "dinostream.drained" $root) }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $group.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $tolerations := $group.tolerations }}
{{- if $group.gpus }}
{{- $tolerations = append $tolerations (dict "key" "nvidia.com/gpu" "operator" "Exists" "effect" "NoSchedule") }}
{{- end }}
{{- with $tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $group.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $group.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
  - name: cache
    {{- toYaml (default (dict "emptyDir" dict) $group.cache) | nindent 4 }}
  {{- if index . 2 }}
  - name: config
    configMap: {name: {{ $root.Release.Name }}}
  {{- end }}
  {{- with $root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* What every container has. The root is read-only; what is written goes to /tmp and below the image's HOME. */}}
{{- define "dinostream.container" -}}
{{- $root := index . 0 -}}
{{- $group := index . 1 -}}
image: {{ include "dinostream.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources:
  {{- $amounts := dict "cpu" $group.cpu "memory" $group.memory }}
  {{- if $group.gpus }}
  {{- $_ := set $amounts "nvidia.com/gpu" $group.gpus }}
  {{- end }}
  requests: {{- toYaml $amounts | nindent 4 }}
  limits: {{- toYaml $amounts | nindent 4 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: cache, mountPath: /var/cache/dinostream}
  {{- if index . 2 }}
  - {name: config, mountPath: /etc/dinostream, readOnly: true}
  {{- end }}
  {{- with $root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* A replay does not listen, so it needs no token. */}}
{{- define "dinostream.secrets" -}}
{{- range $variable, $of := ternary .Values.secrets (omit .Values.secrets "DINOSTREAM_TOKEN") (eq .Values.mode "run") }}
- name: {{ $variable }}
  valueFrom:
    secretKeyRef: {name: {{ $of.name }}, key: {{ $of.key }}}
{{- end }}
{{- end }}
