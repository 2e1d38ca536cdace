#!/usr/bin/env bash
# Print the newest interpreter here that can run dinostream, or the first of the versions named.
# usage: deploy/find_python.sh [VERSION...]      (such as 3.12 3.11; PYTHON=... is the only one tried)
set -euo pipefail

# For these every library has wheels. From 3.12 on there is PyAV 19, with a newer FFmpeg.
[ $# -gt 0 ] || set -- 3.14 3.13 3.12 3.11

works() {
  "$1" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null
}

for version in "$@"; do
  # Where pyenv has a version that it was not told to use, its command of that name only says so.
  pythons=("python$version" python3 python "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$version".*/bin/python)
  [ -z "${PYTHON:-}" ] || pythons=("$PYTHON")
  for python in "${pythons[@]}"; do
    if works "$python" "$version"; then echo "$python"; exit; fi
  done
done
echo "No Python $* (with venv) was found here; tried: ${PYTHON:-those names, python3, python and pyenv}." >&2
echo "Debian and Ubuntu: apt-get install python3 python3-venv; elsewhere your package manager, or" >&2
echo "name an interpreter: make venv PYTHON=/path/to/python3.13" >&2
exit 1
