#!/usr/bin/env bash
# test_files: two writers of one file, a writer that is killed, locks that can't be had or are removed, a full disk.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
fault=$BUILD/tests/fault

data flat flat.h5
cat >job.yaml <<'END'
data: flat.h5
model: mlp widths=6,8,3
optimizer: sgd rate=0.1
epochs: 1
batch: 20
END
for run in one two; do
    expect 0 "$lockstep" train job.yaml run=$run seed=${#run}$((RANDOM % 100))
    expect 0 "$lockstep" predict $run --split train -o $run.csv
done
different 'the predictions of two runs' "$(sha256sum <one.csv)" "$(sha256sum <two.csv)"
nothing_left() {
    [ -z "$(find . -name '*.tmp')" ] || fail "left behind: $(find . -name '*.tmp')"
}

# Of two commands that write one file at the same time each writes all of it, and one of the two files stays.
for format in csv h5; do
    for run in one two; do
        expect 0 "$lockstep" predict $run --split train -o $run.$format --force
    done
    for try in 1 2 3; do
        "$lockstep" predict one --split train -o same.$format --force >first 2>&1 &
        code=0
        "$lockstep" predict two --split train -o same.$format --force >second 2>&1 || code=$?
        same "two writers of a .$format, the second's exit code" $code 0
        wait $! || code=$?
        same "two writers of a .$format, the first's exit code" $code 0
        cmp -s same.$format one.$format || cmp same.$format two.$format || fail 'two writers made a file that is neither'
    done
done
nothing_left

# What a writer leaves that is killed is removed by the next; the old file stays until then.
if "$fault" -- true; then
    cp one.h5 killed.h5
    for try in 1 2; do
        expect 137 "$fault" --fail 'pwrite@*/killed.h5*:2:kill' -- "$lockstep" predict two --split train -o killed.h5 --force
        same 'files that killed writers left' "$(find . -name 'killed.h5.*.tmp' | wc -l)" 1
        cmp killed.h5 one.h5
    done
    expect 0 "$lockstep" predict two --split train -o killed.h5 --force
    cmp killed.h5 two.h5
    nothing_left

    # A file system without locks: data sets are read, with a notice; all else is an error of the lock, and no damage.
    lacking='flat.h5: this file system gives no locks'
    for reason in ENOLCK EOPNOTSUPP EINVAL ENOSYS; do
        expect 0 "$fault" --fail "flock:1+:$reason" -- "$lockstep" verify flat.h5
        says "$lacking"
        expect 0 "$fault" --fail "fcntl@*/lock:1+:$reason" -- "$lockstep" train job.yaml run=$reason
        says "$reason: this file system gives no locks"
    done
    without=("$fault" --fail 'flock:1+:ENOLCK' -- env)
    for command in 'train job.yaml run=unlocked' 'evaluate one' 'extract one --layer dense1 -o features.h5'; do
        # shellcheck disable=SC2086
        expect 0 "${without[@]}" "$lockstep" $command
        says "$lacking (No locks available)"
    done
    for command in 'verify one' 'inspect flat.h5' 'import synthetic --rows 9 -o glyphs.h5'; do
        # shellcheck disable=SC2086
        expect 0 "${without[@]}" "$lockstep" $command
    done
    expect 0 "${without[@]}" HDF5_USE_FILE_LOCKING=BEST_EFFORT "$lockstep" evaluate one
    says "$lacking"
    expect 74 "${without[@]}" HDF5_USE_FILE_LOCKING=TRUE "$lockstep" evaluate one
    says "$lacking (No locks available), and HDF5_USE_FILE_LOCKING asks for them"
    expect 0 "${without[@]}" HDF5_USE_FILE_LOCKING=FALSE "$lockstep" evaluate one
    ! grep -qF "$lacking" out || fail 'a notice that no lock was had, though none was asked for'
    expect 74 "$fault" --fail 'flock:1+:EIO' -- "$lockstep" evaluate one
    says "flat.h5: can't lock it: Input/output error (HDF5_USE_FILE_LOCKING=FALSE reads it without a lock)"
    expect 74 "$fault" --fail 'flock:1+:EIO' -- "$lockstep" verify flat.h5
    says "CAN'T BE READ"
    expect 74 "$fault" --fail 'fcntl@*/lock:1+:EIO' -- "$lockstep" train job.yaml run=broken
    says "broken/lock: can't lock it: Input/output error"
    expect 0 "$fault" --fail 'flock:1:EINTR' -- "$lockstep" evaluate one
    expect 0 "$fault" --fail 'fcntl@*/lock:1:EINTR' -- "$lockstep" train job.yaml run=interrupted
    nothing_left

    # Records that can't be written are told once, and once more when they can; no half of one stays.
    expect 0 "$fault" --fail 'write@*/metrics.jsonl:3+:ENOSPC' -- "$lockstep" train job.yaml run=full
    says "full/metrics.jsonl: can't write: No space left on device; training goes on"
    same 'notices of a full disk' "$(grep -c 'No space left' out)" 1
    same 'records before the disk was full' "$(wc -l <full/metrics.jsonl)" 2
    expect 0 "$fault" --fail 'write@*/metrics.jsonl:3:ENOSPC' -- "$lockstep" train job.yaml run=again
    says 'metrics.jsonl: records can be written again; 1 are missing'
    expect 0 "$fault" --fail 'write@*/metrics.jsonl:3:short' -- "$lockstep" train job.yaml run=short
    same 'records in spite of a short write' "$(wc -l <short/metrics.jsonl)" "$(wc -l <one/metrics.jsonl)"
    expect 0 "$lockstep" plot full again short -o curves.svg
fi

# A data set that another program writes is in use; it is not damaged.
"$python" -c 'import fcntl, os, time
with open("flat.h5", "r+") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    open("taken", "w").close()
    while not os.path.exists("tried"):
        time.sleep(0.05)' &
writer=$!
wait_until test -e taken
expect 65 "$lockstep" train job.yaml run=locked
says 'flat.h5: is in use: another program holds a lock on it, to write it'
expect 0 env HDF5_USE_FILE_LOCKING=FALSE "$lockstep" train job.yaml run=locked
touch tried
wait $writer

# A file that its writer left open is refused.
"$python" -c 'import h5py, numpy, os
file = h5py.File("left.h5", "w", libver="latest")
file["train/x"], file["train/y"] = numpy.ones((9, 4), "f4"), numpy.arange(9) % 3
file.flush()
os._exit(0)'
expect 65 "$lockstep" train job.yaml data=left.h5 run=left
says "left.h5: can't be opened; it is damaged or in use (HDF5: file is already open for write"

# A lock that is removed while the job runs is made anew.
long=(steps=40000000 checkpoint.every='1 steps' evaluate.every=never)
start 0 "$lockstep" train job.yaml run=held "${long[@]}"
wait_until test -e held/metrics.jsonl
rm held/lock
wait_until grep -qF 'held/lock: was removed while this job runs; it is made anew' out
code=0
"$lockstep" train job.yaml run=held >second 2>&1 || code=$?
same 'the exit code of a second job' $code 73
grep -qF "held: is in use by process $started on host" second || fail 'the second job does not name the first'

# Where another job was faster, the first ends and says so.
kill -STOP "$started"
rm held/lock
"$lockstep" train job.yaml run=held "${long[@]}" --max-time=600s >second 2>&1 &
second=$!
wait_until test -s held/lock
kill -CONT "$started"
finish
same 'the exit code of the job whose lock was taken' $code 73
says "held/lock: was removed while this job ran, and process $second on host"
wait_until grep -q '^epoch' second
kill -TERM $second
wait $second || code=$?
same 'the exit code of the job that took it' $code 75
expect 0 "$lockstep" verify held

# A run directory that is removed ends the job.
for every in '1 steps' never; do # a checkpoint finds it out, or a record
    start 0 "$lockstep" train job.yaml run=removed "${long[@]/every=1 steps/every=$every}"
    wait_until test -e removed/metrics.jsonl
    mv removed "elsewhere, $every"
    finish
    same 'the exit code of a job whose run was removed' $code 74
    says 'removed: the run directory was removed or replaced while this job ran'
    ! grep 'training goes on' out || fail 'expected one word about what comes'
done
