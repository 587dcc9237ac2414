#!/usr/bin/env bash
# test_library: the C programs of launch/README.md, compiled against the installed package through pkg-config and through CMake,
# in float and in double. The first learns, saves and loads, and a job of the program takes the weights that it saved. The
# second trains on 1 and 2 ranks, is killed and started again, and its parameters are those of `lockstep train`.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cmake --install "$BUILD" --prefix "$work/prefix" >/dev/null
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name lockstep.pc)")

# The first block of C in a section of a file.
program_of() {
    awk -v title="## $2" '
        /^## / { found = $0 == title }
        /^```/ { inside = found && $0 == "```c"; next }
        inside' "$1"
}

program_of "$tests/../launch/README.md" 'A net in a C program' >program.c
program_of "$tests/../launch/README.md" 'A training run from a C program' >train.c
for program in program train; do
    grep -q 'int main' $program.c || fail "expected a C program, $program.c, in the README"
    [ "$(wc -l <$program.c)" -le 40 ] || fail "the README's $program.c has more than 40 lines"
done

# The program learned to classify at least 97 %, and saved the weights file and its checksum.
right() {
    awk '$2 == "of" && $4 == "right" { good = $1 >= 0.97 * $3 } END { exit !good }' out ||
        fail 'expected at least 97 % right'
    [ -s weights.h5 ] && [ -s weights.ok ] || fail 'expected weights.h5 and weights.ok'
}

for suffix in '' -double; do
    read -ra flags <<<"$(pkg-config --cflags --libs "lockstep$suffix")"
    cc -std=c11 -O1 -Wall -Wextra -Werror program.c -o "by_pkg_config$suffix" "${flags[@]}" \
        "-Wl,-rpath,$(pkg-config --variable=libdir "lockstep$suffix")"
    rm -f weights.h5 weights.ok
    expect 0 "./by_pkg_config$suffix"
    right
done

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(user LANGUAGES C)
find_package(lockstep REQUIRED)
add_executable(by_cmake program.c)
target_link_libraries(by_cmake lockstep::lockstep)
END
expect 0 cmake -S . -B build -DCMAKE_PREFIX_PATH="$work/prefix"
expect 0 cmake --build build
rm weights.ok
expect 0 build/by_cmake # over the weights that lockstep-double left, without its .ok
right

# A job of the program with the same net takes these weights; h5py finds them by their names.
"$python" - <<'END'
import h5py
import numpy

with h5py.File("weights.h5") as file:
    shapes = {name: file[f"model/net/{name}"].shape for name in ("dense1/weight", "dense1/bias", "dense2/weight")}
    assert shapes == {"dense1/weight": (32, 2), "dense1/bias": (32,), "dense2/weight": (2, 32)}, shapes
x = numpy.random.default_rng(2).random((200, 2), dtype=numpy.float32)
r = numpy.hypot(x[:, 0] - 0.5, x[:, 1] - 0.5)
with h5py.File("data.h5", "w") as data:
    for split in "train", "valid", "test":
        data[split + "/x"] = x
        data[split + "/y"] = (r * r < 0.1).astype(numpy.uint8)
END
cat >job.yaml <<'END'
data: data.h5
net: |
  dense units=32
  activation function=tanh
  dense units=2
optimizer: sgd rate=1e-12
run: run
steps: 1
END
expect 0 "$lockstep" train job.yaml --weights weights.h5
expect 0 "$lockstep" evaluate run --json
"$python" -c "import json; assert json.loads(open('out').read())['accuracy'] > 0.93"
expect 65 "$lockstep" train job.yaml run=other --resume=weights.h5
says 'parameters only'

# The second program, on 1 and 2 ranks, as it stands.
build_train() { # PROGRAM
    read -ra flags <<<"$(pkg-config --cflags --libs lockstep)"
    cc -std=c11 -O1 -Wall -Wextra -Werror train.c -o "$1" "${flags[@]}" "-Wl,-rpath,$(pkg-config --variable=libdir lockstep)"
}
newest() { # RUN
    find "$1/checkpoints" -name 'step-*.h5' | sort | tail -n 1
}
has_passed_step_70() { # only the newest checkpoints stay, so a certain one may be gone already
    [[ $(newest run 2>/dev/null) > run/checkpoints/step-00000069.h5 ]]
}
build_train train
for count in 1 2; do
    rm -rf run
    expect 0 ranks $count ./train
    says 'step 140: valid loss'
    mv run run$count
done
expect 0 "$lockstep" train run1/job.yaml run=theirs
wanted=$(digest --all "$(newest theirs)")
same 'the program on 1 rank and lockstep train' "$(digest --all "$(newest run1)")" "$wanted"
same 'the program on 2 ranks and lockstep train' "$(digest --all "$(newest run2)")" "$wanted"
expect 0 "$lockstep" evaluate run2 --json
"$python" -c "import json; assert json.loads(open('out').read())['accuracy'] > 0.9"

# A rank is killed while the program trains; started again on one rank, it goes on. With HALT rank 0 waits for that at step 70.
sed -i -e 's/epochs = 20/epochs = 40/' -e 's/^#include <stdio.h>/&\n#include <stdlib.h>\n#include <unistd.h>/' \
    -e 's/(void)context;/&\n    if (getenv("HALT") \&\& now->run_step >= 70)\n        pause();/' train.c
build_train long
expect 0 ranks 1 ./long
mv run whole
HALT=1 start 2 ./long
wait_until has_passed_step_70
kill -KILL "$(pgrep -P "$started" -f long | tail -n 1)"
finish
[ $code != 0 ] || fail 'the program ended before it was killed'
stood=$(newest run)
[ "$stood" != run/checkpoints/step-00000280.h5 ] || fail 'the program was done before it was killed'
expect 0 ranks 1 ./long
same 'a killed program and one that was not' "$(digest --all "$(newest run)")" "$(digest --all "$(newest whole)")"

# A misspelt layer is named in the message.
sed -i 's/dense units=2/dens units=2/' program.c
cc -std=c11 -O1 program.c -o wrong "${flags[@]}" "-Wl,-rpath,$(pkg-config --variable=libdir lockstep)"
expect 64 ./wrong
says 'there is no layer dens: did you mean dense?'
