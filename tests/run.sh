#!/usr/bin/env bash
# run: installs what the tests need, builds with every warning an error, and runs all tests.
#
#   tests/run.sh                  everything; the last line is the summary, the exit code ctest's
#   tests/run.sh -R lenet         arguments go to ctest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=build-tests
jobs=$(nproc)
SECONDS=0

launch/install/packages.sh tests
cmake -S . -B $build -DCMAKE_BUILD_TYPE=Release -DLOCKSTEP_TESTS=ON -DLOCKSTEP_WERROR=ON
cmake --build $build -j "$jobs"
printf '\nbuilt after %d s\n' $SECONDS

code=0
ctest --test-dir $build -j "$jobs" --output-on-failure --no-tests=error "$@" | tee $build/ctest.log ||
    code=${PIPESTATUS[0]}
printf '\nall of it took %d s\n' $SECONDS
grep 'tests passed' $build/ctest.log || true
exit "$code"
