#!/usr/bin/env bash
# What only the tests need. Programs of the system are installed where that is possible without asking
# (Debian or Ubuntu, as root); otherwise this says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

# The fuzzer of the dashboard's API, in an environment of its own: its packages are none of the worker's.
fuzzer=tests/integration/dashboard/fuzz/requirements.lock
state=$(sha256sum "$fuzzer" | cut -d' ' -f1)
if [[ $(cat .venv/fuzz/.installed 2>/dev/null) != "$state" ]]; then
  echo "Installing the fuzzer of the dashboard's API ..."
  .venv/bin/python -m venv --clear .venv/fuzz
  .venv/fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r "$fuzzer"
  echo "$state" >.venv/fuzz/.installed
fi

missing=()
command -v strace >/dev/null || missing+=(strace)
# Certificates of mail servers.
command -v openssl >/dev/null || missing+=(openssl)
# Without the zones' files every zone is silently UTC.
[[ -e /usr/share/zoneinfo/Asia/Kathmandu ]] || missing+=(tzdata)
# The dashboard is tested in a real browser.
command -v chromium >/dev/null || missing+=(chromium)
# Metrics, alert rules and their tests are checked by Prometheus's own tool.
command -v promtool >/dev/null || missing+=(prometheus)
# A real Slurm is started on the loopback interface.
command -v slurmctld >/dev/null || missing+=(slurm-wlm)
command -v munged >/dev/null || missing+=(munge)
((${#missing[@]})) || exit 0

if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
  echo "Installing ${missing[*]} for the tests ..."
  apt-get update -qq
  packages=()
  for name in "${missing[@]}"; do
    if [[ $name == prometheus ]]; then
      # The package would start a server as well: of it only the tool is wanted.
      folder=$(mktemp -d)
      trap 'rm -rf "$folder"' EXIT
      (cd "$folder" && apt-get download -qq -o APT::Sandbox::User=root prometheus)
      dpkg-deb --extract "$folder"/prometheus_*.deb "$folder"
      install "$folder/usr/bin/promtool" /usr/local/bin/
    else
      packages+=("$name")
    fi
  done
  ((${#packages[@]})) || exit 0
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}"
else
  echo "make test: this machine lacks ${missing[*]}: install it with the system's package manager," >&2
  echo "on Debian: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
