#!/usr/bin/env bash
# test_clang: clang, too, builds the library and the programs, float and double, with every warning an error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$BUILD/clang
cmake -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Release \
    -DLOCKSTEP_TESTS=OFF -DLOCKSTEP_WERROR=ON
cmake --build "$build" -j "$(nproc)"
"$build/lockstep" --version
