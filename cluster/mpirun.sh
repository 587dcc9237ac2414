#!/usr/bin/env bash
# mpirun: mpirun with the options that training wants: binding, time to write a checkpoint, notice of a lost host.
#
#   cluster/mpirun.sh [--hostfile FILE] [-n RANKS] [any option of mpirun] build/lockstep train JOB.yaml [key=value ...]
#
# With LOCKSTEP_THREADS=4 in the environment each rank is bound to 4 cores: give `lockstep train` --threads=4 then.
#
# Ctrl-C, TERM and USR1 stop the training with a checkpoint and exit code 75: the same command goes on. A second Ctrl-C
# or TERM ends it as mpirun does. env.sh says which variables change what this does.
set -euo pipefail
set +eu # what a site loads there may not keep to these
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
set -eu

case ${1:-} in
'' | -h | --help)
    sed -n '2,/^set /{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

options=(
    # A lost host is noticed after 35 s; without these mpirun waits for it.
    --mca oob_tcp_keepalive_time 20 --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 3
    -x OPENBLAS_NUM_THREADS -x OMP_NUM_THREADS
)
case $LOCKSTEP_BIND in
core) options+=(--map-by "slot:PE=$LOCKSTEP_THREADS" --bind-to core) ;;
none) options+=(--bind-to none) ;;
*)
    echo "mpirun.sh: LOCKSTEP_BIND is '$LOCKSTEP_BIND', expected core or none" >&2
    exit 64
    ;;
esac
if [ "$(id -u)" = 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# mpirun answers Ctrl-C and TERM by ending the ranks, and loses their exit code; USR1 it hands on, and keeps their 75. So
# it runs in a session of its own, where the terminal's Ctrl-C does not reach it. After codes other than 0 mpirun sleeps
# for up to 4 times odls_base_sigkill_timeout (1 s), even where no rank is left: it stays short here, for nobody needs TERM.
setsid mpirun "${options[@]}" "$@" </dev/null &
started=$!

stop() {
    stopping=1
    kill -USR1 "$started" 2>/dev/null || true
}
again() {
    kill -TERM "$started" 2>/dev/null || true
}
stopping=
trap 'interrupted=1; stop' USR1
trap 'interrupted=1; if [ "$stopping" ]; then again; else stop; fi' INT TERM HUP

# A trap ends `wait`; then it is asked again.
interrupted=1
while [ "$interrupted" ]; do
    interrupted='' code=0
    wait "$started" || code=$?
done
if [ "$code" = 75 ]; then
    echo "mpirun.sh: stopped with a checkpoint; the same command goes on (mpirun's words above mean no more than that)" >&2
fi
exit "$code"
