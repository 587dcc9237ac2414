#!/usr/bin/env bash
# test_sanitize: unit tests and a short training on two ranks under AddressSanitizer, its leak check, and UBSan.
#
#   test_sanitize.sh           builds $BUILD/sanitize
#   test_sanitize.sh PART      runs a part there: core, io, dist: the unit tests; program: a training; broken_data, fuzz,
#                              images: test_broken_data.sh, test_fuzz.sh, test_images.sh; sounds: test_speech.sh's broken files
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$BUILD/sanitize

# Float only: double is the same source with another type. Open MPI unloads its plug-ins at the end, and the leak check
# then can't name where their blocks came from: so nothing is unloaded, and lsan.supp passes over what MPI itself leaves.
build() {
    mkdir -p "$build"
    echo 'int dlclose(void *handle) { (void)handle; return 0; }' >"$build/keep.c"
    cc -c -o "$build/keep.o" "$build/keep.c"
    cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=None "-DCMAKE_C_FLAGS=-O1 -g1" "-DCMAKE_CXX_FLAGS=-O0 -g1" \
        "-DCMAKE_EXE_LINKER_FLAGS=$build/keep.o" -DLOCKSTEP_SANITIZE=ON
    cmake --build "$build" -j "$(nproc)" --target lockstep test_core test_io test_dist
}

# A small data set, a run that is stopped and resumed, its evaluation, a dump; then refusals, which take other ways
# through the code.
program() {
    /usr/bin/python3 - <<'DATA'
import h5py
import numpy

random = numpy.random.default_rng(1)
with h5py.File("small.h5", "w") as data:
    for split, rows in (("train", 50), ("valid", 20), ("test", 20)):
        data[split + "/x"] = random.integers(0, 256, (rows, 28, 28, 1), dtype=numpy.uint8)
        data[split + "/y"] = numpy.arange(rows, dtype=numpy.uint8) % 10
        data[split + "/x"].attrs["scale"] = 1 / 255
DATA
    cat >small.yaml <<'JOB'
data: small.h5
run: run
model: lenet classes=10
optimizer: adam rate=0.001 clip=1
batch: 16
shards: 4
JOB
    mpirun --oversubscribe -n 2 "$build/lockstep" train small.yaml steps=5
    mpirun --oversubscribe -n 2 "$build/lockstep" train small.yaml steps=9
    "$build/lockstep" evaluate run --split test
    "$build/lockstep" check small.yaml --dump pass.h5 --rows 4
    cat >chains.yaml <<'JOB'
data: small.h5
run: chains
net: dense units=9 visible=1
objective: rbm chains=5
optimizer: sgd rate=0.01
batch: 16
shards: 4
JOB
    mpirun --oversubscribe -n 2 "$build/lockstep" train chains.yaml steps=3
    mpirun --oversubscribe -n 3 "$build/lockstep" train chains.yaml steps=6
    mpirun --oversubscribe -n 2 "$build/lockstep" evaluate chains
    "$build/lockstep" list >/dev/null

    local wrong code
    for wrong in 'bacth=3' 'data=none.h5' 'model=lenet klasses=10'; do
        code=0
        mpirun --oversubscribe -n 2 "$build/lockstep" train small.yaml run=other "$wrong" >refused.log 2>&1 || code=$?
        if [ $code != 64 ] && [ $code != 65 ]; then
            cat refused.log >&2
            echo "$wrong: expected code 64 or 65, found $code" >&2
            exit 1
        fi
    done
}

export LSAN_OPTIONS=suppressions=$root/tests/launch/lsan.supp:fast_unwind_on_malloc=0:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS=strict_string_checks=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work # MPI's own files: jobs that end at the same time can remove each other's
cd "$work"
case ${1:-} in
'') build ;;
core | io) "$build/tests/test_$1" --gtest_brief=1 ;;
dist) mpirun --oversubscribe -n 2 "$build/tests/test_dist" --gtest_brief=1 ;;
program) program ;;
broken_data) BUILD=$build env -u TMPDIR bash "$root/tests/launch/test_broken_data.sh" 1 ;;
fuzz) BUILD=$build env -u TMPDIR bash "$root/tests/launch/test_fuzz.sh" 15 ;;
images) BUILD=$build env -u TMPDIR bash "$root/tests/launch/test_images.sh" ;;
sounds) BUILD=$build env -u TMPDIR bash "$root/tests/launch/test_speech.sh" broken ;;
*)
    echo "test_sanitize.sh: expected core, io, dist, program, broken_data, fuzz, images or sounds, found '$1'" >&2
    exit 64
    ;;
esac
