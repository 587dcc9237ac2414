#!/usr/bin/env bash
# test_stages: the stages that a model brings, changed by keys of the job: their rows, what they train, and that a run keeps
# them; nets of the job's own by name.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5

# --- Features of all rows, then a classifier from few labels. A key at the top holds for both stages.
cat >job.yaml <<'YAML'
data: images.h5
model: autoencoder widths=144,12 classes=4
schedule: constant
batch: 29
shards: 4
stages:
  0: {epochs: 2}
  1: {rows: 60, steps: 7, train: classifier/dense2}
checkpoint: {every: 1 steps, keep: 100}
YAML
expect 0 ranks 1 "$lockstep" train job.yaml run=whole
says 'stage 1   autoencoder loss=squared-error noise=0; adam rate=0.001; constant; batch 29 over all ranks, about 29 a rank; 14 steps, 7 an epoch'
says 'stage 2   supervised net=classifier loss=cross-entropy; adam rate=0.001; constant; trains classifier/dense2; the first 60 training rows; batch 29 over all ranks, about 29 a rank; 7 steps, 3 an epoch'
says 'stage 2 of 2 done: step 21'
wanted=$(digest --all "$(checkpoint whole 21)")
expect 0 ranks 3 "$lockstep" train job.yaml run=on3
same '3 ranks' "$wanted" "$(digest --all "$(checkpoint on3 21)")"
for step in 9 14; do # within and between the stages
    expect 0 ranks 2 "$lockstep" train job.yaml run=from$step --resume="$(checkpoint whole $step)"
    same "resumed from step $step" "$wanted" "$(digest --all "$(checkpoint from$step 21)")"
done

# --- stage-0.h5 holds what stage 0 left to the next; what applies a stage takes it from a run directory, and says so.
same 'files of stages' 'stage-0.h5 stage-0.ok' "$(cd whole/checkpoints && echo stage-*)"
same 'stage-0.h5' "$(digest "$(checkpoint whole 14)")" "$(digest whole/checkpoints/stage-0.h5)"
figures() { # the lines of figures, without the one that names the file
    tail -n +2 out
}
expect 0 ranks 2 "$lockstep" evaluate whole --stage 0
says "whole/checkpoints/stage-0.h5 (step 14) on test of images.h5, by stage 0: autoencoder loss=squared-error noise=0"
says 'mse'
wanted_figures=$(figures)
expect 0 "$lockstep" evaluate "$(checkpoint whole 14)" --stage 0
says "$(checkpoint whole 14) (step 14) on test"
same 'figures of stage 0' "$wanted_figures" "$(figures)"
expect 0 "$lockstep" evaluate whole --json
says '"stage":1,'
says '"accuracy"'
expect 0 "$lockstep" predict whole --stage 0 -o rebuilt.h5
says 'whole/checkpoints/stage-0.h5 (step 14)'
says '61 rows, row and value'
expect 0 "$lockstep" generate whole --walk 3,5 -o walk.png
says 'wrote walk.png: 16 rows of whole/checkpoints/stage-0.h5 (step 14), seed 1, by stage 0: autoencoder'
expect 64 "$lockstep" generate whole --walk 3,5 --stage 1 -o walk.png --force
says 'the objective supervised makes no rows'
expect 64 ranks 2 "$lockstep" evaluate whole --stage 2
says '--stage=2, but the job has stages 0 to 1'
expect 0 "$lockstep" evaluate from14 --stage 0
says 'from14/checkpoints/stage-0.h5 is not there'
says 'the parameters are those of from14/checkpoints/best.h5, as a later stage (1) has left them'
expect 0 "$lockstep" verify whole
says 'whole/checkpoints/stage-0.h5'
data unlabelled unlabelled.h5
expect 0 "$lockstep" evaluate whole --stage 0 --data unlabelled.h5
expect 65 "$lockstep" evaluate whole --data unlabelled.h5
expect 0 "$lockstep" inspect from9
says 'stage-0.h5'
printf '\n' >>from9/checkpoints/stage-0.h5
expect 65 ranks 2 "$lockstep" evaluate from9 --stage 0
says 'from9/checkpoints/stage-0.h5'

# --- What stage 2 froze is as stage 1 left it.
"$python" - "$(checkpoint whole 14)" "$(checkpoint whole 21)" <<'END_PYTHON'
import h5py, sys
before, after = (h5py.File(path)["model"] for path in sys.argv[1:])
same = set()
before.visititems(lambda name, item: same.add((name, (item[...] == after[name][...]).all()))
                  if isinstance(item, h5py.Dataset) else None)
assert same == {("encoder/dense1/weight", True), ("encoder/dense1/bias", True), ("decoder/dense1/bias", True),
                ("classifier/dense2/weight", False), ("classifier/dense2/bias", False)}, same
END_PYTHON

# --- --dry-run: what each stage takes of a rank, the largest of which is the rank's memory; what is done takes no time. A row of
# stage 1 takes 5 products of 144 x 12 (dx of the decoder alone), one of stage 2 two of 12 x 4 (the rest is frozen) and one 144 x 12.
expect 0 ranks 2 "$lockstep" train job.yaml run=none --dry-run
says "a guess: $(python3 -c 'print("%.3g" % (14 * 29 / 2 * 5 * 2 * 144 * 12 + 7 * 29 / 2 * 2 * (144 * 12 + 2 * 12 * 4)))') operations in products"
sed -nE 's/^memory +([0-9.]+) MiB a rank.*/\1/p; s/^ +stage [12]: ([0-9.]+) MiB a rank, (about|less than) [0-9.]+ s$/\1/p' out >memory
same 'memory of a rank, and of two stages' 3 "$(wc -l <memory)"
same 'the largest stage' "$(head -n 1 memory)" "$(tail -n 2 memory | sort -n | tail -n 1)"
expect 0 ranks 2 "$lockstep" train job.yaml run=from14 --dry-run
same 'stages that are done' 2 "$(grep -c '^ *stage [12]: [0-9.]* MiB a rank, done$' out)"

# --- The run holds the whole job, and goes on with it, or with a longer stage.
for line in 'model: autoencoder widths=144,12 classes=4' 'objective: supervised net=classifier loss=cross-entropy' \
    'rows: 60' 'train: classifier/dense2' 'steps: 7'; do
    grep -q "^ *\(- \)\?$line\$" whole/job.yaml || fail "whole/job.yaml has no line '$line'"
done
same 'stages in whole/job.yaml' 2 "$(grep -c '^  - objective' whole/job.yaml)"
expect 0 "$lockstep" train job.yaml run=whole
says 'complete  in'
says '(a larger stages.1.epochs= or stages.1.steps= goes on)'
expect 0 "$lockstep" train job.yaml run=whole stages.1.steps=9
says 'stage 2 of 2 done: step 23'
expect 0 "$lockstep" train job.yaml run=whole stages.1.steps=8 --dry-run
says 'less than 1 s, a guess: 0 operations'
expect 0 "$lockstep" train whole/job.yaml run=whole stages.1.steps=10
says 'stage 2 of 2 done: step 24'
expect 0 ranks 2 "$lockstep" train whole/job.yaml run=longer stages.1.steps=12 stages.1.batch=58 --resume="$(checkpoint whole 17)"
says 'batch: the stage is counted in steps, of which it keeps 12; steps of 58 rows would be 6 for as many rows'
expect 64 "$lockstep" train job.yaml run=whole stages.0.epochs=3
says "command line: stages.0.epochs: the run began with '2', now it is '3': this stage is done"
expect 64 "$lockstep" train job.yaml run=whole stages.1.train=classifier stages.1.steps=20
says "the running stage keeps what it trains"

# --- Options of a model that only its default stages hear of: no part of the nets, and refused where no stage hears of them.
expect 0 "$lockstep" train whole/job.yaml run=whole 'model=autoencoder noise=0 widths=144,12 classes=4' stages.1.steps=11
says "model changed from 'autoencoder widths=144,12 classes=4' to 'autoencoder noise=0 widths=144,12 classes=4'"
says 'stage 2 of 2 done: step 25'
expect 0 "$lockstep" train job.yaml run=noisy 'model=autoencoder widths=144,12 classes=4 noise=0.2 loss=bce' epochs=1
expect 0 "$lockstep" train noisy/job.yaml
expect 64 "$lockstep" train noisy/job.yaml stages.0.objective=autoencoder run=other
says 'model: noise=0.2 is for the model'"'"'s default objective, but this job has one of its own, '"'"'autoencoder'"'"': write it there'

# --- Nets by name: the same net by `net` and by `nets`; beside a model, in place of its own.
lines=$'conv2d out=3 kernel=5\nactivation function=tanh\ndense units=4'
common=(train job.yaml 'objective=supervised' batch=29 epochs=2 shards=2)
sed -i '/^model/d; /^stages/,/^  1/d' job.yaml
expect 0 ranks 2 "$lockstep" "${common[@]}" run=net "net=$lines"
expect 0 "$lockstep" "${common[@]}" run=nets "nets.net=$lines"
printf 'optimizer: momentum rate=1\n' | cat job.yaml - >map.yaml
expect 0 "$lockstep" train map.yaml "net=$lines" --dry-run
says 'momentum rate=1; '
expect 0 "$lockstep" train job.yaml "net=$lines" --dry-run
says 'momentum rate=0.01 momentum=0.9 (default); '
same 'net and nets.net' "$(digest --all "$(checkpoint net 14)")" "$(digest --all "$(checkpoint nets 14)")"
expect 0 "$lockstep" inspect nets
says '  nets:'
says '    net: |'
expect 64 "$lockstep" "${common[@]}" run=nets "nets.net=$lines bias=0" epochs=4
says 'a run keeps the lines of its nets (--weights CHECKPOINT begins another run with its parameters)'
expect 64 "$lockstep" "${common[@]}" run=other 'model=autoencoder widths=144,12 loss=squared-error' objective=autoencoder
says 'command line: model: loss=squared-error is for the model'"'"'s default objective'
expect 0 "$lockstep" "${common[@]}" run=said 'model=autoencoder widths=144,12 loss=squared-error' \
    'objective=autoencoder loss=squared-error noise=0.1'
expect 0 "$lockstep" train job.yaml run=own 'model=autoencoder widths=144,12 classes=4' "nets.encoder=$lines" \
    $'nets.decoder=input 4\ndense units=144' 'nets.classifier=dense units=4' stages.0.steps=3 stages.1.steps=3
says 'stage 2 of 2 done: step 6'

# --- A net that learns in no stage is told, and outputs that no label is of.
expect 0 "$lockstep" "${common[@]}" run=more "net=dense units=9" --dry-run
says 'stage 1 has outputs for 9 classes, but the labels of the data are of 4'
expect 0 "$lockstep" "${common[@]}" run=two "nets.net=$lines" 'nets.ner=dense units=2'
says 'no stage trains the net ner'

expect 0 "$lockstep" list --model 'autoencoder widths=784,12'
says '  input 12'
says '  # stages.1'

# --- A run is judged on data that have fewer training rows than its stages took.
"$python" - <<'END_PYTHON'
import h5py
with h5py.File("images.h5") as images, h5py.File("few.h5", "w") as few:
    for name in ("train/x", "train/y", "test/x", "test/y"):
        few[name] = images[name][:50]
        few[name].attrs.update(images[name].attrs)
END_PYTHON
expect 0 "$lockstep" evaluate whole --data few.h5
says 'rows      50'
expect 64 "$lockstep" train whole/job.yaml run=few data=few.h5
says ': stages.1.rows: 60 rows are more than there are: few.h5 has 50 training rows'

# --- Each refusal names the key that is wrong.
model='model=autoencoder widths=144,12 classes=4'
expect 64 "$lockstep" train job.yaml run=bad "$model" stages.0.train=classifier
says "command line: stages.0.train: 'classifier' names nothing that autoencoder trains"
expect 64 "$lockstep" train job.yaml run=bad "$model" stages.0.train=encoder stages.0.objective=autoencoders
says 'command line: stages.0.objective: there is no objective autoencoders'
expect 64 "$lockstep" train job.yaml run=bad "$model" 'stages.1.optimizer.clasifier=sgd rate=1'
says 'command line: stages.1.optimizer.clasifier: supervised has no phase clasifier: did you mean classifier?'
expect 64 "$lockstep" train job.yaml run=own "$model" "nets.encoder=$lines" \
    $'nets.decoder=input 4\ndense units=144 bias=0' 'nets.classifier=dense units=4' stages.0.steps=3 stages.1.steps=4
says "command line: nets.decoder: the run began with"
expect 64 "$lockstep" train job.yaml run=bad 'model=gan generator=5' 'optimizer.generator=sgd rate=1'
says 'command line: optimizer.generator: the phase discriminator has no optimizer: give one for each of discriminator, generator, or one for all'
expect 64 "$lockstep" train job.yaml run=bad 'model=gan generator=5' 'optimizer.generator=sgd' 'optimizer.discriminator=sgd rte=1'
says 'command line: optimizer.discriminator: sgd has no key rte: did you mean rate?'
expect 64 "$lockstep" train job.yaml run=bad 'model=gan generator=5' 'optimizer.nobody=sgd'
says 'command line: optimizer.nobody: gan has no phase nobody (it has: discriminator, generator)'
# A map as a value takes the place of the whole key.
expect 0 "$lockstep" train map.yaml run=bad 'model=gan generator=5 output=linear' --dry-run \
    'optimizer={discriminator: adam rate=0.1, generator: sgd rate=0.2}' 'evaluate={every: 7 steps}'
says 'gan loss=nonsaturating; discriminator: adam rate=0.1; generator: sgd rate=0.2; '
expect 64 "$lockstep" train map.yaml run=bad 'model=gan generator=5' 'optimizer={generator: sgd, discriminator}'
says 'command line: optimizer.discriminator: expected an optimizer, as `lockstep list optimizers` has them, found nothing'
expect 64 "$lockstep" train map.yaml run=bad 'model=gan generator=5' 'optimizer={generator: sgd'
says 'command line: optimizer:2:1: did not find'
printf 'stages: {0: {optimizer: sgd rate=1}}\n' | cat job.yaml - >all.yaml
expect 64 "$lockstep" train all.yaml run=bad 'model=gan generator=5' 'optimizer.generator=adam rate=0.1'
says 'command line: optimizer.generator: the job has one optimizer for all phases (stages.0.optimizer: sgd rate=1): give it one'
expect 64 "$lockstep" train job.yaml run=bad "$model" nets.more='dense units=3'
says 'autoencoder has no net more'
expect 64 "$lockstep" train job.yaml run=whole "$model" 'nets.encoder=dense units=12' stages.1.steps=20
says "command line: nets.encoder: the run began with '(not given)', now it is 'encoder'"
expect 64 "$lockstep" extract whole --layer dense1 -o codes.h5
says 'dense1 is a layer of several nets: name one of encoder/dense1, decoder/dense1'
