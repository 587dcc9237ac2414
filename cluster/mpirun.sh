#!/usr/bin/env bash
# mpirun: mpirun with the options that training needs: binding, time to write a checkpoint, notice of a lost machine.
#
#   cluster/mpirun.sh [--hostfile FILE] [-n RANKS] [any option of mpirun] build/lockstep train JOB.yaml [key=value ...]
#
# LOCKSTEP_THREADS=4 in the environment binds each rank to 4 cores; then also give --threads=4 to `lockstep train`.
#
# Ctrl-C, TERM, HUP and USR1 stop the training with a checkpoint and exit code 75; the same command resumes it. A second Ctrl-C
# or TERM ends it at once, as mpirun does. env.sh lists the variables that change what this script does.
set -euo pipefail
set +eu # a site's modules may use unset variables and commands that fail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
set -eu

case ${1:-} in
'' | -h | --help)
    sed -n '2,/^set /{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

if [[ $(mpirun --version 2>&1) != *'Open MPI'* ]]; then
    echo "mpirun.sh: expected the mpirun of Open MPI, found $(command -v mpirun || echo none). MPICH's needs no help: start \
'mpiexec -f HOSTS -bind-to core lockstep train JOB.yaml', which stops with a checkpoint on Ctrl-C, TERM and USR1" >&2
    exit 64
fi

options=(
    # mpirun notices a lost machine after 20 + 3 * 5 = 35 s; without these options it would wait for it for ever.
    --mca oob_tcp_keepalive_time 20 --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 3
)
for name in OMP_NUM_THREADS HDF5_USE_FILE_LOCKING "${!LOCKSTEP_@}"; do # on all hosts as here
    [ -z "${!name+set}" ] || options+=(-x "$name")
done
case $LOCKSTEP_BIND in
core) options+=(--map-by "slot:PE=$LOCKSTEP_THREADS" --bind-to core) ;;
none) options+=(--bind-to none) ;;
*)
    echo "mpirun.sh: LOCKSTEP_BIND is ${LOCKSTEP_BIND@Q}, expected core or none" >&2
    exit 64
    ;;
esac
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# What former starts left that were killed, and at the end what is left of this one.
sweep() {
    "$(dirname "${BASH_SOURCE[0]}")/sweep.sh" || true
}
sweep

# On Ctrl-C and TERM mpirun kills the ranks and loses their exit code; USR1 it forwards to them, and it returns their 75.
# So it runs in a session of its own (setsid), where the terminal's Ctrl-C does not reach it, and is sent USR1 instead.
# odls_base_sigkill_timeout, the time from TERM to KILL, keeps its default of 1 s: nobody here needs TERM, and after every
# exit code other than 0 mpirun sleeps up to 4 times as long, even if no rank is left.
#
# mpirun does not survive it when nobody reads its output any more (`| head`), and ends with 0 where it could not write it.
# So where that is no terminal, it goes through relay, which asks for a checkpoint once nobody reads, lets mpirun write into
# nothing, and returns 74. On a terminal mpirun writes to it itself: the program looks for one for its progress bar.
relay() {
    local code=0 words
    { words=$(LC_ALL=C cat 2>&1 >&4) || code=$?; } 4>&1
    [ $code != 0 ] || return 0
    [ -z "$words" ] || echo "mpirun.sh: $words" >&2
    if [ $code = 141 ] || [[ $words == *'Broken pipe'* ]]; then # SIGPIPE, or where it is ignored
        echo 'mpirun.sh: nobody reads the output any more: a training stops with a checkpoint' >&2
        kill -USR1 $$ 2>/dev/null || true
    fi
    cat >/dev/null
    return 74
}
relay=
if [ -t 1 ]; then
    setsid mpirun "${options[@]}" "$@" </dev/null &
    started=$!
else
    exec 3> >(trap '' INT TERM HUP USR1 && relay)
    relay=$!
    setsid mpirun "${options[@]}" "$@" </dev/null >&3 3>&- &
    started=$!
    exec 3>&-
fi

interrupted=1 ended=
stop() { # asks the ranks for a checkpoint
    interrupted=1
    kill -USR1 "$started" 2>/dev/null || true
}
end() { # so does the first Ctrl-C or TERM; the second kills the ranks
    if [ "$ended" ]; then
        kill -TERM "$started" 2>/dev/null || true
    else
        stop
    fi
    interrupted=1 ended=1
}
trap stop USR1 HUP # a terminal that is closed sends HUP twice: by itself and by the shell
trap end INT TERM

# `wait` returns early when a signal was trapped; then wait again.
while [ "$interrupted" ]; do
    interrupted='' code=0
    wait "$started" || code=$?
done
if [ "$relay" ] && ! wait "$relay" && [ "$code" = 0 ] && [[ " $* " != *[/[:space:]]lockstep?(-double)' train '* ]]; then
    code=74 # a training goes on without its output: the run directory holds what it did
fi
sweep
if [ "$code" = 75 ]; then
    echo "mpirun.sh: stopped with a checkpoint; the same command goes on (mpirun's message above means only that)" >&2
fi
exit "$code"
