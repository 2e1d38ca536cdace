#!/usr/bin/env bash
# Render the golden files anew, after a change of the chart or of the values; wants helm 3.
set -euo pipefail
cd "$(dirname "$0")/../../.."
for values in tests/deploy/values/*.yaml; do
  helm template dinostream deploy/helm/dinostream --values "$values" >"tests/deploy/golden/$(basename "$values")"
done
# Where there is no helm, this tells whether they are of the chart that is there.
find deploy/helm/dinostream/{Chart.yaml,values.yaml,templates} tests/deploy/values -type f | LC_ALL=C sort |
  xargs cat | sha256sum | cut -d ' ' -f 1 >tests/deploy/golden/of-chart.sha256
