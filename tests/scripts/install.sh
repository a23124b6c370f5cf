#!/usr/bin/env bash
# Installs what a bare Debian with Rust lacks; says in a sentence what it can't install, and why.
#   install.sh run    what the product needs to be built and run
#   install.sh test   and what its tests need
#   install.sh quality  and the synthetic voices of the quality lab
set -euo pipefail
cd "$(dirname "$0")/../.."

needed=()
need() { command -v "$1" >/dev/null 2>&1 || needed+=("$2"); }
need cmake cmake
need c++ g++
need clang clang
need ld.lld lld
need make make
need git git
need curl curl
need python3 python3
ls /usr/lib/llvm-*/lib/libclang*.so* >/dev/null 2>&1 || needed+=(libclang-dev)
python3 -m pip --version >/dev/null 2>&1 || needed+=(python3-pip)
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || needed+=(python3-venv)
has_postgres() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
if ! has_postgres; then
  if [ "$(id -u)" = 0 ]; then needed+=(postgresql); else need npm npm; fi
fi
if [ "${1:-run}" = test ]; then
  need npm npm
  need pdftotext poppler-utils
  need chromium chromium
fi

if [ "${1:-run}" = quality ]; then
  need espeak-ng espeak-ng
  need flite flite
  need sox sox
fi

if [ "${#needed[@]}" -gt 0 ]; then
  echo "Missing: ${needed[*]}"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing them with apt-get."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null
  else
    echo "They can't be installed here: this user is not root. Ask an administrator to run:"
    echo "  apt-get install ${needed[*]}"
    exit 1
  fi
fi

if [ "${1:-run}" = test ]; then
  command -v cargo-nextest >/dev/null 2>&1 || cargo install --locked cargo-nextest
  command -v cargo-deny >/dev/null 2>&1 || cargo install --locked cargo-deny
  [ -x tests/.venv/bin/python ] || python3 -m venv tests/.venv
  tests/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
  (cd tests && npm ci --ignore-scripts --no-audit --no-fund --silent)
fi
