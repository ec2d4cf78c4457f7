#!/bin/sh
# Make the virtual environment and install Dossier into it. Called by `make install`; PYTHON and VENV may be set.
set -eu
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"
BIN="$VENV/bin"
TORCH="$(sed -n 's/^torch==/torch==/p' constraints.txt)"
# Where PyTorch keeps its builds without CUDA; used only if the package index would draw CUDA packages.
TORCH_INDEX="${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}"

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Dossier needs Python 3.11 or newer; $PYTHON is $("$PYTHON" -V 2>&1). Try: make PYTHON=python3.12 …" >&2
    exit 1
}
[ -x "$BIN/python" ] || "$PYTHON" -m venv "$VENV" || {
    echo "No virtual environment could be made. On Debian or Ubuntu: apt-get install python3-venv" >&2
    exit 1
}

# On a machine without an NVIDIA GPU, no CUDA packages: ask what pip would install for torch before installing it.
if ! command -v nvidia-smi >/dev/null 2>&1 && [ "$(uname -s)" = Linux ] &&
    ! "$BIN/python" -c 'import torch' 2>/dev/null; then
    plan="$VENV/torch-plan.json"
    "$BIN/python" -m pip install --quiet --dry-run --no-deps --ignore-installed --report "$plan" "$TORCH"
    if "$BIN/python" - "$plan" <<'PY'; then
import json, sys
needs = json.load(open(sys.argv[1]))["install"][0]["metadata"].get("requires_dist", [])
sys.exit(not any(n.startswith(("nvidia-", "cuda-")) for n in needs))
PY
        echo "Installing $TORCH without CUDA from $TORCH_INDEX"
        "$BIN/python" -m pip install --quiet --index-url "$TORCH_INDEX" "$TORCH" || {
            echo "PyTorch without CUDA could not be fetched. Name a mirror: make install TORCH_INDEX=https://…/whl/cpu" >&2
            exit 1
        }
    fi
fi
echo "Installing Dossier and what it needs (some minutes the first time)"
"$BIN/python" -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
