#!/bin/bash
# crash-run.sh [STATES [PART]]: the long run of the crash tests: STATES crash states (10,000) for each kind of image and
# each work on a chain, or only for those whose names have PART in them ("raw", "VHD", "bitmaps"). Prints the seeds and
# the counts; ends with 0 when every state was good. A failure names its seed: GANTRY_TEST_SEED=N replays it, with the
# same number of states. GANTRY_CRASH_BUILD may hold options for the build, as "-c release -Xswiftc -enable-testing".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export GANTRY_CRASH_STATES=${1:-10000} GANTRY_CRASH_KINDS=${2:-} GANTRY_CORE_ONLY=1
read -ra build <<<"--scratch-path .build-core ${GANTRY_CRASH_BUILD:-}"
swift build --build-tests "${build[@]}"
log=.build-core/crash-run.log
status=0
swift test --skip-build "${build[@]}" --no-parallel --filter 'CrashTests.*everyCrashState' >"$log" 2>&1 || status=$?
grep -E ': seed |crash states \(|^↳|recorded an issue' "$log" || true
sum=$({ grep -oE '[0-9]+ crash states \(' "$log" || true; } | awk '{ sum += $1 } END { print sum + 0 }')
echo "crash-run: $sum crash states; ended with $status; log: $log"
exit $status
