#!/usr/bin/env bash
# Checks what lies here without an account: layout, syntax, wiring of the modules, and the rules of checkov.
set -euo pipefail
cd "$(dirname "$0")/.."

checkov=3.3.30
hcl2=8.1.4
venv=terraform/.venv
if [ "$(cat "$venv/versions" 2>/dev/null)" != "$checkov $hcl2" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov"
  # Apart: checkov brings its own parser under the same name.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$venv/hcl2" "python-hcl2==$hcl2"
  echo "$checkov $hcl2" > "$venv/versions"
fi

if command -v terraform >/dev/null 2>&1; then
  terraform fmt -check -recursive terraform
  # Terraform's own parser reads every module; that needs no provider.
  terraform -chdir=terraform get >/dev/null
else
  # No package of Debian, PyPI or npm carries it: what remains is parsed by python-hcl2 and judged by checkov.
  echo "terraform is not installed: its layout and its own parser are not checked here"
fi
echo "nothing is planned or applied: that needs the provider and an account"

PYTHONPATH="$venv/hcl2" "$venv/bin/python" -B terraform/check_wiring.py

# Every variable of a task and of the image stands in the table of keys.
grep -rhoE --include='*.tf' --include=Dockerfile --exclude-dir='.*' 'SEVA_[A-Z]+_[A-Z_]+' terraform | sort -u | while read -r name; do
  grep -q "| $name |" docs/operations.md || { echo "$name is not in docs/operations.md"; exit 1; }
done

"$venv/bin/checkov" --directory terraform --skip-path terraform/.venv --skip-download --quiet --compact
