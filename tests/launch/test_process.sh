#!/usr/bin/env bash
# test_process: what every command does with its process: output that can't be written ends with 74, closed descriptors and
# signals lose nothing, a terminal or a reader that goes away leaves a checkpoint.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
run: run
model: mlp widths=144,100,4
optimizer: momentum rate=0.01
batch: 50
steps: 100000000
evaluate: {every: never}
checkpoint: {every: never}
END

stopped() { # RUN: ended with 75 and a checkpoint
    [ $code = 75 ] || fail "$1: expected exit code 75, found $code"
    compgen -G "$1/checkpoints/step-*.ok" >/dev/null || fail "$1: expected a checkpoint"
}

# A full disk: every command that prints says so and ends with 74; training goes on.
full() { # CODE COMMAND ...
    expect "$1" bash -c '"$@" >/dev/full' bash "${@:2}"
}
full 0 "$lockstep" train job.yaml steps=2
says 'stdout: can'"'"'t write: No space left on device; the training goes on'
expect 0 "$lockstep" verify run
for command in --version --help list man 'inspect run' 'inspect --json run' 'verify run' 'evaluate run --json' \
    'predict run -o rows.csv' 'train --help' 'train job.yaml --dry-run' 'plot run -o curves.svg' 'bench reduce' \
    'import synthetic --rows 8 -o glyphs.h5'; do
    # shellcheck disable=SC2086
    full 74 "$lockstep" $command
    says 'lockstep: stdout: can'"'"'t write all of it: No space left on device'
done
rm -f glyphs.h5

# A limit on the size of files, and a pipe that nobody reads, are errors of the write, and no signal.
for kilobytes in 1 4 32; do
    expect 74 bash -c 'ulimit -f "$2"; exec "$1" man >page' bash "$lockstep" $kilobytes
    says "File too large"
done
code=0
("$lockstep" man || echo $? >piped) 2>"$work/out" | sleep 0.01
[ ! -e piped ] || [ "$(cat piped)" = 74 ] || fail "a closed pipe: expected exit code 74, found $(cat piped)"

# Closed descriptors: what is printed lands in no file.
"$python" - <<'END'
with open("names.csv", "w") as file:
    file.write("a,class\n" + "".join(f"{i},{chr(97 + i % 8) * 1200}\n" for i in range(80)))
END
for closed in '>&-' '<&- >&-' '<&- >&- 2>&-'; do
    rm -f closed.h5
    expect 0 bash -c "\"\$1\" import csv names.csv --header -o closed.h5 $closed" bash "$lockstep"
    expect 0 "$lockstep" verify closed.h5
    expect 0 bash -c "\"\$1\" train job.yaml run=closed steps=2 $closed" bash "$lockstep"
    expect 0 bash -c "\"\$1\" evaluate closed $closed" bash "$lockstep"
done

# HUP is one of the signals that stop with a checkpoint, unless it was ignored at the start.
run=hung
start 0 "$lockstep" train job.yaml run=$run
wait_until under_way
kill -HUP "$started"
finish
stopped $run
says 'SIGHUP: stopped after step'
run=nohup
start 0 bash -c 'trap "" HUP; exec "$@"' bash "$lockstep" train job.yaml run=$run
wait_until under_way
kill -HUP "$started"
sleep 0.3
kill -TERM "$started"
finish
stopped $run
says 'SIGTERM: stopped after step'
run=rank
start 2 "$lockstep" train job.yaml run=$run
wait_until under_way
kill -HUP "$(pgrep -P "$started" -f 'lockstep train' | tail -n 1)"
finish
stopped $run

# The terminal goes away.
cat >terminal.py <<'END'
import os, pty, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], [sys.argv[1], "train", "job.yaml", "run=terminal"])
end = time.time() + 300
records = "terminal/metrics.jsonl"
while not (os.path.exists(records) and os.path.getsize(records)) and time.time() < end:
    if select.select([terminal], [], [], 0.05)[0]:
        os.read(terminal, 65536)
os.close(terminal)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(0 if code == 75 else f"expected exit code 75, found {code}")
END
expect 0 "$python" terminal.py "$lockstep"
code=75
stopped terminal

# The reader goes away once the training is under way (before its first step nothing is lost, and the code is another):
# alone, and through cluster/mpirun.sh.
until_step() { # RUN COMMAND ...
    local run=$1
    shift
    rm -f code
    { "$@" 2>"$work/out" || echo $? >code; } | wait_until under_way
    code=$(cat code)
    stopped "$run"
}
until_step unread timeout 300 "$lockstep" train job.yaml run=unread
says 'stdout: can'"'"'t write: Broken pipe; the training stops with a checkpoint'
export LOCKSTEP_BIND=none
mpirun_sh=$tests/../cluster/mpirun.sh
until_step unread2 timeout 300 "$mpirun_sh" --oversubscribe -n 2 "$lockstep" train job.yaml run=unread2
says 'nobody reads the output any more'
until_step unread4 bash -c 'trap "" PIPE && exec "$@"' bash timeout 300 "$mpirun_sh" --oversubscribe -n 2 "$lockstep" train job.yaml run=unread4
says 'nobody reads the output any more'
expect 74 bash -c '"$@" >/dev/full' bash "$mpirun_sh" --oversubscribe -n 2 "$lockstep" evaluate run --split train --json
expect 0 bash -c '"$@" >/dev/full' bash "$mpirun_sh" --oversubscribe -n 2 "$lockstep" train job.yaml run=unread3 steps=3

# A signal ends what waits for a file that never opens, alone and on two ranks.
mkfifo pipe.yaml
waits_for_signals() { # USR1 (10) and TERM (15) are caught
    local process caught
    process=$(pgrep -P "$started") && caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$process/status") &&
        [ $((0x$caught & 0x4200)) = $((0x4200)) ]
}
for signal in TERM:143 INT:130 USR1:138 HUP:129; do
    start 0 timeout -s KILL 300 "$lockstep" train pipe.yaml
    wait_until waits_for_signals
    kill -${signal%:*} "$(pgrep -P "$started")"
    finish
    [ $code = ${signal#*:} ] || fail "$signal while the job file is opened: found exit code $code"
    says 'stopped by a signal before the first step'
done
start 2 "$lockstep" train pipe.yaml
wait_until bash -c 'pgrep -P "$1" -f "lockstep train" >/dev/null' bash "$started"
sleep 1
kill -USR1 "$started"
finish
[ $code = 138 ] || fail "USR1 while two ranks open the job file: expected exit code 138, found $code"

# Ranks that all end with an error: the first that is gone makes mpirun send TERM to the others, which is no news.
for _ in 1 2 3 4 5; do
    expect 64 ranks 4 "$lockstep" train job.yaml run=wrong objective=none
    says 'none'
    ! grep -qF 'stopped by a signal' "$work/out" || fail 'a rank that ends with an error says that a signal stopped it'
done

# A limit on the address space: each command ends, and what needs no MPI works. Nothing loads OpenBLAS but what measures it.
for kilobytes in 110000 150000 170000; do
    for command in --version list 'inspect run' 'verify run'; do
        # shellcheck disable=SC2086
        expect 0 timeout -s KILL 300 bash -c 'ulimit -v "$0" && exec "$@"' $kilobytes "$lockstep" $command
    done
    code=0
    timeout -s KILL 300 bash -c 'ulimit -v "$0" && exec "$@"' $kilobytes "$lockstep" train job.yaml run=small steps=2 \
        >"$work/out" 2>&1 || code=$? # MPI may not find its room
    [ $code != 137 ] || fail "with $kilobytes kB of address space a training did not end"
done
expect 0 timeout -s KILL 300 bash -c 'ulimit -v 200000 && exec "$@"' bash "$lockstep" doctor
says "OpenBLAS can't be loaded: it needs 256 MiB of address space (ulimit -v): the speed is not measured"
expect 0 ldd "$lockstep" "$BUILD/liblockstep.so"
grep -q blas "$work/out" && fail 'the program or the library links BLAS'
expect 0 "$lockstep" --version
says 'BLAS  OpenBLAS'

# Other limits: what can't be had is named, with a code of its own.
limited() { # CODE LIMIT COMMAND ...: LIMIT as ulimit takes it; only descriptors 0 to 2 are open
    expect "$1" timeout -s KILL 300 bash -c 'exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- && ulimit $0 && exec "$@"' "$2" "${@:3}"
}
limited 70 '-s 256' "$lockstep" inspect images.h5
says 'lockstep: the stack may have 256 kB (ulimit -s); expected 512 or more'
limited 0 '-s 512' "$lockstep" train job.yaml run=stack steps=9 --threads=2 checkpoint.every='1 step'
limited 0 '-s 512' "$lockstep" train job.yaml run=stack2 steps=9 --threads=2 checkpoint.every='1 step' model=lenet
limited 0 '-s 512' "$lockstep-double" train job.yaml run=stack3 steps=9 --threads=2 checkpoint.every='1 step' model=lenet
limited 74 '-n 4' "$lockstep" inspect images.h5
says 'Too many open files'
limited 74 '-n 16' "$lockstep" train job.yaml run=files steps=2
says 'Too many open files'
limited 74 '-f 8' "$lockstep" train job.yaml run=large steps=2
says 'File too large'
expect 0 env TMPDIR=/nowhere "$lockstep" train job.yaml run=nowhere steps=2
expect 64 bash -c 'mkdir gone && cd gone && rmdir ../gone && exec "$@"' bash "$lockstep" train job.yaml
says 'cannot open the job file: No such file or directory'

# A library that runs out of memory: its n-th block can't be had. That is no mistake in the job, and no damage.
cat >short.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
void *__libc_malloc(size_t), *__libc_realloc(void *, size_t);
static int fails(void *caller)
{
    static long count;
    Dl_info about;
    const char *library = getenv("SHORT_LIBRARY");
    return library && dladdr(caller, &about) && strstr(about.dli_fname, library) && ++count == atol(getenv("SHORT_AT"));
}
void *malloc(size_t size) { return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size); }
void *realloc(void *block, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}
END
cc -shared -fPIC -O1 -o short.so short.c -ldl
for at in 1 2 3 5 8 13 21; do
    expect 70 env LD_PRELOAD="$work/short.so" SHORT_LIBRARY=libyaml SHORT_AT=$at "$lockstep" train job.yaml --dry-run
    says 'out of memory'
done
# jansson asks the program, whose own memory runs out alike.
for at in 1 2 5 20; do
    expect 70 env LD_PRELOAD="$work/short.so" SHORT_LIBRARY=liblockstep SHORT_AT=$at "$lockstep" inspect run
    says 'out of memory'
done
