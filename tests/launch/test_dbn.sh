#!/usr/bin/env bash
# test_dbn: a deep belief network: machines one after the other, then labels: the same bits on 1 to 4 ranks and after stops at
# every step around the borders of stages; what each stage trains; where it ends early; rows that it makes; its default stages.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
data unlabelled unlabelled.h5

# --- Contrastive divergence, persistent chains, labels; batches that divide neither rows nor shards, chains that do not either.
cat >job.yaml <<'YAML'
data: images.h5
model: dbn widths=144,24,12,4
batch: 37
schedule: constant
shards: 12
stages:
  0: {steps: 5}
  1: {objective: rbm layer=dense2 k=2 chains=10, steps: 5}
  2: {optimizer: adam rate=0.01 decay=0.1 decay_all=1, steps: 5} # which would move all that it knows of
evaluate: {every: 1 steps}
checkpoint: {every: 1 steps, keep: 100}
YAML
expect 0 ranks 1 "$lockstep" train job.yaml run=whole
says 'stage 1   rbm layer=dense1; momentum'
says 'stage 3 of 3 done: step 15'
wanted=$(digest --all "$(checkpoint whole 15)")
for ((count = 2; count <= 4; count++)); do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    same "metrics on $count ranks" "$(metrics_of whole)" "$(metrics_of on$count)"
    for step in 5 8 10 15; do
        same "step $step on $count ranks" "$(digest --all "$(checkpoint whole $step)")" "$(digest --all "$(checkpoint on$count $step)")"
    done
done
for ((step = 3; step <= 12; step++)); do
    count=$((1 + step % 4))
    expect 0 ranks $count "$lockstep" train job.yaml run=from$step checkpoint.every=never --resume="$(checkpoint whole $step)"
    says "goes on   from $(checkpoint whole $step) (step $step)"
    same "step 15 from step $step on $count ranks" "$wanted" "$(digest --all "$(checkpoint from$step 15)")"
done

# --- What a stage trains, and leaves as it is: its own machine; the perceptron without the biases of visible units.
changed() { # STEP STEP
    "$python" "$tests/launch/changed.py" model/net "$(checkpoint whole "$1")" "$(checkpoint whole "$2")"
}
same 'what the first machine is' 'dense1/bias dense1/visible_bias dense1/weight' "$(changed 1 5)"
same 'what the second machine is' 'dense2/bias dense2/visible_bias dense2/weight' "$(changed 5 10)"
same 'what the perceptron is' 'dense1/bias dense1/weight dense2/bias dense2/weight dense3/bias dense3/weight' "$(changed 10 15)"

# --- Each stage begins with the last parameters of the stage before, though others were better; these are kept.
for stage in 0 1; do
    same "stage-$stage.h5" "$(digest "$(checkpoint whole $((5 * stage + 5)))")" "$(digest whole/checkpoints/stage-$stage.h5)"
done
expect 0 "$lockstep" train job.yaml run=worse stages.0.optimizer='momentum rate=3 momentum=0'
"$python" - <<'PYTHON'
import json
ends = [r for r in map(json.loads, open("worse/metrics.jsonl")) if "final" in r]
assert ends[0]["best_step"] < 5, ends[0]
PYTHON
same 'the machine that the second stage sees' 'dense2/bias dense2/visible_bias dense2/weight' \
    "$("$python" "$tests/launch/changed.py" model/net "$(checkpoint worse 5)" "$(checkpoint worse 10)")"

# --- A stage that ends early by the gap of free energies goes on with the next. Of 12 rows a machine soon knows more than of others.
expect 0 ranks 2 "$lockstep" train job.yaml run=gap evaluate.gap=2 stages.0.rows=12 stages.0.batch=12 stages.0.steps=400 \
    stages.1.steps=2 stages.2.steps=2 evaluate.every='2 steps'
says 'stage 1 of 3 stopped early (gap '
says 'stage 2 of 3 done: step'
says 'stage 3 of 3 done: step'
ended=$("$python" - <<'PYTHON'
import json
records = [json.loads(line) for line in open("gap/metrics.jsonl")]
gaps = [r["valid"]["gap"] for r in records if r["stage"] == 0 and "valid" in r]
assert 1 < len(gaps) < 40 and gaps[-1] > 2 and all(gap <= 2 for gap in gaps[:-1]), gaps
print(next(r["step"] for r in records if "final" in r))
PYTHON
)
for ((step = ended - 1; step <= ended; step++)); do
    expect 0 ranks 3 "$lockstep" train gap/job.yaml run=gap$step checkpoint.every=never --resume="$(checkpoint gap $step)"
    same "the end from step $step" "$(digest --all "$(checkpoint gap $((ended + 4)))")" "$(digest --all "$(checkpoint gap$step $((ended + 4)))")"
done

# --- A gap that the last evaluation exceeded already, for the job now asks for less, ends the stage aloud.
expect 0 "$lockstep" train gap/job.yaml run=lower evaluate.gap=0.0001 --resume="$(checkpoint gap $((ended - 1)))"
says "stage 1 of 3 stopped early (gap "
same 'final records' 3 "$(grep -c '"final"' lower/metrics.jsonl)"

# --- What is applied: the means of units within a net are values, no classes; the objective of the last stage that has begun, which
# is told where another is asked for; not best.h5 of a stage that is over.
expect 0 "$lockstep" predict whole --stage 1 -o units.h5
says '61 rows, row and value'
expect 0 "$lockstep" evaluate whole --stage 1 --samples 10
says '(of what this machine reads of the lines below it, not of the rows)'
expect 64 "$lockstep" train job.yaml run=wrong stages.0.objective='rbm layer=dense1 lowest=gaussian'
says 'lowest=gaussian is for a machine above others, and layer=dense1 is the lowest itself: take units=gaussian'
expect 64 "$lockstep" predict whole --stage 1 --as classes -o classes.h5
says 'the outputs of rbm are rebuilt units of a layer, which stand for no classes'
expect 0 "$lockstep" predict whole -o classes.h5
says '61 rows, class and probability'
expect 0 "$lockstep" evaluate "$(checkpoint whole 5)"
says 'by stage 0: rbm layer=dense1'
expect 0 ranks 2 "$lockstep" evaluate "$(checkpoint whole 7)"
says 'by stage 1: rbm layer=dense2'
expect 0 ranks 2 "$lockstep" evaluate "$(checkpoint whole 7)" --stage 2
says "$(checkpoint whole 7): these parameters are of stage 1; stage 2 has not begun"
same 'notices' 1 "$(grep -c 'has not begun' out)"
expect 0 "$lockstep" generate "$(checkpoint whole 3)" -o begun.h5
says 'by stage 0: rbm layer=dense1'
expect 0 "$lockstep" generate "$(checkpoint whole 12)" -o later.h5
says "the parameters are those of $(checkpoint whole 12), as a later stage (2) has left them"
expect 0 "$lockstep" train job.yaml run=seldom evaluate.every='5 steps'
mkdir -p inside/checkpoints
cp seldom/checkpoints/step-00000007.* seldom/checkpoints/stage-0.* inside/checkpoints
for ending in h5 ok; do
    cp inside/checkpoints/stage-0.$ending inside/checkpoints/best.$ending
done
expect 0 ranks 2 "$lockstep" evaluate inside
says 'inside/checkpoints/best.h5 is of stage 0, which is over: inside/checkpoints/step-00000007.h5 is taken'
says 'inside/checkpoints/step-00000007.h5 (step 7) on test of images.h5, by stage 1: rbm layer=dense2'
expect 0 "$lockstep" evaluate inside --stage 0
says 'inside/checkpoints/stage-0.h5 (step 5) on test of images.h5, by stage 0: rbm layer=dense1'
! grep -q 'is taken' out || fail 'a notice says that what is not used is taken'

# --- Labels again, from what the machines were.
printf '%s\n' 'data: images.h5' 'model: dbn widths=144,24,12,4' 'objective: supervised loss=cross-entropy' 'epochs: 2' \
    'checkpoint: {every: 1 steps, keep: 100}' >labels.yaml
expect 0 "$lockstep" train labels.yaml run=labels --weights whole/checkpoints/stage-1.h5
says 'stage 1 of 1 done'
same 'what labels train again' 'dense1/bias dense1/weight dense2/bias dense2/weight dense3/bias dense3/weight' \
    "$("$python" "$tests/launch/changed.py" model/net whole/checkpoints/stage-1.h5 "$(checkpoint labels 1)")"
same 'the biases of visible units' '' "$("$python" - <<'PYTHON'
import h5py, numpy
before, after = (h5py.File(path)["model/net"] for path in ("whole/checkpoints/stage-1.h5", "labels/checkpoints/step-00000001.h5"))
print(*(name for name in ("dense1", "dense2") if not numpy.array_equal(before[name + "/visible_bias"][()], after[name + "/visible_bias"][()])))
PYTHON
)"

# --- Rows are made by the uppermost machine and those below, as they were before labels trained them: the way down ends with the
# means of visible units by *samples* of the first hidden layer, 0 or 1, which least squares finds again.
expect 0 "$lockstep" generate whole -o made.h5
says 'wrote made.h5: 64 rows of whole/checkpoints/stage-1.h5 (step 10), seed 1, by stage 1: rbm layer=dense2 k=2 chains=10'
expect 0 ranks 3 "$lockstep" generate whole --rows 64 -o made3.h5
cmp made.h5 made3.h5 || fail '3 ranks make other rows'
expect 0 "$lockstep" generate whole --stage 0 -o first.h5
says 'whole/checkpoints/stage-0.h5 (step 5), seed 1, by stage 0: rbm layer=dense1'
expect 0 "$lockstep" generate whole --from 3,5 -o chains.h5
expect 64 "$lockstep" generate whole --stage 2 -o none.h5
says 'the objective supervised makes no rows; those that do: '
says '; of this job, stage(s) 0, 1 can'
printf '%s\n' 'data: images.h5' $'net: |\n  a: dense units=9\n  activation function=logistic\n  b: dense units=5 visible=1\n  dense units=4' \
    'objective: rbm layer=b' 'optimizer: sgd rate=0.1' 'steps: 2' 'batch: 20' 'evaluate: {every: never}' >above.yaml
expect 0 "$lockstep" train above.yaml run=above
expect 64 "$lockstep" generate above -o none.h5
says 'the objective rbm makes no rows with this net'
# best.h5 of a machine is written again byte for byte.
expect 0 "$lockstep" train above.yaml run=again evaluate.every='1 steps' checkpoint.every='1 steps' checkpoint.keep=100
cp again/checkpoints/best.h5 best.h5
rm again/checkpoints/best.*
expect 0 "$lockstep" train above.yaml run=again evaluate.every='1 steps' checkpoint.every='1 steps' checkpoint.keep=100
says 'it is written again from again/checkpoints/step-'
cmp best.h5 again/checkpoints/best.h5 || fail 'best.h5 is another than before'
data flat flat.h5
printf '%s\n' 'data: flat.h5' 'model: dbn widths=6,5,4,3 units=gaussian' 'evaluate: {every: never}' >gaussian.yaml
expect 0 "$lockstep" train gaussian.yaml run=gaussian
says 'stage 2   rbm layer=dense2 lowest=gaussian; '
expect 0 "$lockstep" generate gaussian -o normal.h5
"$python" - <<'PYTHON'
import h5py, numpy
def states(made, machine, link):
    with h5py.File(made) as rows, h5py.File(machine) as file:
        x = rows["train/x"][()].astype("f8")
        x = x.reshape(len(x), -1)
        a, w = (file[f"model/net/dense1/{name}"][()].astype("f8") for name in ("visible_bias", "weight"))
    found = numpy.linalg.lstsq(w.T, (link(x) - a).T, rcond=None)[0].T
    assert numpy.abs(found - found.round()).max() < 0.05 and set(found.round().ravel()) == {0, 1}, found
    return x, found.round()
x, h = states("made.h5", "whole/checkpoints/stage-1.h5", lambda x: numpy.log(x / (1 - x)))
assert 0 < x.min() and x.max() < 1 and len(numpy.unique(h, axis=0)) > 32
x, h = states("normal.h5", "gaussian/checkpoints/stage-1.h5", lambda x: x)
assert len(numpy.unique(h, axis=0)) > 8
first = h5py.File("first.h5")["train/x"][()]
assert first.shape == (64, 12, 12, 1) and not numpy.array_equal(first, h5py.File("made.h5")["train/x"][()])
PYTHON

# --- The default stages: a machine a hidden layer, on the layers below; then all. Their memory and time before they start.
expect 0 "$lockstep" list --model 'dbn widths=784,500,250,10 units=gaussian'
for line in 'dense1: dense units=500 visible=1 init=normal scale=0.01' 'dense3: dense units=10' \
    'objective: rbm layer=dense1 units=gaussian' 'objective: rbm layer=dense2' 'objective: supervised loss=cross-entropy'; do
    says "$line"
done
expect 0 ranks 2 "$lockstep" train job.yaml run=none --dry-run evaluate.metric=accuracy # of the last stage
expect 64 "$lockstep" train job.yaml run=none --dry-run evaluate.metric=acuracy
says "there is no metric 'acuracy' in stage 1, which has: reconstruction"
expect 0 ranks 2 "$lockstep" train job.yaml run=none --dry-run
# Forward, down and up, two gradients; and once more up where the chains persist; the layer below is passed once.
low=$((2 * 144 * 24)) high=$((2 * 24 * 12)) top=$((2 * 12 * 4))
says "a guess: $("$python" -c "print('%.3g' % (5 * 37 / 2 * (5 * $low + ($low + 8 * $high) + (2 * $low + 3 * $high + 3 * $top))))") operations"
same 'stages of the plan' 3 "$(grep -cE '^ +stage [123]: [0-9.]+ MiB a rank, (about|less than) ' out)"

# --- Without labels the machines train, and the last stage says what it wants.
expect 65 "$lockstep" train job.yaml run=none data=unlabelled.h5
says 'stages.2.objective (default): supervised training needs targets: train/y is missing'
