#!/usr/bin/env bash
# Install dinostream from this checkout into a virtual environment, every version pinned.
# usage: deploy/install.sh VENV [EXTRA]      (EXTRA: test, dev, cpu, cluster, bench, peers or xgboost; PYTHON=... names the interpreter, else the newest)
# Without EXTRA, and without NVIDIA's driver, on Linux x86_64 it is cpu: OpenVINO, the faster engine there.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extra=${2:-}
if [ -z "$extra" ] && [ "$(uname -sm)" = "Linux x86_64" ] && ! command -v nvidia-smi >/dev/null; then
  extra=cpu
fi

if [ ! -x "$venv/bin/python" ]; then
  python=$(deploy/find_python.sh)
  echo "Making $venv with $("$python" --version)"
  "$python" -m venv "$venv"
elif [ -n "${PYTHON:-}" ] && [ "$("$PYTHON" --version)" != "$("$venv/bin/python" --version)" ]; then
  echo "$venv is of $("$venv/bin/python" --version); remove it to have it made with $PYTHON" >&2
  exit 1
fi
if ! "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
  echo "Installing torch and the rest, versions as in constraints.txt. On Linux torch comes with CUDA: about 5 GB"
  echo "on disk, 2-3 minutes on a fast line. Without a GPU the small CPU build will do: README.md says how."
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check install --quiet --constraint constraints.txt)
"${pip[@]}" setuptools
"${pip[@]}" --no-build-isolation --editable ".${extra:+[$extra]}"
