#!/usr/bin/env bash
# Install dinostream from this checkout into a virtual environment, every version pinned.
# usage: deploy/install.sh VENV [EXTRA]      (EXTRA: test or dev; PYTHON=... names the interpreter)
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 extra=${2:-}

new_enough() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if new_enough "$name"; then echo "$name"; return; fi
  done
  echo "dinostream needs Python 3.11 or newer (with venv); tried: ${PYTHON:-python3, python3.11 to python3.14, python}." >&2
  echo "Debian and Ubuntu: apt-get install python3 python3-venv; elsewhere your package manager, or" >&2
  echo "name an interpreter: make venv PYTHON=/path/to/python3.12" >&2
  return 1
}

if [ ! -x "$venv/bin/python" ]; then
  python=$(find_python)
  echo "Making $venv with $("$python" --version)"
  "$python" -m venv "$venv"
fi
if ! "$venv/bin/python" -c 'import importlib.metadata as m; m.version("torch")' 2>/dev/null; then
  echo "Installing torch and the rest, versions as in constraints.txt. On Linux torch comes with CUDA: about 5 GB"
  echo "on disk, 2-3 minutes on a fast line. Without a GPU the small CPU build will do: README.md says how."
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check install --quiet --constraint constraints.txt)
"${pip[@]}" setuptools
"${pip[@]}" --no-build-isolation --editable ".${extra:+[$extra]}"
