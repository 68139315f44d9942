#!/usr/bin/env bash
# Programs of the system that only the tests need. Installed where that is possible without asking
# (Debian or Ubuntu, as root); otherwise says what to install.
set -euo pipefail

missing=()
command -v strace >/dev/null || missing+=(strace)
# Without the zones' files every zone is silently UTC.
[[ -e /usr/share/zoneinfo/Asia/Kathmandu ]] || missing+=(tzdata)
# The dashboard is looked at in a real browser.
command -v chromium >/dev/null || missing+=(chromium)
# Metrics, alert rules and their tests are checked by Prometheus's own tool.
command -v promtool >/dev/null || missing+=(prometheus)
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
