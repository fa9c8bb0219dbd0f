#!/bin/bash
# sanitize.sh [address|thread]... [-- REGEX]: builds the core with a sanitizer, each in a folder of its own, and runs the
# core's tests (those that match REGEX) with it. Without arguments: both sanitizers, all core tests. Ends with 0 when
# nothing was found.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

sanitizers=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    address | thread) sanitizers+=("$1") ;;
    *) echo "sanitize: unknown sanitizer '$1'" >&2 && exit 2 ;;
    esac
    shift
done
[ ${#sanitizers[@]} -gt 0 ] || sanitizers=(address thread)
filter=(); [ $# -gt 1 ] && filter=(--filter "$2")

# The first report ends the run: what comes after it is of no use.
export GANTRY_CORE_ONLY=1 SWIFT_BACKTRACE=enable=no
# Bus errors are ours to handle (files that get shorter under a mapping), and a test expects to die of one.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:handle_sigbus=0
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:handle_sigbus=0
failed=0
for sanitizer in "${sanitizers[@]}"; do
    folder=.build-$sanitizer
    log=$folder/sanitize.log
    mkdir -p "$folder"
    swift build --build-tests --sanitize="$sanitizer" --scratch-path "$folder" >"$log" 2>&1 &&
        swift test --skip-build --no-parallel --sanitize="$sanitizer" --scratch-path "$folder" "${filter[@]}" >>"$log" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        echo "passed  $sanitizer sanitizer: $(grep -E 'Test run with' "$log" | tail -1)"
    else
        failed=1
        grep -nE 'ERROR: AddressSanitizer|WARNING: ThreadSanitizer|SUMMARY|error:|recorded an issue|^↳' "$log" | head -40
        echo "FAILED  $sanitizer sanitizer (status $status); log: $log"
    fi
done
exit $failed
