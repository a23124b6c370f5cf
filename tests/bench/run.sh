#!/usr/bin/env bash
# Builds the optimised server and measures it beside PostgreSQL and poem alone; what it prints and what it takes is told in measure.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --release --quiet --package seva-server
cargo build --release --quiet --package seva-tests --bin bench-hello --bin bench-load
exec python3 tests/bench/measure.py
