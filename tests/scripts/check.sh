#!/usr/bin/env bash
# Every check of the project, in the order in which they fail fastest.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash tests/scripts/install.sh test

step() { printf '\n== %s\n' "$1"; }
step "format";          cargo fmt --all --check
step "supply chain";    cargo deny --all-features check licenses bans sources
step "terraform";       bash terraform/check.sh
step "clippy";          cargo clippy --workspace --all-targets --quiet -- -D warnings
step "documentation";   RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
step "build";           cargo build --workspace --all-targets --quiet
step "contract lint";   ./target/debug/seva contract --yaml > target/contract.yaml
                        tests/node_modules/.bin/redocly lint --config openapi/redocly.yaml target/contract.yaml
step "speech model";    ./target/debug/seva model
step "tests";           cargo nextest run --workspace --profile ci
