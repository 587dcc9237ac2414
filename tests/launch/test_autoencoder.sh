#!/usr/bin/env bash
# test_autoencoder: features without labels, layer by layer and as a whole, and a classifier on them: the same bits on 1 to 4
# ranks and after stops inside and between stages; gradients; what it refuses; rebuilt rows and codes of a checkpoint.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
data unlabelled unlabelled.h5

# --- Three stages of features with noise, then labels. Any number of ranks, any stop.
cat >job.yaml <<'YAML'
data: images.h5
model: autoencoder widths=144,40,12 activation=logistic code=prelu classes=4
stages:
  - {objective: autoencoder noise=0.3 pair=1, optimizer: adam rate=0.01, batch: 37, steps: 5}
  - {objective: autoencoder noise=0.3 pair=2, optimizer: adam rate=0.01, batch: 37, steps: 5}
  - {objective: autoencoder loss=bce noise=0.3, optimizer: momentum rate=0.01, batch: 29, steps: 5}
  - {objective: supervised net=classifier, optimizer: adam rate=0.01, batch: 29, steps: 5}
shards: 12
evaluate: {every: 2 steps}
checkpoint: {every: 1 steps, keep: 100}
YAML
expect 0 ranks 1 "$lockstep" train job.yaml run=whole
says 'stage 4 of 4 done: step 20'
files=("$(checkpoint whole 20)")
for ((count = 2; count <= 4; count++)); do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    same "metrics on $count ranks" "$(metrics_of whole)" "$(metrics_of on$count)"
    files+=("$(checkpoint on$count 20)")
done
for step in 3 5 7 10 12 15 18; do
    count=$((1 + step % 4))
    expect 0 ranks $count "$lockstep" train job.yaml run=from$step checkpoint.every=never \
        --resume="$(checkpoint whole $step)"
    says "goes on   from $(checkpoint whole $step) (step $step)"
    files+=("$(checkpoint from$step 20)")
done
ends=$(digest --all "${files[@]}")
[ "$(sort -u <<<"$ends" | wc -l)" = 1 ] || fail "not all runs end the same: $ends"

# --- What learns in a stage: the pair, and nothing else.
changed() { # STEP STEP
    "$python" "$tests/launch/changed.py" model "$(checkpoint whole "$1")" "$(checkpoint whole "$2")"
}
same 'what the first pair is' 'decoder/dense1/bias encoder/dense1/bias encoder/dense1/weight' "$(changed 1 5)"
same 'what the second pair is' \
    'decoder/dense2/bias encoder/activation2/alpha encoder/dense2/bias encoder/dense2/weight' "$(changed 5 10)"
same 'what the whole is' "decoder/dense1/bias decoder/dense2/bias encoder/activation2/alpha encoder/dense1/bias \
encoder/dense1/weight encoder/dense2/bias encoder/dense2/weight" "$(changed 10 15)"
same 'what the classifier is' "classifier/dense3/bias classifier/dense3/weight encoder/activation2/alpha \
encoder/dense1/bias encoder/dense1/weight encoder/dense2/bias encoder/dense2/weight" "$(changed 15 20)"

# --- A data set without labels is enough, as long as no stage wants them.
cat >plain.yaml <<'YAML'
data: unlabelled.h5
model: autoencoder widths=144,60,20 tied=0 classes=0 loss=bce
stages: [{optimizer: adam rate=0.005, batch: 50, epochs: 15}]
evaluate: {every: 1 epoch}
YAML
expect 0 ranks 2 "$lockstep" train plain.yaml run=plain
says 'mse'
"$python" - <<'PYTHON'
import json
records = [json.loads(line) for line in open("plain/metrics.jsonl")]
errors = [r["valid"]["mse"] for r in records if "valid" in r]
assert len(errors) == 15 and errors[-1] < 0.9 * errors[0], errors
PYTHON

printf '%s\n' 'data: unlabelled.h5' 'model: autoencoder widths=144,60,20 greedy=1 classes=4' >default.yaml
expect 65 "$lockstep" train default.yaml run=default
says 'stages.2.objective (default): supervised training needs targets: train/y is missing in the data set (classes=0 of the model'
expect 0 "$lockstep" train default.yaml run=default model='autoencoder widths=144,60,20 greedy=1 classes=0' --dry-run

# --- bce takes numbers from 0 to 1, and says which is not; squared-error takes any.
"$python" - <<'PYTHON'
import h5py
with h5py.File("unlabelled.h5") as old, h5py.File("bright.h5", "w") as file:
    for split in old:
        file[split + "/x"] = old[split + "/x"][()] / 255.0
    file["train/x"][17, 3, 2, 0] = 1.5
PYTHON
expect 65 "$lockstep" train plain.yaml run=bright data=bright.h5
says 'row 17'
says '1.5'
expect 0 "$lockstep" train plain.yaml run=bright data=bright.h5 stages.0.epochs=1 \
    model='autoencoder widths=144,60,20 classes=0'

expect 64 "$lockstep" train plain.yaml run=other 'model=autoencoder widths=150,20'
says 'autoencoder: widths= begins with 150, but a row of the data has 144 numbers'
expect 64 "$lockstep" train plain.yaml run=other 'stages.0.objective=autoencoder pair=3'
says 'pair=3: the net encoder has 2 layers with weights, and decoder has 2'

# --- Gradients against differences, of whole nets, of a pair, and of what is shared.
for objective in 'autoencoder noise=0.3' 'autoencoder loss=bce' 'autoencoder pair=1 noise=0.3' 'autoencoder pair=2'; do
    for tied in 0 1; do
        expect 0 "$lockstep-double" check plain.yaml --rows 4 stages.0.objective="$objective" \
            model="autoencoder widths=144,20,6 activation=tanh tied=$tied classes=0"
    done
done
same 'parameters of a pair that were checked' 3 "$(grep -c ' ok$' out)"

# Convolutional nets of the job's own, tied.
cat >conv.yaml <<'YAML'
data: unlabelled.h5
nets:
  encoder: |
    c1: conv2d out=8 kernel=3 stride=2 pad=1
    activation function=tanh
    c2: conv2d out=4 kernel=3 stride=2 pad=1
  decoder: |
    input 3,3,4
    deconv2d share=encoder/c2 out=8 kernel=3 stride=2 pad=1 output_pad=1
    activation function=tanh
    deconv2d share=encoder/c1 out=1 kernel=3 stride=2 pad=1 output_pad=1
objective: autoencoder loss=bce noise=0.2
YAML
expect 0 "$lockstep-double" check conv.yaml --rows 3
same 'parameters of the convolutions that were checked' 6 "$(grep -c ' ok$' out)"

# --- Ten rows are soon learned by heart: the best is where the loss on other rows is least, not the last.
expect 0 "$lockstep" train plain.yaml run=heart stages.0.rows=10 stages.0.batch=10 stages.0.epochs=60 \
    stages.0.schedule=constant evaluate.every='5 epoch' evaluate.stop_after=0
least=$("$python" - <<'PYTHON'
import json
records = [json.loads(line) for line in open("heart/metrics.jsonl")]
found = [(r["valid"]["loss"], r["step"]) for r in records if "valid" in r]
assert found[0] != min(found) != found[-1], found
print(min(found)[1])
PYTHON
)
expect 0 "$lockstep" evaluate heart --split valid
says "heart/checkpoints/best.h5 (step $least)"

# --- predict writes the rebuilt rows, extract the codes: numpy computes the same from the checkpoint.
expect 0 ranks 2 "$lockstep" predict plain -o rebuilt.h5
says '61 rows, row and value'
expect 0 "$lockstep" extract plain --layer encoder/dense2 -o codes.h5
expect 64 "$lockstep" predict plain -o classes.h5 --as classes
says '--as classes: the outputs of autoencoder are rebuilt rows, which stand for no classes; leave --as out'
"$python" - <<'PYTHON'
import h5py, numpy
with h5py.File("plain/checkpoints/best.h5") as best, h5py.File("unlabelled.h5") as data, \
     h5py.File("rebuilt.h5") as rebuilt, h5py.File("codes.h5") as codes:
    def dense(net, layer, x):
        return x @ best[f"model/{net}/{layer}/weight"][()].T + best[f"model/{net}/{layer}/bias"][()]
    x = data["test/x"][()].reshape(61, 144) / 255
    code = dense("encoder", "dense2", numpy.maximum(dense("encoder", "dense1", x), 0))
    out = dense("decoder", "dense1", numpy.maximum(dense("decoder", "dense2", code), 0))
    assert rebuilt["value"].shape == (61, 12, 12, 1)
    numpy.testing.assert_allclose(rebuilt["value"][()].reshape(61, 144), 1 / (1 + numpy.exp(-out)), atol=1e-5)
    numpy.testing.assert_allclose(codes["test/x"][()], code, rtol=1e-4, atol=1e-4)
PYTHON
