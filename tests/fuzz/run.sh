#!/usr/bin/env bash
# Fuzzes the readers for a bounded time: FUZZ_SECONDS (60) each of json, xml, search, path, or of the targets that are named.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz
# libFuzzer's instrumentation is a nightly flag of the compiler that is here.
export RUSTC_BOOTSTRAP=1
for target in "${@:-json xml search path}"; do
  for one in $target; do
    mkdir -p "target/fuzz/corpus/$one"
    cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz/build --sanitizer none "$one" "target/fuzz/corpus/$one" "tests/fuzz/seeds/$one" -- \
      -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=0
  done
done
