#!/bin/bash
# crash-run.sh [STATES [REGEX]]: the long run of the crash tests: STATES crash states (10,000) for each kind of image,
# or only for the kinds whose name has REGEX. Prints the counts; ends with 0 when every state was good. A failure names
# its seed: GANTRY_TEST_SEED=N replays it, with the same number of states.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export GANTRY_CRASH_STATES=${1:-10000} GANTRY_CRASH_KINDS=${2:-} GANTRY_CORE_ONLY=1
swift build --build-tests
log=.build/crash-run.log
status=0
swift test --skip-build --no-parallel --filter '^CrashTests' >"$log" 2>&1 || status=$?
grep -E 'crash states|crash states \(|^↳|recorded an issue' "$log" || true
echo "crash-run: ended with $status; log: $log"
exit $status
