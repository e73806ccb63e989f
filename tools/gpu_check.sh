#!/bin/sh
# Runs the tests that need a GPU and the largest rows of the papers' page on it, in under ten minutes. What the tests
# say, and the rows, are in FOLDER afterwards; scale.json belongs into benchmarks/results/papers.
#
#   tools/gpu_check.sh FOLDER [DEVICE]
#
# DEVICE is cuda if none is given. With torch, the same runs on the processor's tensors, a tenth of it: so that this
# script is known to work where there is no GPU. PYTHON names the Python that has kanspice[dev], .venv's if it does not.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 1 ] && [ $# -le 2 ] || { printf 'usage: %s FOLDER [DEVICE]\n' "$0" >&2; exit 2; }
folder="$1"
device="${2:-cuda}"
python="${PYTHON:-.venv/bin/python}"
mkdir -p "$folder"

case "$device" in
    torch) quick=--quick tests="tests/engine/batched/test_processors.py -k torch" ;;
    *) quick= tests="tests -m gpu" ;;
esac
# shellcheck disable=SC2086 # several words
timeout 300 "$python" -m pytest -q -p no:cacheprovider $tests >"$folder/tests.txt" 2>&1 || failed=$?
tail -n 15 "$folder/tests.txt"
# shellcheck disable=SC2086 # nothing, or a word
timeout 280 "$python" -m benchmarks.papers page --device "$device" --folder "$folder" $quick
[ -n "$quick" ] || cp benchmarks/results/papers/scale.json "$folder/"
exit "${failed:-0}"
