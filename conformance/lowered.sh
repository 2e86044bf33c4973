#!/bin/sh
# Lowers every readable document of the corpus, and the project's own, and has an independent validator judge the result.
# Needs Python 3 with venv; the validator goes into target/.
set -eu
cd "$(dirname "$0")/.."
venv=target/openapi-spec-validator
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    openapi-spec-validator==0.7.2 pyyaml==6.0.2
cargo build --quiet --package xtask
"$venv/bin/python" conformance/lowered.py
