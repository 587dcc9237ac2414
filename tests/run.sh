#!/usr/bin/env bash
# run: installs the packages that the tests need, builds with every warning an error, and runs all tests.
#
#   tests/run.sh                  everything; the last line is ctest's summary, the exit code ctest's
#   tests/run.sh -R core          arguments go to ctest, as in -R 'core|dist'; builds only what the chosen tests need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build-tests
jobs=$(nproc)
SECONDS=0

# The build targets of the tests that ctest would run with these arguments.
targets() {
    local name
    ctest --test-dir $build -N "$@" 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: //p' | while read -r name; do
        case $name in
        test_core_double*) echo test_core_double ;;
        test_core*) echo test_core ;;
        test_dist*) echo test_dist ;;
        test_io | test_launch) echo "$name" ;;
        test_rules | test_format | test_clang | test_sanitize*) ;; # they build what they need themselves
        test_hosts) echo manual lockstep lockstep-double fault test_dist ;;
        *) echo manual lockstep lockstep-double fault ;;
        esac
    done | tr ' ' '\n' | sort -u
}

launch/install/packages.sh tests
cmake -S . -B $build -DCMAKE_BUILD_TYPE=Release -DLOCKSTEP_TESTS=ON -DLOCKSTEP_WERROR=ON
wanted=all
[ $# = 0 ] || wanted=$(targets "$@")
# shellcheck disable=SC2086 # several words
[ -z "$wanted" ] || cmake --build $build -j "$jobs" --target $wanted
printf '\nbuilt after %d s\n' $SECONDS

code=0
ctest --test-dir $build -j "$jobs" --output-on-failure --no-tests=error "$@" | tee $build/ctest.log ||
    code=${PIPESTATUS[0]}
printf '\nall of it took %d s\n' $SECONDS
grep 'tests passed' $build/ctest.log || true
exit "$code"
