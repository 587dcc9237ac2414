#!/usr/bin/env bash
# test_install: cmake --install gives programs, libraries, headers and packages that C and C++ programs elsewhere can
# use, through CMake and through pkg-config, in float and in double.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

cmake --install "$BUILD" --prefix "$prefix" >/dev/null
for file in bin/lockstep bin/lockstep-double include/lockstep/lockstep.h include/lockstep/core/net.h \
    share/lockstep/jobs/lenet.yaml; do
    [ -e "$prefix/$file" ] || {
        echo "expected $file below the prefix, found only: $(cd "$prefix" && find . | tr '\n' ' ')" >&2
        exit 1
    }
done
# The program finds its library after the whole prefix was moved.
mv "$prefix" "$work/moved"
prefix=$work/moved
env -u LD_LIBRARY_PATH "$prefix/bin/lockstep" --version
env -u LD_LIBRARY_PATH "$prefix/bin/lockstep-double" --version
# Neither it nor the one in the build folder looks for libraries in the current folder.
mkdir "$work/here"
for program in "$BUILD/lockstep" "$prefix/bin/lockstep"; do
    (cd "$work/here" && env -u LD_LIBRARY_PATH "$BUILD/tests/fault" --log "$work/calls" -- "$program" --version >/dev/null)
    [ ! -s "$work/calls" ] || {
        echo "expected that $program opens nothing in the current folder, found: $(head -n 1 "$work/calls")" >&2
        exit 1
    }
done
packages=$(dirname "$(find "$prefix" -name lockstep.pc)")

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir "$work/user"
cd "$work/user"
# One source for C and C++: a net of zero weights and softmax gives each of its 4 classes the same share.
cat >program.c <<'END'
#include <lockstep/lockstep.h>
#include <stdio.h>

int main(void)
{
    ls_error error;
    ls_shape row = {1, {3}};
    ls_params *params = ls_params_create();
    static ls_build build; /* one thread, the usual kernels */
    ls_net *net = ls_net_build(params, &build, "net", "dense units=4 init=zero\nsoftmax\n", &row, &error);
    if (!net) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    real *values = (real *)ls_alloc((size_t)params->size, sizeof *values);
    real *prepared = (real *)ls_alloc((size_t)params->prepared_size, sizeof *prepared);
    ls_params_commit(params, values, prepared);
    ls_params_initialize(params, 1, NULL);
    ls_net_prepare(net, NULL, 0, 1);
    ls_workspace *run = ls_workspace_create(net, 2, LS_INFERENCE);
    const real x[6] = {1, 2, 3, 4, 5, 6};
    static ls_pass pass; /* not training, step 0 */
    const real *y = ls_workspace_forward(run, &pass, x, 2);
    printf("%zu bytes a number: %g %g\n", sizeof *y, (double)y[0], (double)y[7]);
    ls_workspace_destroy(run);
    ls_net_destroy(net);
    ls_params_destroy(params);
    ls_free(values);
    ls_free(prepared);
    return 0;
}
END
cp program.c program.cc

says() { # PROGRAM BYTES
    local expected="$2 bytes a number: 0.25 0.25" found
    found=$("$1")
    [ "$found" = "$expected" ] || {
        echo "$1: expected '$expected', found '$found'" >&2
        exit 1
    }
}

export PKG_CONFIG_PATH=$packages
rpath=-Wl,-rpath,$(pkg-config --variable=libdir lockstep)
for suffix in '' -double; do
    bytes=$([ -z "$suffix" ] && echo 4 || echo 8)
    read -ra flags <<<"$(pkg-config --cflags --libs "lockstep$suffix")"
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror program.c -o "c$suffix" "${flags[@]}" "$rpath"
    c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror program.cc -o "cc$suffix" "${flags[@]}" "$rpath"
    says "./c$suffix" $bytes
    says "./cc$suffix" $bytes
done

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.18)
project(user LANGUAGES C CXX)
find_package(lockstep 0.1 REQUIRED)
foreach(suffix "" -double)
  add_executable(c_by_cmake${suffix} program.c)
  add_executable(cc_by_cmake${suffix} program.cc)
  target_link_libraries(c_by_cmake${suffix} lockstep::lockstep${suffix})
  target_link_libraries(cc_by_cmake${suffix} lockstep::lockstep${suffix})
endforeach()
END
cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log 2>&1 && cmake --build build >>cmake.log 2>&1 || {
    cat cmake.log >&2
    exit 1
}
for name in c cc; do
    says build/${name}_by_cmake 4
    says build/${name}_by_cmake-double 8
done
echo "installed, and used by C and C++ through pkg-config and CMake"
