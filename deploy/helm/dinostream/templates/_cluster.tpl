{{/* The Ray cluster, kept or of one job. The head takes no work: Ray's books must answer whatever engines do. */}}
{{- define "dinostream.cluster" -}}
{{- $drives := eq .Values.mode "replay" -}}
rayVersion: 2.60.0
authOptions: {mode: token}
headGroupSpec:
  rayStartParams: {num-cpus: "0"}
  template:
    metadata:
      labels:
        {{- include "dinostream.selector" . | nindent 8 }}
        app.kubernetes.io/component: head
    spec:
      {{- include "dinostream.pod" (list . .Values.head $drives) | nindent 6 }}
      containers:
        - name: ray-head
          {{- include "dinostream.container" (list . .Values.head $drives) | nindent 10 }}
          env:
            {{- include "dinostream.drain" . | nindent 12 }}
            {{- if $drives }}
            {{- with include "dinostream.secrets" . | trim }}
            {{- . | nindent 12 }}
            {{- end }}
            {{- end }}
            {{- with .Values.head.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
workerGroupSpecs:
  - groupName: workers
    replicas: {{ .Values.workers.replicas }}
    minReplicas: {{ .Values.workers.replicas }}
    maxReplicas: {{ .Values.workers.replicas }}
    rayStartParams: {}
    template:
      metadata:
        labels:
          {{- include "dinostream.selector" . | nindent 10 }}
          app.kubernetes.io/component: worker
      spec:
        {{- include "dinostream.pod" (list . .Values.workers false) | nindent 8 }}
        containers:
          - name: ray-worker
            {{- include "dinostream.container" (list . .Values.workers false) | nindent 12 }}
            env:
              {{- include "dinostream.drain" . | nindent 14 }}
              {{- with .Values.workers.extraEnv }}
              {{- toYaml . | nindent 14 }}
              {{- end }}
{{- end }}

{{/* A node that is told to end lets its engines drain first. */}}
{{- define "dinostream.drain" -}}
- {name: RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S, value: {{ include "dinostream.drained" . | quote }}}
{{- end }}
