#!/usr/bin/env bash
# Measures read, create, update and search by identifier beside two ceilings in one run: PostgreSQL alone (pgbench, same
# rows) and the HTTP stack alone (poem, fixed bytes). Prints medians of three rounds, and ratios.
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${BENCH_ROWS:-20000} seconds=${BENCH_SECONDS:-8} connections=8
command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk"; exit 1; }
pgbench=$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -n 1)
cargo build --release --quiet --package seva-server
cargo build --release --quiet --package seva-tests --bin bench-hello

data=$(mktemp -d) && chmod 755 "$data"
export SEVA_DATA_FOLDER=$data SEVA_SERVER_LISTEN=127.0.0.1:8098 SEVA_LOG_LEVEL=warn
./target/release/seva serve --demo 2>"$data/seva.log" & seva=$!
./target/release/bench-hello & hello=$!
trap 'kill $seva $hello 2>/dev/null; wait 2>/dev/null; rm -rf "$data"' EXIT
for _ in $(seq 200); do curl -sf http://127.0.0.1:8098/health/live >/dev/null && break; sleep 0.1; done
sleep 1
BENCH_TOKEN=$(curl -s http://127.0.0.1:8098/v1/sessions -H 'content-type: application/json' \
  -d '{"username":"dr.kelkar","password":"namaste-seva-demo"}' | python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')
export BENCH_TOKEN BENCH_ROWS=$rows

echo "Loading $rows Patients by transaction Bundles"
python3 tests/bench/load.py "$rows" http://127.0.0.1:8098

median() { sort -n | sed -n 2p; }
http() { for _ in 1 2 3; do BENCH_WORK=$1 wrk -t1 -c$connections -d"$seconds" -s tests/bench/patient.lua http://127.0.0.1:8098 |
  sed -n 's/^RESULT \([0-9]*\) [0-9.]* 0$/\1/p'; done | median; }
sql() { for _ in 1 2 3; do "$pgbench" -n -M prepared -c$connections -j1 -T"$seconds" -D rows="$rows" -f "$1" \
  -h "$data/socket" -U seva seva 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p'; done | median; }

hello_rate=$(for _ in 1 2 3; do wrk -t1 -c$connections -d"$seconds" http://127.0.0.1:8099/hello | sed -n 's/^Requests\/sec: *\([0-9]*\).*/\1/p'; done | median)
read_sql=$(sql tests/bench/ceiling-read.sql) create_sql=$(sql tests/bench/ceiling-create.sql)
printf '%-10s %10s %22s %22s\n' work requests/s "of PostgreSQL alone" "of poem alone"
for work in read search update create; do
  rate=$(http "$work")
  case $work in read|search) ceiling=$read_sql ;; *) ceiling=$create_sql ;; esac
  python3 -c "import sys; w,r,c,h=sys.argv[1],*map(float,sys.argv[2:]); print(f'{w:10} {r:10.0f} {r/c:12.2f} ({c:.0f}/s) {r/h:12.2f} ({h:.0f}/s)')" \
    "$work" "${rate:-0}" "$ceiling" "$hello_rate"
done
