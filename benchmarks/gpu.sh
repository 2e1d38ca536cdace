#!/usr/bin/env bash
# Runs everything that a machine with a GPU should run, in 8 minutes at most; leaves one results file.
# Each part has a limit of its own, and one that fails does not stop the next. Needs torch and
# triton; what needs more is left out. Never changes a setting of the card.
set -uo pipefail

usage() {
    cat <<'TEXT'
Usage: benchmarks/gpu.sh [FILE]

Runs the kernels', the backbone's, DPT heads' and training's benchmarks, the tile tuner and the GPU
tests on this machine's first GPU. Takes at most 8 minutes. FILE (default: benchmarks/results/gpu-DATE.json)
gets every part's report, exit code, seconds and last words. The exit code is 0 only where all parts
ended well.

    PYTHON   the interpreter that has torch and triton (default: python, else python3)

Example: benchmarks/gpu.sh /tmp/gpu.json
TEXT
}

case "${1-}" in
-h | --help) usage && exit 0 ;;
-*) usage >&2 && exit 2 ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$(realpath -m "${1:-$root/benchmarks/results/gpu-$(date -u +%F).json}")
cd "$root" || exit 2
python=${PYTHON:-$(command -v python || command -v python3)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# part NAME LIMIT_S COMMAND...: runs it; {} in the command is where its report goes.
part() {
    local name=$1 limit=$2 began=$SECONDS code=0
    shift 2
    local command=("${@//'{}'/$work/$name.json}")
    local shown="${*//$'\n'/; }"
    echo "== $name (at most $limit s)"
    timeout --kill-after=5 "$limit" "${command[@]}" >"$work/$name.log" 2>&1 || code=$?
    tail -n 40 "$work/$name.log"
    echo "== $name: exit code $code after $((SECONDS - began)) s"
    printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$limit" "$code" $((SECONDS - began)) "$shown" >>"$work/parts"
    return "$code"
}

# without NAME REASON: notes a part that cannot run here.
without() {
    echo "== $1: left out, $2"
    printf '%s\t\t\t\t%s\n' "$1" "$2" >>"$work/parts"
}

probe='
import sys, torch
if not torch.cuda.is_available():
    sys.exit("torch sees no CUDA device")
import triton
print(torch.cuda.get_device_name(), torch.__version__, triton.__version__)
'
others=(attention backbone-s backward tiles backbone-l ladder fused heads backbone-b tests nvdec
    backbone-g)
if part device 20 "$python" -c "$probe"; then
    bench=("$python" -m operators.bench --rounds 5 --out {} --model)
    part attention 55 "$python" -m kernels.bench --only attention --rounds 10 --out {}
    part backbone-s 40 "${bench[@]}" dinov2_vits14
    part backward 45 "$python" -m kernels.bench --only backward --rounds 10 --out {}
    part tiles 45 "$python" -m benchmarks.tune_attention --rounds 5 --budget-s 32 --out {}
    part backbone-l 35 "${bench[@]}" dinov2_vitl14
    part ladder 30 "$python" -m operators.bench.training_ladder --out {}
    part fused 50 "$python" -m kernels.bench --only fused --rounds 10 --out {}
    part heads 25 "$python" -m benchmarks.dpt_heads --rounds 3 --out {}
    part backbone-b 30 "${bench[@]}" dinov2_vitb14
    if "$python" -c 'import pytest' 2>/dev/null; then
        # Without the project's settings, which ask for plugins that need not be there.
        REQUIRE_GPU=1 part tests 35 "$python" -m pytest -q -o minversion=7 -o filterwarnings= \
            -o addopts=--import-mode=importlib -m needs_gpu tests/kernels
    else
        without tests "pytest is not installed"
    fi
    if "$python" -c 'import av' 2>/dev/null; then
        part nvdec 30 "$python" -m benchmarks.nvdec --out {}
    else
        without nvdec "av (PyAV) is not installed"
    fi
    part backbone-g 30 "${bench[@]}" dinov2_vitg14
else
    echo "No GPU: $(tail -n 1 "$work/device.log"). Nothing was measured." >&2
    for name in "${others[@]}"; do without "$name" "no GPU"; done
fi
"$python" benchmarks/gather.py "$work" "$out"
