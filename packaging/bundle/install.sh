#!/bin/sh
# Installs this version of bootstrax below a folder of yours: no network, no root.
#   ./install.sh --prefix DIR [--python PYTHON] [--no-switch]
# PREFIX/versions/VERSION is this version, whole; PREFIX/current is a symbolic link to the one in use.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
prefix=
python=
switch=yes

usage() {
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || usage; prefix=$2; shift 2 ;;
    --python) [ $# -ge 2 ] || usage; python=$2; shift 2 ;;
    --no-switch) switch=no; shift ;;
    *) usage ;;
  esac
done
[ -n "$prefix" ] || usage

fail() {
  echo "install.sh: $*" >&2
  exit 1
}

field() { sed -n "s/^$1: //p" "$here/MANIFEST"; }
version=$(field version)
wanted_python=$(field python)

echo "[1/5] Checking the files of version $version ..."
[ "$(uname -sm)" = "Linux x86_64" ] || fail "this bundle is for Linux on x86_64, this is $(uname -sm)"
(cd "$here" && sha256sum --quiet --strict --check SHA256SUMS) ||
  fail "the bundle is damaged: unpack it again, or fetch it again"
"$here/node/bin/node" --version >/dev/null ||
  fail "its Node does not run here: it needs glibc $(field glibc) or newer"

is_wanted() {
  "$1" -c "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] != '$wanted_python')" \
    >/dev/null 2>&1
}
if [ -n "$python" ]; then
  is_wanted "$python" || fail "$python is not Python $wanted_python with the module venv"
else
  for candidate in "python$wanted_python" python3 /usr/bin/python3; do
    if is_wanted "$candidate"; then
      python=$candidate
      break
    fi
  done
  [ -n "$python" ] || fail "no Python $wanted_python with the module venv is found: name it with --python" \
    "(on Debian: apt-get install python$wanted_python-venv)"
fi

mkdir -p "$prefix/versions"
prefix=$(cd "$prefix" && pwd -P)
target=$prefix/versions/$version

if [ -e "$target/.installed" ]; then
  echo "Version $version is installed already in $target"
else
  # What is there without that mark was left behind by an installation that was interrupted.
  if [ -e "$target" ]; then
    [ -e "$target/.installing" ] || fail "$target exists and is none of ours: remove it"
    rm -rf "$target"
  fi
  mkdir "$target"
  : >"$target/.installing"

  echo "[2/5] Copying the program to $target ..."
  cp -R "$here/app/." "$target/"
  cp -R "$here/node" "$here/licenses" "$target/"
  cp "$here/MANIFEST" "$target/MANIFEST"

  echo "[3/5] Installing $(field wheels) Python packages with $python: a minute or two ..."
  "$python" -m venv "$target/.venv"
  # Isolated: neither variables nor files of the user's reach pip.
  "$target/.venv/bin/python" -m pip --isolated --disable-pip-version-check --no-input --no-cache-dir \
    install --quiet --no-index --no-deps --no-compile --find-links "$here/wheels" \
    --requirement "$target/worker/requirements.lock"

  echo "[4/5] Compiling them ..."
  # A few packages bring files for other versions of Python, which do not compile.
  "$target/.venv/bin/python" -m compileall -q -j 0 "$target/.venv/lib" "$target/worker" >/dev/null ||
    true
  "$target/bin/bootstrax" config --json >/dev/null || fail "the installed program does not run"
  mv "$target/.installing" "$target/.installed"
fi

if [ "$switch" = yes ]; then
  echo "[5/5] Switching $prefix/current to $version ..."
  # By rename, so that at no moment there is no version.
  ln -sfn "versions/$version" "$prefix/current.$$"
  mv -fT "$prefix/current.$$" "$prefix/current"
else
  echo "[5/5] Not switching; to do it:"
  echo "  ln -sfn versions/$version $prefix/current.new && mv -T $prefix/current.new $prefix/current"
fi
echo "Done. $target/bin/bootstrax doctor says what is missing on this machine."
