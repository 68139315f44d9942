#!/usr/bin/env bash
# Installs the locked packages into node_modules/ and .venv/ of this checkout. What is there already
# is left alone, so that a second call needs no network and takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { missing+=("$1"$'\n'"      $2"); }

node_version=$(node --version 2>/dev/null || true)
if [[ -z $node_version ]]; then
  need "Node.js 20.19 or newer" "https://nodejs.org, or your distribution's nodejs"
elif ! node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  need "Node.js 20.19 or newer (this is ${node_version#v})" "https://nodejs.org"
fi
command -v npm >/dev/null || need "npm" "comes with Node.js; on Debian: apt-get install npm"
command -v git >/dev/null || need "git" "on Debian: apt-get install git"

python=
for candidate in python3.11 python3.12 python3 python; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
    2>/dev/null; then
    python=$candidate
    break
  fi
done
if [[ -z $python ]]; then
  need "Python 3.11 or 3.12" "on Debian 12: apt-get install python3 python3-venv"
elif ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
  need "the venv module of $python" "on Debian: apt-get install python3-venv"
fi

if ((${#missing[@]})); then
  echo "make setup: this machine lacks" >&2
  printf '  - %s\n' "${missing[@]}" >&2
  exit 1
fi

# Only tests of wrong clocks need it, and are skipped without.
if ! ls /usr/lib*/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1 >/dev/null 2>&1 &&
  [[ $EUID == 0 ]] && command -v apt-get >/dev/null; then
  apt-get install -qq -y faketime >/dev/null 2>&1 ||
    echo "make setup: no libfaketime (apt-get install faketime): tests of wrong clocks will be skipped" >&2
fi

# Prints what an installation depends on; it is current if its stamp says the same.
state_of() { sha256sum "$1" | cut -d' ' -f1; }

node_state="$(state_of package-lock.json) $(node -p 'process.versions.modules')"
if [[ $(cat node_modules/.installed 2>/dev/null) != "$node_state" ]]; then
  echo "Installing the Node packages ..."
  npm ci --no-audit --no-fund --prefer-offline --loglevel=error
  echo "$node_state" >node_modules/.installed
fi

python_state="$(state_of worker/requirements.lock) $("$python" -c 'import sys; print(sys.version)' | tr '\n' ' ')"
if [[ $(cat .venv/.installed 2>/dev/null) != "$python_state" ]]; then
  echo "Installing the Python packages (strax, straxen, the embedded database): some minutes ..."
  if ! .venv/bin/python -c 'import sys; sys.exit(0)' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv
  fi
  requirements=worker/requirements.lock
  if ! command -v cc >/dev/null ||
    ! "$python" -c 'import sysconfig; open(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; then
    echo "make setup: no C compiler or no Python headers (apt-get install gcc python3-dev): without npshmex, strax's worker processes pass data on through pipes" >&2
    requirements=$(mktemp)
    grep -viE '^(npshmex|SharedArray)==' worker/requirements.lock >"$requirements"
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements"
  echo "$python_state" >.venv/.installed
fi
