#!/bin/bash
# sanitize.sh [address|thread]... [-- REGEX]: builds the core with a sanitizer, each in a folder of its own, and runs the
# core's tests (those that match REGEX) with it. Without arguments: both sanitizers, all core tests. Prints one line for
# each part, and ends with 0 when every test passed and no sanitizer reported anything.
#
# The address sanitizer has optimised code, with all of Swift's own checks: it runs quicker than it builds. The thread
# sanitizer has code as for debugging, which builds in a third of the time. GANTRY_SANITIZE_BUILD=debug or release is for
# both. GANTRY_CRASH_STATES=N has other numbers of crash states than the gate's; CONTRIBUTING.md says how long it takes.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | sed '/^set /d'; }

sanitizers=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
    address | thread) sanitizers+=("$1") ;;
    -h | --help) usage && exit 0 ;;
    *) echo "sanitize: unknown sanitizer '$1' (see --help)" >&2 && exit 2 ;;
    esac
    shift
done
[ ${#sanitizers[@]} -gt 0 ] || sanitizers=(address thread)
if [ $# -gt 0 ] && { [ $# -ne 2 ] || [ -z "$2" ]; }; then
    echo "sanitize: one regular expression belongs behind --" >&2 && exit 2
fi
chosen=${2:-}

# The test targets of the core, one run each: what a report is about is found at once, and the others still run.
targets=(CoreTypesTests MetricArchivesTests BlockIOTests DiskImagesTests CrashTests BlockCopyTests NBDTests DatapathTests)

case ${GANTRY_SANITIZE_BUILD:-} in
"" | release | debug) ;;
*) echo "sanitize: GANTRY_SANITIZE_BUILD is release or debug" >&2 && exit 2 ;;
esac

scratch=$(mktemp -d /tmp/gt-XXXXXX) || exit 1
trap 'rm -rf --one-file-system "$scratch"' EXIT
export GANTRY_TEST_SCRATCH=$scratch GANTRY_CORE_ONLY=1 SWIFT_BACKTRACE=enable=no
# The first report ends the program with this status, so that no test can hide it. Bus errors are ours to handle (files
# that get shorter under a mapping), and a test expects to die of one.
export ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:handle_sigbus=0:exitcode=86
# A data path that has lost its disk ends at once, with whatever threads it has: those are no report.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:handle_sigbus=0:report_thread_leaks=0:exitcode=86

# Its detector of deadlocks knows 128 locks that one thread holds, and stands still at one more: a chain of 200 images has
# more. That test is run by itself, without the detector.
many_locks='aChainOfTwoHundredImages'

failed=0
say() { printf '%s  %s\n' "$1" "$2"; }
fail() { failed=1 && say FAILED "$1"; }
reports() {
    grep -nE 'ERROR: AddressSanitizer|WARNING: ThreadSanitizer|^SUMMARY|error:|recorded an issue|^↳' "$1" | head -40
}

# check_thread_sanitizer BUILD: it finds a race, and does not take waiting for a Mutex for one, which is what
# Sources/System/CLinux/tsan.c is for.
check_thread_sanitizer() {
    local probe=$scratch/mutex log=.build-thread/sanitize-mutex.log
    if ! swiftc -sanitize=thread -swift-version 6 scripts/sanitize/mutex.swift "$1/CLinux.build/tsan.c.o" -o "$probe" >"$log" 2>&1 ||
        ! "$probe" locked >>"$log" 2>&1; then
        reports "$log"
        fail "thread: waiting for a mutex is no race; log: $log"
        return
    fi
    "$probe" race >>"$log" 2>&1
    if [ $? -eq 86 ]; then say passed "thread: a race is found"; else fail "thread: a race is found; log: $log"; fi
}

for sanitizer in "${sanitizers[@]}"; do
    folder=.build-$sanitizer
    mkdir -p "$folder"
    build=(--sanitize="$sanitizer" --scratch-path "$folder")
    kind=${GANTRY_SANITIZE_BUILD:-$([ "$sanitizer" = address ] && echo release || echo debug)}
    [ "$kind" = debug ] || build+=(-c release -Xswiftc -enable-testing)
    log=$folder/sanitize-build.log
    if ! swift build --build-tests "${build[@]}" >"$log" 2>&1; then
        grep -E 'error:' "$log" | head -20
        fail "$sanitizer: the build; log: $log"
        continue
    fi
    products=$(swift build "${build[@]}" --show-bin-path)
    program=$(echo "$products"/*PackageTests.xctest)
    [ "$sanitizer" != thread ] || check_thread_sanitizer "$products"
    ran=0
    for target in "${targets[@]}"; do
        log=$folder/sanitize-$target.log began=$SECONDS
        # `swift test` shows nothing before the end and waits for what the tests left behind.
        selection=(--filter "^$target[.]")
        if [ -n "$chosen" ]; then
            # All filters together choose more, so the others are left out by name.
            selection=(--filter "$chosen")
            for other in "${targets[@]}"; do [ "$other" = "$target" ] || selection+=(--skip "^$other[.]"); done
        fi
        [ "$sanitizer" != thread ] || selection+=(--skip "$many_locks")
        "$program" --testing-library swift-testing --no-parallel "${selection[@]}" >"$log" 2>&1 </dev/null
        status=$?
        count=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | tail -1 | grep -oE '[0-9]+')
        # 69: there are no such tests.
        if [ -n "$chosen" ] && { [ $status -eq 69 ] || { [ $status -eq 0 ] && [ "${count:-0}" = 0 ]; }; } &&
            ! grep -q Sanitizer "$log"; then
            continue
        fi
        # Programs that tests start report into the tests' output, or nowhere: their status makes the test fail.
        if [ $status -eq 0 ] && [ "${count:-0}" -gt 0 ] && ! grep -qE '(Address|Thread)Sanitizer: ' "$log"; then
            ran=$((ran + count))
            say passed "$sanitizer: $target, $count tests in $((SECONDS - began)) s"
        else
            reports "$log"
            fail "$sanitizer: $target (status $status); log: $log"
        fi
    done
    if [ "$sanitizer" = thread ] && [[ -z $chosen || DiskImagesTests.$many_locks =~ $chosen ]]; then
        log=$folder/sanitize-many-locks.log
        if TSAN_OPTIONS=$TSAN_OPTIONS:detect_deadlocks=0 "$program" --testing-library swift-testing --filter "$many_locks" \
            >"$log" 2>&1 </dev/null && grep -q 'Test run with 1 test ' "$log"; then
            ran=$((ran + 1))
            say passed "$sanitizer: $many_locks"
        else
            reports "$log"
            fail "$sanitizer: $many_locks; log: $log"
        fi
    fi
    say "  ====" "$sanitizer: $ran tests passed"
    if [ $ran -eq 0 ]; then fail "$sanitizer: no test ran"; fi
done
[ $failed -eq 0 ] && echo "sanitize: nothing was found" || echo "sanitize: something was found or failed; see above"
exit $failed
