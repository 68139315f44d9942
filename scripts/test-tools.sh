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
((${#missing[@]})) || exit 0

if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
  echo "Installing ${missing[*]} for the tests ..."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
else
  echo "make test: this machine lacks ${missing[*]}: install it with the system's package manager," >&2
  echo "on Debian: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
