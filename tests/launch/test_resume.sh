#!/usr/bin/env bash
# test_resume: a run that is stopped anywhere and resumed on any rank count equals one that never stopped, bit for bit;
# and every way to say where a run begins.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
net: |
  dense units=70
  activation function=prelu
  dropout rate=0.3
  dense units=4
stages:
  - optimizer: adam rate=0.002 clip=0.5
    batch: 37
    steps: 12
  - optimizer: momentum rate=0.01 momentum=0.8 decay=1e-3
    schedule: linear warmup=0.3
    batch: 29
    steps: 8
shards: 4
evaluate: {every: 3 steps}
checkpoint: {every: 1 steps, keep: 100}
END

# --- Resumed from each step of two stages, on one, two and four ranks; the second stage begins after step 12.
expect 0 ranks 2 "$lockstep" train job.yaml run=whole
says 'stage 2 of 2 done: step 20'
files=("$(checkpoint whole 20)")
for ((step = 1; step < 20; step++)); do
    count=$((1 << step % 3))
    expect 0 ranks $count "$lockstep" train job.yaml run=from$step checkpoint.every=never \
        --resume="$(checkpoint whole $step)"
    says "goes on   from $(checkpoint whole $step) (step $step)"
    files+=("$(checkpoint from$step 20)")
done
ends=$(digest --all "${files[@]}")
[ "$(sort -u <<<"$ends" | wc -l)" = 1 ] || fail "not all 20 runs end the same: $ends"
different 'step 19 and step 20' "$(digest "$(checkpoint whole 19)")" "$(digest "$(checkpoint whole 20)")"

# --- A longer run is stopped by signals at random moments until it is done; a further start finds nothing to do.
cat >long.yaml <<'END'
data: images.h5
model: mlp widths=144,300,4 dropout=0.2
stages:
  - {optimizer: adam rate=0.001, batch: 50, steps: 150}
  - {optimizer: nesterov rate=0.01, batch: 50, steps: 150}
shards: 2
evaluate: {every: 10 steps}
checkpoint: {every: 7 steps, keep: 2}
END
expect 0 ranks 2 "$lockstep" train long.yaml run=calm
records() {
    if [ -e hurried/metrics.jsonl ]; then wc -l <hurried/metrics.jsonl; else echo 0; fi
}
under_way() { # whether it has written a record since this start, or has ended
    [ "$(records)" -gt "$before" ] || ! kill -0 "$started" 2>/dev/null
}
stops=0 code=0 # after 15 stops it runs to its end; one that was done before the first signal came is begun anew
for ((starts = 0; starts < 50 && (code == 75 || stops == 0); starts++)); do
    [ $code = 75 ] || rm -rf hurried
    before=$(records)
    start $((1 + stops % 2)) "$lockstep" train long.yaml run=hurried
    if [ $stops -lt 15 ]; then
        wait_until under_way
        sleep "0.0$((RANDOM % 10))"
        kill -USR1 "$started" 2>/dev/null || true # it may be done by now
    fi
    finish
    stops=$((stops + (code == 75)))
    if [ $code = 138 ]; then # mpirun was killed itself: its ranks had ended, and it had taken its handler away
        expect 0 "$lockstep" train long.yaml run=hurried
        says 'nothing to do: the run is complete after 300 steps'
        code=0
    fi
done
[ $code = 0 ] || fail "expected exit code 75 again and again and then 0, found $code"
[ $stops -gt 0 ] || fail 'not one signal came in time'
same 'the end after signals' "$(digest --all "$(checkpoint calm 300)")" "$(digest --all "$(checkpoint hurried 300)")"
same 'best.h5 after signals' "$(digest calm/checkpoints/best.h5)" "$(digest hurried/checkpoints/best.h5)"
same 'number of checkpoints kept' 2 "$(find hurried/checkpoints -name 'step-*.h5' | wc -l)"
same 'steps recorded twice' '' "$(grep '"rate"' hurried/metrics.jsonl | grep -o '"step":[0-9]*' | sort | uniq -d)"
cp hurried/job.yaml trained.yaml
expect 0 ranks 2 "$lockstep" train long.yaml run=hurried stages.1.steps=100
says 'nothing to do: the run is complete after 300 steps'
cmp -s trained.yaml hurried/job.yaml || fail 'a start with nothing to do wrote another job.yaml'

# --- With more steps: the best checkpoint and the early stop are the same with and without a stop in between.
short() { # RUN ARGUMENT ...
    local run=$1
    shift
    "$lockstep" train job.yaml run="$run" 'net=dense units=4' 'stages.1.optimizer=sgd rate=0.5' \
        stages.0.steps=1 stages.1.schedule=constant evaluate.every='1 steps' evaluate.stop_after=4 "$@"
}
expect 0 short early stages.1.steps=200
says 'stage 2 of 2 stopped early'
early=$(find early/checkpoints -name 'step-*.h5' | sort | tail -n 1)
end=$((10#$(basename "${early#*step-}" .h5)))
[ $end -lt 200 ] || fail "expected an early end, found step $end"
for pause in 2 $((end - 2)) $((end - 1)); do
    expect 0 short paused$pause stages.1.steps=$((pause - 1))
    expect 0 short paused$pause stages.1.steps=200
    says 'stage 2 of 2 stopped early'
    same "early end after a pause at $pause" "$(digest --all "$early")" "$(digest --all "$(checkpoint paused$pause $end)")"
    same "best.h5 after a pause at $pause" "$(digest early/checkpoints/best.h5)" \
        "$(digest paused$pause/checkpoints/best.h5)"
done
expect 0 short early stages.1.steps=200
says "nothing to do: the run is complete after $end steps (it stopped early: a larger evaluate.stop_after= goes on)"
expect 0 short early stages.1.steps=200 evaluate.stop_after=0
says 'stage 2 of 2 done: step 201'
# A job that asks for fewer steps than the checkpoint has, whose evaluation is still due.
expect 0 short longer stages.1.steps=6 evaluate.stop_after=0 checkpoint.every='1 steps' checkpoint.keep=9
expect 0 short shorter stages.1.steps=2 evaluate.stop_after=0 --resume=longer/checkpoints/step-00000005.h5
says 'stage 2 of 2 done: step 5'
# The patience of a stage counts anew after a stage that stopped early.
expect 0 short first stages.0.steps=200 'stages.0.optimizer=sgd rate=0.5' stages.1.steps=3
says 'stage 1 of 2 stopped early'
says 'stage 2 of 2 done'

# --- More ranks than shards raise the number of shards, with a message.
expect 0 "$lockstep" train job.yaml run=narrow shards=2 stages.0.steps=3 stages.1.steps=2
expect 0 ranks 3 "$lockstep" train job.yaml run=narrow shards=0 stages.0.steps=3 stages.1.steps=4
says "3 ranks are more than the run's 2 shards"
expect 0 ranks 2 "$lockstep" train job.yaml run=raised shards=2 stages.0.steps=2 stages.1.steps=1
expect 0 ranks 3 "$lockstep" train job.yaml run=raised shards=2 stages.0.steps=2 stages.1.steps=2
! grep '2 of the job' out || fail 'a number of shards that did not change was told as a change'
for steps in 3 4; do
    expect 0 ranks 3 "$lockstep" train job.yaml run=raised shards=2 stages.0.steps=2 stages.1.steps=$steps
done
! grep -E '2 of the job|more than the run' out || fail 'a number of shards that did not change was told as a change'
expect 0 ranks 2 "$lockstep" train job.yaml run=accumulated shards= accumulate=2 stages.0.steps=2 stages.1.steps=1
expect 0 ranks 2 "$lockstep" train job.yaml run=accumulated shards=8 stages.0.steps=2 stages.1.steps=2
says 'shards: 8 of the job instead of 4 of the checkpoint'
! grep 'keeps its 4 shards' out || fail 'the run was said to keep its shards'
# The run of a job file whose name is no UTF-8.
cp job.yaml $'caf\xe9.yaml'
sed -i '/^run:/d' $'caf\xe9.yaml'
expect 0 "$lockstep" train $'caf\xe9.yaml' stages.0.steps=1 stages.1.steps=1
[ -e runs/caf_/checkpoints ] || fail 'expected the run runs/caf_'

# --- --resume, --overwrite, --weights.
run() { "$lockstep" train job.yaml run=ways "$@"; }
expect 65 run --resume=required
says 'lockstep: --resume=required, but ways holds no checkpoint'
expect 65 "$lockstep" train job.yaml run=nowhere --resume=required
says 'lockstep: --resume=required, but nowhere holds no checkpoint'
[ ! -e nowhere ] || fail 'a run that is not there left a folder'
expect 0 run stages.0.steps=2 stages.1.steps=2 --resume=never
expect 64 run stages.0.steps=2 stages.1.steps=2 --resume=never
says 'lockstep: --resume=never, but ways holds the checkpoint ways/checkpoints/step-00000004.h5'
says '--overwrite'
expect 0 run stages.0.steps=2 stages.1.steps=5 --resume=required
says 'goes on   from ways/checkpoints/step-00000004.h5 (step 4)'
expect 0 run stages.0.steps=2 stages.1.steps=5
says 'nothing to do: the run is complete after 7 steps'
expect 0 run stages.0.steps=2 stages.1.steps=2 --resume=never --overwrite
[ ! -e "$(checkpoint ways 7)" ] || fail '--overwrite left a checkpoint of the earlier run'
[ -e "$(checkpoint ways 4)" ] || fail 'expected a checkpoint of step 4'
expect 64 run --overwrite
says '--overwrite goes with --resume=never'
expect 65 run --resume=nowhere
says 'nowhere'
expect 65 run --resume=ways/checkpoints/best.h5
says 'ways/checkpoints/best.h5 holds parameters only'
says '--weights ways/checkpoints/best.h5'
# --resume=PATH to an earlier step is refused if later checkpoints would be lost, unless --overwrite.
expect 64 run stages.0.steps=2 stages.1.steps=2 --resume=ways/checkpoints/step-00000002.h5
says 'goes back, but the run has gone on to ways/checkpoints/step-00000004.h5'
[ -e "$(checkpoint ways 4)" ] || fail 'a refused --resume=PATH removed a checkpoint'
before=$(digest --all "$(checkpoint ways 4)")
expect 0 run stages.0.steps=2 stages.1.steps=2 --resume=ways/checkpoints/step-00000002.h5 --overwrite
says 'goes on   from ways/checkpoints/step-00000002.h5 (step 2)'
same 'gone back and on again' "$before" "$(digest --all "$(checkpoint ways 4)")"
# What comes after goes with its best.h5.
back=(run=back stages.0.steps=9 stages.1.steps=2 evaluate.every='3 steps' checkpoint.every='1 steps' checkpoint.keep=99)
expect 0 "$lockstep" train job.yaml "${back[@]}"
[ -e back/checkpoints/best.h5 ] || fail 'expected a best.h5'
expect 75 "$lockstep" train job.yaml "${back[@]}" --resume=back/checkpoints/step-00000001.h5 --overwrite --max-time=0.0001m
same 'steps after going back' 2 "$(steps_saved back)"
[ ! -e back/checkpoints/best.h5 ] || fail 'best.h5 is of a step that was dropped'
expect 0 "$lockstep" evaluate back
says 'back/checkpoints/step-00000002.h5'

expect 0 "$lockstep" train job.yaml run=heir --resume=ways stages.0.steps=2 stages.1.steps=3
says 'goes on   from ways/checkpoints/step-00000004.h5 (step 4)'
expect 0 "$lockstep" train job.yaml run=heir --resume=ways stages.0.steps=2 stages.1.steps=4
says 'it goes on from heir/checkpoints/step-00000005.h5'
expect 0 "$lockstep" train job.yaml run=light --weights=ways/checkpoints/best.h5 stages.0.steps=1 stages.1.steps=1 \
    stages.0.optimizer='sgd rate=0' stages.1.optimizer='sgd rate=0'
same '--weights' "$(digest ways/checkpoints/best.h5)" "$(digest "$(checkpoint light 2)")"
expect 65 "$lockstep" train job.yaml run=foreign --weights=early/checkpoints/best.h5
says 'early/checkpoints/best.h5'

# --- A start that is refused leaves the run that it was to overwrite; a start from that run's best.h5 has read it by then.
printf 'x' >odd.h5
"$python" - <<'END'
import h5py, numpy, shutil
shutil.copy("images.h5", "broken.h5")
with h5py.File("broken.h5", "a") as file:
    x = file["valid/x"][...].astype("float32")
    x[3] = numpy.nan
    del file["valid/x"]
    file["valid/x"] = x
END
cp -r ways doomed
files_of() { find "$1" -type f ! -name lock -exec sha256sum {} + | sort; }
before=$(files_of doomed)
refused() { # CODE ARGUMENT ...
    local code=$1
    shift
    expect "$code" "$lockstep" train job.yaml run=doomed stages.0.steps=2 stages.1.steps=2 --overwrite "$@"
    same "what $* left" "$before" "$(files_of doomed)"
}
refused 65 --resume=never --weights=odd.h5
refused 65 --resume=never --weights=doomed/checkpoints/best.h5 net='dense units=4'
refused 74 --resume=never --timeline=nowhere/trace.json
refused 65 --resume=never data=broken.h5
refused 64 --resume=heir stages.1.optimizer='adam rate=0.01'
expect 65 ranks 2 "$lockstep" train job.yaml run=doomed --resume=never --overwrite --weights=odd.h5
same 'what a start on two ranks left' "$before" "$(files_of doomed)"
expect 0 "$lockstep" train job.yaml run=doomed --resume=heir --overwrite stages.0.steps=2 stages.1.steps=5
says 'goes on   from heir/checkpoints/step-00000006.h5 (step 6)'
[ ! -e "$(checkpoint doomed 4)" ] || fail '--overwrite left a checkpoint of the earlier run'
same "heir's best.h5 came along" "$(digest heir/checkpoints/best.h5)" "$(digest doomed/checkpoints/best.h5)"
before=$(digest doomed/checkpoints/best.h5)
mkdir doomed/samples
touch doomed/samples/photo.png doomed/checkpoints/mine.h5
expect 0 "$lockstep" train job.yaml run=doomed --resume=never --overwrite --weights=doomed/checkpoints/best.h5 \
    stages.0.steps=1 stages.1.steps=1 stages.0.optimizer='sgd rate=0' stages.1.optimizer='sgd rate=0'
same "--weights of the run itself" "$before" "$(digest "$(checkpoint doomed 2)")"
[ -e doomed/samples/photo.png ] && [ -e doomed/checkpoints/mine.h5 ] || fail '--overwrite removed what no run wrote'

# --- A damaged newest checkpoint is skipped with a message; if no valid one is left, that is an error.
printf 'x' | dd of="$(checkpoint ways 4)" bs=1 seek=5000 conv=notrunc status=none
expect 0 run stages.0.steps=2 stages.1.steps=2
says 'step-00000004.h5'
says 'goes on   from ways/checkpoints/step-00000003.h5 (step 3)'
for file in ways/checkpoints/step-*.h5; do
    printf 'x' | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
done
expect 65 run stages.0.steps=2 stages.1.steps=2
expect 65 ranks 2 "$lockstep" train job.yaml run=ways stages.0.steps=2 stages.1.steps=2

# --- A change of model, seed, data shape or finished stage is refused; of rate, schedule or batch it is noted.
expect 0 "$lockstep" train job.yaml run=kept stages.1.steps=2
kept() { "$lockstep" train job.yaml run=kept "$@"; }
expect 64 kept 'net=dense units=4'
says "command line: net: the run began with 'dense units=70"
expect 64 kept seed=2
says "command line: seed: the run began with '1', now it is '2'"
expect 64 kept stages.0.batch=38
says 'this stage is done'
expect 64 kept stages.1.optimizer=adam
says 'the running stage keeps its kind of optimizer'
data wide wide.h5
expect 65 kept data=wide.h5
says "kept/checkpoints/step-00000014.h5 was trained on data of other shapes or types than wide.h5 ('train/x rows: 203 of 12x12x1, uint8' before, '"
says 'give --weights kept/checkpoints/step-00000014.h5 and another run=DIRECTORY'
"$python" - <<'END'
import h5py, shutil
shutil.copy("images.h5", "relabelled.h5")
with h5py.File("relabelled.h5", "a") as file:
    file["valid/y"][3] = (file["valid/y"][3] + 1) % 4
END
cp -r kept other_labels
expect 0 "$lockstep" train job.yaml run=other_labels data=relabelled.h5 stages.1.steps=3
says "data: valid/y of relabelled.h5 holds other numbers than when other_labels/checkpoints/step-00000014.h5 was written"
says "written: evaluations can't be compared, the best is sought anew"
says '(best so far)'
expect 0 "$lockstep" train job.yaml run=other_labels data=relabelled.h5 stages.1.steps=4
! grep -q 'other numbers' out || fail 'the notice came twice'
expect 0 kept stages.1.steps=3 stages.1.batch=17 stages.1.optimizer='momentum rate=0.02'
says "stages.1.batch changed from '29' to '17'"

# --- A smaller batch makes more steps of the stage than the run has made: its checkpoints are good ones.
expect 0 "$lockstep" train long.yaml run=halved stages='[{optimizer: adam rate=0.001, batch: 50, epochs: 2}]'
expect 0 "$lockstep" train long.yaml run=halved stages='[{optimizer: adam rate=0.001, batch: 10, epochs: 3}]'
expect 0 "$lockstep" verify halved
expect 0 "$lockstep" train long.yaml run=halved stages='[{optimizer: adam rate=0.001, batch: 10, epochs: 4}]'
says 'goes on   from halved/checkpoints/'

# --- A run that was moved: its job.yaml names the old place, and the data are seen from another folder.
expect 0 "$lockstep" train job.yaml run=old stages.1.steps=2
mkdir archive
mv old archive/first
expect 64 "$lockstep" train archive/first/job.yaml
says 'archive/first/job.yaml lies beside checkpoints, but its run is old, which has none'
says 'give run=archive/first to go on with it; to begin anew, give run=old'
[ ! -e old ] || fail 'a refused start made the run directory'
expect 0 "$lockstep" train archive/first/job.yaml run=archive/first stages.1.steps=3
says 'goes on   from archive/first/checkpoints/step-00000014.h5'
expect 0 "$lockstep" train archive/first/job.yaml run=old stages.0.steps=1 stages.1.steps=1
cd archive
expect 65 "$lockstep" evaluate first
says 'images.h5: the data set of the run is not there, seen from this folder'
says '--data FILE.h5'
expect 0 "$lockstep" evaluate first --data ../images.h5
cd ..
cp archive/first/checkpoints/best.h5 sent.h5
expect 65 "$lockstep" evaluate sent.h5
says 'sent.h5: has no sent.ok beside it: if it was copied, copy the .ok of the original to that name too'
cp archive/first/checkpoints/best.ok sent.ok
expect 0 "$lockstep" evaluate sent.h5

# --- A job file in its own run directory keeps what a person wrote.
mkdir mine
sed '1i # mine' job.yaml >mine/job.yaml
cp mine/job.yaml before.yaml
expect 0 "$lockstep" train mine/job.yaml run=mine stages.0.steps=1 stages.1.steps=1
says 'mine/job.yaml stays as it is'
cmp -s before.yaml mine/job.yaml || fail 'the job file of a person was written over'
grep -q 'steps: 1' mine/resolved.yaml || fail 'expected the job with all keys in resolved.yaml'
expect 0 "$lockstep" inspect mine --json
says 'Written by lockstep at each start of this run'
