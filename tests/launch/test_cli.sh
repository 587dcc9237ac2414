#!/usr/bin/env bash
# test_cli: the results of the commands: evaluate's figures, --dry-run's plan, check's dump, bench's JSON, the run directory;
# and data sets as h5py writes them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
data flat flat.h5
cat >job.yaml <<'END'
data: images.h5
model: mlp widths=144,30,4
optimizer: adam rate=0.01
batch: 40
epochs: 6
seed: 4
run: run
END

json() { # EXPRESSION over `j`, the last line of what was said: prints it
    "$python" -c "import json, sys; j = json.loads(open('out').read().splitlines()[-1]); print($1)"
}

# --dry-run prints the plan and writes nothing.
expect 0 ranks 2 "$lockstep" train job.yaml --dry-run
says 'net       mlp widths=144,30,4: 4474 parameters'
says 'ranks     2 on 1 host of '
says 'dense1               dense        30                       4350'
says 'batch 40 over all ranks, about 20 a rank; 36 steps, 6 an epoch'
grep -qE '^memory    [0-9.]+ [KM]iB a rank, [0-9.]+ [KM]iB on this host in all; checkpoint [0-9.]+ [KM]iB$' out ||
    fail 'expected a line about memory'
planned=$(sed -nE 's/.*checkpoint ([0-9.]+) KiB$/\1/p' out)
says 'a guess: 1.3e+07 operations in products' # 36 steps of 20 rows a rank: forward, gradients and dx of the second layer
[ ! -e run ] || fail '--dry-run made the run directory'

# Training learns; the run directory holds what it should.
expect 0 ranks 2 "$lockstep" train job.yaml
says 'stage 1 of 1 done: step 36'
says 'results: run/checkpoints, run/metrics.jsonl'
same 'the run directory' 'checkpoints job.yaml lock metrics.jsonl' "$(ls run | tr '\n' ' ' | sed 's/ $//')"
same 'the checkpoints' 'best.h5 best.ok step-00000024.h5 step-00000024.ok step-00000030.h5 step-00000030.ok step-00000036.h5 step-00000036.ok' \
    "$(ls run/checkpoints | tr '\n' ' ' | sed 's/ $//')"
size=$(stat -c %s "$(checkpoint run 36)")
awk "BEGIN { exit !($planned * 1024 > 0.95 * $size && $planned * 1024 < 1.2 * $size + 100000) }" ||
    fail "a checkpoint was planned as $planned KiB and has $size bytes"
"$python" - <<'END'
import json

records = [json.loads(line) for line in open("run/metrics.jsonl")]
steps = [r for r in records if "samples_per_second" in r]
evaluations = [r["valid"] for r in records if "valid" in r]
assert [r["step"] for r in steps] == list(range(1, 37)), [r["step"] for r in steps]
assert all({"stage", "epoch", "loss", "accuracy", "rate"} <= r.keys() for r in steps)
assert all(0 <= r["waiting"] <= 1 for r in steps)
assert len(evaluations) == 6 and evaluations[-1]["accuracy"] > 0.9, evaluations
written = [r for r in steps if "write_seconds" in r]  # from step 12 on at the latest, as its checkpoint waits for step 6's
assert [r["step"] for r in written][-24:] == list(range(13, 37)) and all(0 <= r["held_seconds"] < 60 and 0 < r["write_seconds"] < 60 for r in written), written
assert records[-1]["final"] == "done" and records[-1]["best"] == max(e["accuracy"] for e in evaluations)
END
expect 0 "$lockstep" train job.yaml --dry-run
says "complete  in $(checkpoint run 36) (step 36)"
says 'less than 1 s, a guess: 0 operations'
expect 0 "$lockstep" train job.yaml --dry-run epochs=7
says "goes on   from $(checkpoint run 36) (step 36)"
# Training the job.yaml of the run directory repeats the run.
grep -qx 'shards: 2' run/job.yaml || fail 'run/job.yaml does not say the number of shards, which was that of the ranks'
expect 0 "$lockstep" train run/job.yaml run=again
same 'the resolved job' "$(digest "$(checkpoint run 36)")" "$(digest "$(checkpoint again 36)")"

# evaluate takes best.h5 of a run directory, or the file that it is given; text and JSON; other data and splits.
expect 0 "$lockstep" evaluate run --json
same 'keys' "['accuracy', 'checkpoint', 'confusion', 'data', 'loss', 'rows', 'split', 'stage', 'step']" "$(json 'sorted(j)')"
same 'the file chosen' run/checkpoints/best.h5 "$(json 'j["checkpoint"]')"
same 'rows' '61 61 test' "$(json 'j["rows"], sum(map(sum, j["confusion"])), j["split"]')"
same 'accuracy' True "$(json 'abs(j["accuracy"] - sum(j["confusion"][i][i] for i in range(4)) / 61) < 1e-12')"
expect 0 "$lockstep" evaluate "$(checkpoint run 36)" --json --split valid
same 'step and rows' '36 57' "$(json 'j["step"], j["rows"]')"
last_loss=$(grep '"valid"' run/metrics.jsonl | tail -n 1 | sed -E 's/.*"valid":\{"loss":([0-9.]+).*/\1/')
same 'the loss that training recorded' True "$(json "abs(j['loss'] - $last_loss) < 1e-7")"
expect 0 "$lockstep" evaluate run --split train
says 'rows      203'
says 'confusion (a row for each label, a column for each prediction)'
cp images.h5 copy.h5
expect 0 "$lockstep" evaluate run --data copy.h5
says 'on test of copy.h5'
expect 64 "$lockstep" evaluate run --data flat.h5

# numpy computes the same confusion matrix and loss from the weights.
expect 0 "$lockstep" evaluate "$(checkpoint run 36)" --json
"$python" - <<'END'
import json

import h5py
import numpy

found = json.loads(open("out").read())
with h5py.File("run/checkpoints/step-00000036.h5") as file:
    w1, b1, w2, b2 = (file[f"model/net/{name}"][()].astype(float)
                      for name in ("dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias"))
with h5py.File("images.h5") as file:
    x, y = file["test/x"][()].reshape(61, -1) / 255, file["test/y"][()]
z = numpy.maximum(x @ w1.T + b1, 0) @ w2.T + b2
loss = numpy.mean(numpy.log(numpy.exp(z).sum(1)) - z[range(61), y])
confusion = numpy.zeros((4, 4), int)
numpy.add.at(confusion, (y, z.argmax(1)), 1)
assert abs(found["loss"] - loss) < 1e-5 * loss, (found["loss"], loss)
assert found["confusion"] == confusion.tolist(), (found["confusion"], confusion)
END

# Any number of threads gives the same bits, in training and after it; the messages about threads.
for threads in 1 2 3; do
    expect 0 "$lockstep" train job.yaml run=of-$threads steps=9 --threads=$threads \
        $'net=conv2d out=16 kernel=3 pad=1\nbatchnorm\nactivation function=relu\nmaxpool kernel=2\ndense units=4'
    says "$threads thread"
    expect 0 "$lockstep" evaluate of-$threads --json --threads=$threads
    sed "s/of-$threads/of-N/" out >evaluated-$threads
    expect 0 "$lockstep" predict of-$threads -o predicted-$threads.csv --threads=$threads
    expect 0 "$lockstep" extract of-$threads --layer conv2d1 -o extracted-$threads.h5 --threads=$threads
done
for threads in 2 3; do
    same "parameters of $threads threads" "$(digest "$(checkpoint of-1 9)")" "$(digest "$(checkpoint of-$threads 9)")"
    same "figures of $threads threads" "$(cat evaluated-1)" "$(cat evaluated-$threads)"
    cmp predicted-1.csv predicted-$threads.csv || fail "predictions of $threads threads differ"
    expect 0 "$lockstep" inspect --diff extracted-1.h5 extracted-$threads.h5
done
expect 64 "$lockstep" train job.yaml --threads=0
says "--threads: expected a whole number, 1 or more, found '0'"
expect 64 "$lockstep" evaluate run --threads=2000
says '--threads: expected at most 1024, found 2000'
expect 0 "$lockstep" train job.yaml run=busy --dry-run --threads=1024
says "1 rank of 1024 threads on $(nproc) core"
if [ "$(nproc)" -ge 2 ]; then
    expect 0 taskset -c 0 "$lockstep" train job.yaml run=busy --dry-run --threads=2
    says "a rank's 2 threads take turns on the 1 core that it is bound to, which is slow: bind it to more (mpirun --map-by \
slot:PE=2 --bind-to core"
    expect 0 taskset -c 0 mpirun --oversubscribe --bind-to none -n 2 "$lockstep" train job.yaml run=busy --dry-run
    says '2 ranks of 1 thread take turns on the 1 core that they may run on, which is slow: bind each to cores of its own'
fi

# A data set as numpy and h5py write it in the plainest way: arrays at the root, int64 labels.
expect 0 ranks 2 "$lockstep" train job.yaml run=plain data=flat.h5 'net=dense units=3' epochs=30 'optimizer=adam rate=0.05'
expect 0 "$lockstep" evaluate plain --json
same 'it learns' True "$(json 'j["accuracy"] > 0.7 and j["rows"] == 61')"

# check compares every gradient, also at black pixels.
data black black.h5
expect 0 "$lockstep-double" check job.yaml data=black.h5 --rows 3 \
    net=$'conv2d out=3 kernel=3\nactivation function=relu\ndense units=4'
same 'gradients that are right' 4 "$(grep -c ' ok$' out)"

# check --dump of a net with dropout holds all that another program needs to repeat the pass.
expect 0 "$lockstep" check job.yaml model='mlp widths=144,30,4 dropout=0.4' --rows 5 --dump pass.h5
expect 64 "$lockstep" check job.yaml --dump pass.h5
says 'pass.h5: is there already; --force overwrites it'
expect 64 "$lockstep" check job.yaml --dump images.h5 --force
says 'images.h5: the output would replace images.h5, which is read'
expect 64 "$lockstep" check job.yaml --dump pass.txt
says 'pass.txt: expected an output that ends in .h5'
"$python" - <<'END'
import h5py
import numpy

with h5py.File("pass.h5") as file, h5py.File("images.h5") as images:
    assert set(file) == {"input", "target", "output", "draws", "value", "gradient"}, set(file)
    assert numpy.allclose(file["input"], images["train/x"][:5] / 255)
    assert (file["target"][()] == images["train/y"][:5]).all()
    draws = file["draws/net/dropout1"][()]
    assert numpy.allclose(numpy.unique(draws), [0, 1 / 0.6]), numpy.unique(draws)
    assert numpy.allclose(file["output/net/dropout1"], draws * file["output/net/activation1"])
    assert file["gradient/net/dense1/weight"].shape == file["value/net/dense1/weight"].shape == (30, 144)
    assert file.attrs["rows"] == 5 and "widths=144,30,4" in file.attrs["job"], dict(file.attrs)
END

# bench prints one line of JSON with the fields that torch_bench.py prints too.
for model in lenet mlp 'mlp widths=784,20,10' 'vae widths=784,30 latent=3' 'dcgan filters=4' 'autoencoder widths=784,40,9'; do
    expect 0 ranks 2 "$lockstep" bench "$model" --batch 16 --steps 2 --threads 1
    same "fields of bench $model" "['batch', 'gflops', 'model', 'peer', 'product_gflops', 'pss_bytes', 'ranks', 'samples_per_second', 'step_seconds', 'threads']" \
        "$(json 'sorted(j)')"
    same 'values' "16 $model 2 1" "$(json 'j["batch"], j["model"], j["ranks"], j["threads"]')"
    same 'positive' True "$(json '0 < j["step_seconds"]["min"] <= j["step_seconds"]["median"] and j["pss_bytes"] > 0 and j["gflops"] > 0 and j["product_gflops"] > 0')"
done
expect 0 "$lockstep" bench mlp --batch 16 --steps 2 --threads 2
same 'threads' 2 "$(json 'j["threads"]')"
expect 0 "$lockstep" bench 'mlp widths=100,10' --input 100 --batch 16 --steps 1
for command in bench 'list --model'; do
    expect 64 "$lockstep" $command 'mlp widths=100,10'
    says 'rows of the shape 784, which is usual (--input gives another): mlp: widths= begins with 100'
done
expect 64 "$lockstep" bench reduce --input 100
says '--input is of the rows of a model: reduce has none'
expect 0 "$lockstep" bench 'tdnn pool=none' --batch 4 --steps 1 # labels of steps, for features too
expect 0 "$lockstep" bench lenet --batch 16 --steps 2 --profile
grep -qE '^dense1 +forward +[0-9.]+ ms +[0-9.]+ Gflop/s +[0-9.]+ GB/s +backward .* GB/s$' out || fail 'expected a line of dense1'
grep -qE '^all layers [0-9.]+ ms of a step'"'"'s [0-9.]+ ms$' out || fail 'expected the sum of the layers'

# bench kernels: each pass of each layer is correct and is listed beside OpenBLAS; wrong arguments are refused.
kernels() { # SHAPE ...: measures each
    expect 0 "$lockstep" bench kernels --batch 2 "${@/#/--shape=}"
    says 'peak of a core: '
    same 'lines' $((3 * $#)) "$(grep -c ' | ' out)"
    awk '/ \| / && !($(NF-5) > 0 && $(NF-4) > 0 && $(NF-1) < 1e-5 && $NF > 0) { exit 1 }' out ||
        fail 'expected times, and errors below 1e-5'
}
kernels '12,11,32 | conv2d out=32 kernel=3 pad=1' '13,9,6 | conv2d out=8 kernel=3,2 stride=2,1 pad=1,0 dilation=1,2 groups=2' \
    '40,64 | tdnn units=64 kernel=3 dilation=3' '30,20,4 | dense units=200' # long enough to show in ms
expect 64 "$lockstep" bench kernels --shape '6,6,1 | maxpool kernel=2'
says "--shape '6,6,1 | maxpool kernel=2': expected one conv2d, tdnn or dense, found maxpool kernel=2"
expect 64 "$lockstep" bench kernels --shape '6 dense units=2'
says 'expected INPUT | LAYER, as in'
expect 64 "$lockstep" bench lenet --shape '6 | dense units=2'
says "it goes with \`lockstep bench kernels\`"

expect 0 ranks 2 "$lockstep" bench reduce --floats 100000 --steps 3
same 'floats' 100000 "$(json 'j["floats"]')"
same 'times and ratios' True "$(json 'all(0 < j[k + "milliseconds"] and abs(j[r] - j["mpi_allreduce_" + k + "milliseconds"] / j[k + "milliseconds"]) < 0.001 + 0.01 * j[r]
    for k, r in (("", "ratio"), ("updated_", "updated_ratio")))')"
