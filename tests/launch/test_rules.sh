#!/usr/bin/env bash
# test_rules: the code keeps the rules, and tests/rules.sh notices each kind of violation, planted into a small tree.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
failed=0

build_house() {
    rm -rf "${house:?}"/*
    mkdir -p "$house"/{core/layers,dist,io/h5,launch/train,tests}
    cd "$house"
    echo '/* Every layer: core/layers/NAME.c */' >core/layers.def
    echo 'LS_LAYER(dense)' >>core/layers.def
    printf '/* dense: y = W x. */\nconst int ls_layer_dense = 1;\n' >core/layers/dense.c
    printf '/* net: a function. */\nvoid ls_net_open(void);\n' >core/net.h
    printf '/* net: a function. */\n#include "core/net.h"\n/* free(x), malloc(1) */\nvoid ls_net_open(void)\n{\n}\n' \
        >core/net.c
    printf '/* comm: the ranks. */\n#include <mpi.h>\n' >dist/comm.c
    printf '/* h5: checked calls. */\n#include <hdf5.h>\nstatic const char *text = "free(x)";\n' >io/h5/h5.c
    printf '#!/usr/bin/env bash\n# start: starts a thing.\n' >launch/start.sh
    chmod +x launch/start.sh
}

# noticed WHERE RULE: rules.sh must name the place and the rule, and end with 1
noticed() {
    local output code=0
    output=$("$root/tests/rules.sh" "$house" 2>&1) || code=$?
    if [ $code != 1 ] || ! grep -qF "$1: $2" <<<"$output"; then
        echo "expected code 1 and a line with '$1: $2', found code $code and:" >&2
        echo "$output" >&2
        failed=1
    fi
    build_house
}

# unnoticed: rules.sh must find no violation
unnoticed() {
    if ! "$root/tests/rules.sh" "$house"; then
        echo "expected no violation" >&2
        failed=1
    fi
    build_house
}

build_house
unnoticed

echo '#include <mpi.h>' >>core/net.c && noticed core/net.c:7 include
echo '#include <mpi.h>' >>dist/comm.h && noticed dist/comm.h:1 include
echo '#include <hdf5.h>' >>launch/train/train.c && noticed launch/train/train.c:1 include
echo '#include <cblas.h>' >>core/net.c && noticed core/net.c:7 include
echo '#include "dist/comm.h"' >>core/net.c && noticed core/net.c:7 include
echo '#include "io/loader.h"' >>dist/comm.c && noticed dist/comm.c:3 include
echo '#include "dist/comm.h"' >>io/h5/h5.c && noticed io/h5/h5.c:4 include
echo '#include "launch/job/job.h"' >>io/h5/h5.c && noticed io/h5/h5.c:4 include
echo '#include "net.h"' >>core/net.c && noticed core/net.c:7 include
echo 'static int *x(void) { return malloc(4); }' >>core/net.c && noticed core/net.c:7 call
echo 'static void x(int *y) { free(y); }' >>io/h5/h5.c && noticed io/h5/h5.c:4 call
echo 'static void x(int y) { assert(y); }' >>dist/comm.c && noticed dist/comm.c:3 call
echo 'static void x(int y) { printf("%d", y); }' >>core/net.c && noticed core/net.c:7 call
printf '/* net */\n%.0s' {1..600} >>core/net.c && noticed core/net.c:601 size
touch notes.txt && noticed notes.txt:1 'top level'
sed -i 1d core/net.c && noticed core/net.c:1 'first line'
sed -i 2d launch/start.sh && noticed launch/start.sh:2 'first line'
chmod -x launch/start.sh && noticed launch/start.sh:1 executable
echo 'LS_LAYER(lstm)' >>core/layers.def && noticed core/layers.def:3 table
sed -i 2d core/layers/dense.c && noticed core/layers/dense.c:1 table
printf 'void open_net(void);\n' >>core/net.h && printf 'void open_net(void)\n{\n}\n' >>core/net.c && noticed core/net.c:7 name
printf 'void ls_net_close(void)\n{\n}\n' >>core/net.c && noticed core/net.c:7 static
cp core/net.c launch/net.c && noticed launch/net.c:4 twice

# What tests/rules_of_shape.py looks at. define LINES PARAMETERS: a function of so many.
define() {
    printf 'static int f(%s)\n{\n' "$2"
    yes '    g();' | head -n $(($1 - 3))
    printf '}\n'
}
define 51 int >>core/net.c && noticed core/net.c:7 length
printf 'typedef int ls_net;\n' | tee -a core/net.h >dist/comm.h && noticed dist/comm.h:1 type
touch launch/file{1..20} && noticed launch:1 folder
define 50 int >>core/net.c && unnoticed
define 9 'int a, int (*b)(int, int), int c, int d, int e, int f, int g, int h, int i' >>core/net.c && noticed core/net.c:7 parameters
define 9 'int a, int (*b)(int, int), int c, int d, int e, int f, int g, int h' >>core/net.c && unnoticed
{ echo 'typedef struct {' && printf '    int a, *b;\n%.0s' {1..10} && echo '    int c;' && echo '} ls_net;'; } >>core/net.h && noticed core/net.h:3 members
{ echo 'typedef struct {' && printf '    int a, *b;\n%.0s' {1..10} && echo '} ls_net;'; } >>core/net.h && unnoticed
printf 'void ls_net_close(void);\n' >dist/comm.h && printf 'void ls_net_close(void)\n{\n}\n' >>core/net.c && noticed core/net.c:7 header
mv core/net.h core/other.h && sed -i 's/net.h/other.h/' core/net.c && noticed core/net.c:4 header
printf '/* test_net: is a net a net? */\nint x; // x\n' >tests/test_net.cc && noticed tests/test_net.cc:2 comment
printf '/* test_net: is a net a net? */\nint x; /* // x */\nchar y[] = "// y";\n' >tests/test_net.cc && unnoticed
loop() { # a file that calls net
    printf '/* loop: calls net. */\nvoid ls_loop_run(void);\n' >core/loop.h
    printf '/* loop: calls net. */\nvoid ls_loop_run(void)\n{\n    ls_net_open();\n}\n' >core/loop.c
}
loop && unnoticed
loop && sed -i 's/^}/    ls_loop_run();\n}/' core/net.c && noticed core/loop.c:1 circle
loop && echo '#include "core/net.h"' >>core/loop.h && echo '#include "core/loop.h"' >>core/net.h && noticed core/loop.h:1 circle

"$root/tests/rules.sh" "$root" || failed=1
exit $failed
