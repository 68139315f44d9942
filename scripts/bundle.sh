#!/usr/bin/env bash
# Makes dist/bootstrax-VERSION-linux-x64.tar.gz: all that an event builder without internet needs but
# Python itself. What was downloaded for it stays in .bundle/, for the next time.
#   NODE=/path/to/node           another Node than the one that runs here
#   NODE_LICENSE=/path/LICENSE   its licence, where it does not lie beside it
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "[$1/6] $2 ..."; }
fail() {
  echo "make bundle: $*" >&2
  exit 1
}

python=.venv/bin/python
node=$(readlink -f "${NODE:-$(command -v node)}")
version=$(node -p "require('./package.json').version")
name=bootstrax-$version-linux-x64
[[ $(uname -sm) == "Linux x86_64" ]] || fail "bundles are made on Linux x86_64, this is $(uname -sm)"

say 1 "Checking $node"
# A Node of a distribution may be a small program with all the rest in libraries of its own.
strange=$(ldd "$node" | awk '{print $1}' |
  grep -Ev '^(linux-vdso|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+|atomic)\.so|/lib64/ld-linux)' || true)
[[ -z $strange ]] ||
  fail "$node needs ${strange//$'\n'/, }: take the official build from https://nodejs.org (NODE=...)"
license=${NODE_LICENSE:-}
for candidate in "${node%/bin/node}"/{LICENSE,share/doc/nodejs/LICENSE}; do
  [[ -z $license && -f $candidate ]] && license=$candidate
done
[[ -f $license ]] || fail "no licence of $node found: name it with NODE_LICENSE=..."

say 2 "Looking for the built program"
[[ -f dist/bootstrax.mjs ]] || fail "there is no dist/bootstrax.mjs: call 'make bundle'"

python_version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
lock=$(sha256sum worker/requirements.lock | cut -c1-16)
wheels=.bundle/wheels-$python_version-$lock
if [[ ! -e $wheels/.complete ]]; then
  say 3 "Collecting Python packages for Python $python_version"
  mkdir -p "$wheels"
  "$python" -m pip wheel --quiet --disable-pip-version-check --no-input --no-deps \
    --requirement worker/requirements.lock --wheel-dir "$wheels"
  touch "$wheels/.complete"
else
  say 3 "Python packages for Python $python_version are there from last time"
fi

say 4 "Putting it together"
stage=.bundle/stage
rm -rf "$stage"
root=$stage/$name
mkdir -p "$root"/{app/bin,app/dist,app/worker,app/packaging,node/bin,licenses}
cp packaging/bundle/install.sh "$root/"
cp packaging/bundle/bootstrax "$root/app/bin/"
cp -r dist/bootstrax.mjs dist/bootstrax.mjs.map dist/web "$root/app/dist/"
cp package.json README.md CHANGELOG.md CONTRIBUTING.md LICENSE "$root/app/"
# Only what belongs to the project: whatever else lies about in these folders stays here.
git ls-files -z config docs examples packaging/systemd client/bootstrax_client \
  client/pyproject.toml client/README.md worker/bootstrax_worker worker/README.md \
  worker/pyproject.toml worker/requirements.lock |
  xargs -0 cp --parents -t "$root/app"
cp "$node" "$root/node/bin/node"
cp "$license" "$root/node/LICENSE"
ln "$wheels"/*.whl -t "$(mkdir -p "$root/wheels" && echo "$root/wheels")"
# The npm packages are inside bootstrax.mjs; their licences ask to go along.
npm ls --omit=dev --all --parseable 2>/dev/null | tail -n +2 | while read -r package; do
  [[ -d $package ]] || continue
  into=$root/licenses/${package#*/node_modules/}
  found=$(find "$package" -maxdepth 1 -type f -iname 'licen[cs]e*')
  [[ -n $found ]] || continue
  mkdir -p "$into"
  xargs cp -t "$into" <<<"$found"
done
cat >"$root/MANIFEST" <<EOF
version: $version
commit: $(git rev-parse HEAD)
node: $("$node" --version) ($("$node" -p 'process.release.name + " release, " + process.arch'), sha256 $(sha256sum "$node" | cut -d' ' -f1))
python: $python_version
glibc: $(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
wheels: $(find "$root/wheels" -name '*.whl' | wc -l)
EOF

say 5 "Adding up checksums"
(cd "$root" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)

say 6 "Packing dist/$name.tar.gz"
# The same content gives the same archive.
tar --create --directory "$stage" --sort=name --owner=0 --group=0 --numeric-owner \
  --mode='u+rwX,go+rX,go-w' --mtime="@$(git log -1 --format=%ct)" "$name" |
  gzip --no-name -1 >"dist/$name.tar.gz.part"
mv "dist/$name.tar.gz.part" "dist/$name.tar.gz"
rm -rf "$stage"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
du -h "dist/$name.tar.gz" | cut -f1 | xargs -I{} echo "dist/$name.tar.gz, {}, with Node $("$node" --version)"
