#!/usr/bin/env bash
# test_sweep: cluster/sweep.sh removes what a killed mpirun left, and nothing that a process still uses.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
sweep=$tests/../cluster/sweep.sh
if [ "$(readlink /proc/self/ns/pid)" != 'pid:[4026531836]' ]; then
    echo 'a container, whose /dev/shm others may use: skipped'
    exit 77
fi

data flat flat.h5
cat >job.yaml <<'END'
data: flat.h5
model: mlp widths=6,8,3
steps: 40000000
batch: 20
END

# Starts two ranks in run $1, and waits until they train. Sets $mpirun, $session, and $segments: what they have in /dev/shm.
begin() {
    start 2 "$lockstep" train job.yaml run="$1" evaluate.every=never
    mpirun=$started
    wait_until test -e "$1/metrics.jsonl"
    pids=$(pgrep -P "$mpirun")
    rank=${pids%%$'\n'*}
    session=$(echo "$TMPDIR"/ompi.*/pid."$mpirun")
    segments=$(sed -n 's|.* \(/dev/shm/vader_segment[^ ]*\)$|\1|p' "/proc/$rank/maps" | sort -u)
    [[ -d $session && $segments ]] || fail 'expected a session folder and segments of shared memory'
    # shellcheck disable=SC2086
    touch -d '5 minutes ago' $segments "$session"
}
there() { # whether all segments and the session are there
    # shellcheck disable=SC2086
    ls $segments "$session" >/dev/null 2>&1
}
gone() {
    local file
    for file in $segments "$session"; do
        [ ! -e "$file" ] || return 1
    done
}
dead() {
    local pid
    for pid in $pids; do
        [ ! -e "/proc/$pid" ] || return 1
    done
}

begin killed
expect 0 "$sweep"
there || fail 'what processes use was removed'
# shellcheck disable=SC2086
touch $segments "$session" # young, so that no sweep of another test takes them
kill -KILL "$mpirun"
finish
wait_until dead
there || fail 'expected that a killed mpirun leaves its files; if it no longer does, there is nothing to sweep'
killed_segments=$segments killed_session=$session

# Beside a job that lives: only what is dead goes. What is young, or another machine's, stays.
begin lives
other=$(dirname "$session")/../ompi.another.$(id -u)/pid.1999999999
mkdir -p "$other"
young=${killed_segments%%$'\n'*}.young
touch "$young"
# shellcheck disable=SC2086
touch -d '5 minutes ago' "$other" $killed_segments "$killed_session"
expect 0 "$sweep"
there || fail 'what processes use was removed'
segments=$killed_segments session=$killed_session
gone || fail 'expected that what a killed mpirun left is removed'
[[ -e $young && -e $other ]] || fail 'what is young, or of another machine, was removed'
kill -TERM "$mpirun"
finish

# mpirun.sh calls it.
touch -d '5 minutes ago' "$young"
expect 0 env LOCKSTEP_BIND=none "$tests/../cluster/mpirun.sh" -n 1 true
[ ! -e "$young" ] || fail 'mpirun.sh left what nobody uses'
