#!/bin/bash
# crash-run.sh [STATES [PART]]: the long run of the crash tests: STATES crash states (10,000) for each kind of image and
# each work on a chain, or only for those whose names have PART in them ("raw", "VHD", "bitmaps"). Prints the seeds and
# the counts; ends with 0 when every state was good, with 2 when no kind has PART in its name. A failure names its seed:
# GANTRY_TEST_SEED=N replays it, with the same number of states. Optimised code, which is several times quicker;
# GANTRY_CRASH_BUILD has other options for the build ("" builds as for debugging).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() { echo "crash-run: $*" >&2 && exit 2; }
states=${1:-10000} part=${2:-}
[[ $states =~ ^[1-9][0-9]*$ ]] || fail "'$states' is no number of crash states"
# Before minutes of building: the names as the tests have them.
grep -ohE 'name: "[^"]+"' Tests/Images/CrashTests/Crash{Kinds,ChainTests}.swift | grep -F -- "$part" >/dev/null ||
    fail "no kind of image and no work on a chain has '$part' in its name (Tests/Images/CrashTests/CrashKinds.swift)"

export GANTRY_CRASH_STATES=$states GANTRY_CRASH_KINDS=$part GANTRY_CORE_ONLY=1
read -ra build <<<"--scratch-path .build-crash ${GANTRY_CRASH_BUILD--c release -Xswiftc -enable-testing}"
swift build --build-tests "${build[@]}"
scratch=$(mktemp -d /tmp/gt-XXXXXX)
trap 'rm -rf --one-file-system "$scratch"' EXIT
log=.build-crash/crash-run.log
status=0
program=$(echo "$(swift build "${build[@]}" --show-bin-path)"/*PackageTests.xctest)
GANTRY_TEST_SCRATCH=$scratch "$program" --testing-library swift-testing --no-parallel \
    --filter 'CrashTests.*everyCrashState' >"$log" 2>&1 </dev/null || status=$?
grep -E ': seed |crash states \(|^↳|recorded an issue' "$log" || true
sum=$({ grep -oE '[0-9]+ crash states \(' "$log" || true; } | awk '{ sum += $1 } END { print sum + 0 }')
# A program that ran nothing has proved nothing.
[ "$status" -ne 0 ] || [ "$sum" -gt 0 ] || status=2
echo "crash-run: $sum crash states; ended with $status; log: $log"
exit "$status"
