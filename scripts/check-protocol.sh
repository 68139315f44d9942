#!/usr/bin/env bash
# Fails if a file that the Python worker shares with src/ is not what src/ says.
set -euo pipefail
cd "$(dirname "$0")/.."

files=(worker/bootstrax_worker/{protocol.schema,crash_points}.json)
before=$(sha256sum "${files[@]}")
node scripts/protocol.mjs
if [[ $(sha256sum "${files[@]}") != "$before" ]]; then
  echo "stale: src/attempt/attempt.pure.ts or src/infra/crash-points/points.ts had changed." >&2
  echo "These are written anew; commit them: ${files[*]}" >&2
  exit 1
fi
