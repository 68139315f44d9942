#!/usr/bin/env bash
# All vitest tests. Files that fail beside the others are run once more by themselves: what fails
# then has a defect; what passes then is named, and to be looked at. Unit tests get no second run.
set -euo pipefail
cd "$(dirname "$0")/.."

MOST_TRIED_AGAIN=5

FAILED_TEST_FILES=$(mktemp)
export FAILED_TEST_FILES
trap 'rm -f "$FAILED_TEST_FILES"' EXIT

if npx --no-install vitest run; then exit 0; fi

mapfile -t failed <"$FAILED_TEST_FILES"
if ((${#failed[@]} == 0 || ${#failed[@]} > MOST_TRIED_AGAIN)); then exit 1; fi
for file in "${failed[@]}"; do
  # An error without a file belongs to no test that could be run again.
  if [[ $file == tests/unit/* || ! -f $file ]]; then exit 1; fi
done
echo
echo "Run once more, one after the other: ${failed[*]}"
npx --no-install vitest run --no-file-parallelism "${failed[@]}"
echo "Passed only by themselves: ${failed[*]}"
