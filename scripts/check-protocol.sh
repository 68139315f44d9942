#!/usr/bin/env bash
# Fails if the JSON schema that the Python worker checks against is not that of src/domain/attempt.ts.
set -euo pipefail
cd "$(dirname "$0")/.."

schema=worker/bootstrax_worker/protocol.schema.json
before=$(sha256sum "$schema")
node scripts/protocol.mjs
if [[ $(sha256sum "$schema") != "$before" ]]; then
  echo "$schema was stale: src/domain/attempt.ts had changed. It is written anew; commit it." >&2
  exit 1
fi
