#!/usr/bin/env bash
# test_streams: recurrent nets that carry their states along streams of tokens: the same bits on 1 to 4 ranks and after a stop,
# what evaluation counts, against numpy; what is no stream, or too short.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$python" - <<'END'
import h5py, numpy
random = numpy.random.default_rng(1)
def tokens(count):
    x = [0, 1]
    while len(x) < count:
        x.append((x[-1] + x[-2] + (random.random() < 0.2)) % 7)
    return numpy.array(x)
with h5py.File("text.h5", "w") as data, h5py.File("packed.h5", "w") as packed:
    for split, count in {"train": 4011, "valid": 641, "test": 777}.items():
        x = data[f"{split}/x"] = tokens(count).astype("uint8")
        packed.create_dataset(f"{split}/x", data=x, chunks=(100,), compression="gzip")
with h5py.File("rows.h5", "w") as data:
    data["train/x"] = numpy.zeros((40, 9), "uint8")
with h5py.File("lengths.h5", "w") as data:
    data["train/x"] = data["train/length"] = numpy.ones(40, "uint8")
with h5py.File("labelled.h5", "w") as data:
    data["train/x"] = data["train/y"] = numpy.zeros(40, "uint8")
END
cat >job.yaml <<'END'
data: text.h5
model: lstm classes=7 units=10 embed=5 peephole=1 carry=1 dropout=0.2 recurrent_dropout=0.3
unroll: 9
optimizer: adam rate=0.01 clip=0.1
schedule: constant
batch: 37
steps: 20
shards: 8
evaluate: {every: 4 steps}
checkpoint: {every: 5 steps, keep: 9}
END

# --- The same bits on every number of ranks and threads, and after a stop within an epoch (of 12 steps).
expect 0 ranks 1 "$lockstep" train job.yaml run=one
says '37 streams of 108 tokens, side by side; 14 of 4010 tokens fill no whole row of a batch'
wanted=$(digest --all "$(checkpoint one 20)")
for count in 2 3 4; do
    expect 0 ranks $count "$lockstep" train job.yaml run=on$count
    same "20 steps on $count ranks" "$wanted" "$(digest --all "$(checkpoint on$count 20)")"
    same "records on $count ranks" "$(metrics_of one)" "$(metrics_of on$count)"
done
expect 0 "$lockstep" train job.yaml run=threads --threads 2
same '20 steps of two threads' "$wanted" "$(digest --all "$(checkpoint threads 20)")"
expect 0 "$lockstep" train job.yaml run=packed data=packed.h5
same '20 steps of packed tokens' "$wanted" "$(digest --all "$(checkpoint packed 20)")"
expect 0 "$lockstep" train job.yaml run=unjudged evaluate.every=never
same '20 steps without evaluations' "$(digest --arrays "$(checkpoint one 20)")" "$(digest --arrays "$(checkpoint unjudged 20)")"
for step in 5 10 15; do
    expect 0 ranks $((step / 5 + 1)) "$lockstep" train job.yaml run=from$step --resume="$(checkpoint one $step)"
    same "step 20 from step $step" "$wanted" "$(digest --all "$(checkpoint from$step 20)")"
done
number=0
for model in 'gru carry=1' 'gru reset=after carry=1 layers=1' 'rnn carry=1' 'lstm layers=1'; do
    number=$((number + 1))
    for count in 1 3; do
        expect 0 ranks $count "$lockstep" train job.yaml run=model$number-$count model="$model classes=7 units=9" steps=4
    done
    same "$model" "$(digest --all "$(checkpoint model$number-1 4)")" "$(digest --all "$(checkpoint model$number-3 4)")"
done

# --- States that another batch made begin anew, said aloud; windows of another length are refused.
expect 0 "$lockstep" train job.yaml run=other --resume="$(checkpoint one 5)" batch=30
says ' holds 37 rows of 40 numbers, the job has 30 of 40: they begin anew'
expect 0 "$lockstep" train job.yaml run=fewer --resume="$(checkpoint one 5)" rows=370
says 'streams: the rows of the epoch are cut into other streams than those of one/checkpoints/step-00000005.h5: their states begin anew'
expect 64 "$lockstep" train job.yaml run=other unroll=12
says "unroll: the run began with '9', now it is '12'"

# --- Evaluation counts every token that has one before it once: against numpy, in windows by themselves, or in 5 streams that
# carry a state through 17 windows each; from the same parameters.
expect 0 "$lockstep" train job.yaml run=cold model='lstm classes=7 units=10 embed=5 peephole=1 dropout=0.2 recurrent_dropout=0.3'
expect 0 ranks 3 "$lockstep" evaluate one --split test --json
mv out found.json
expect 0 "$lockstep" evaluate one --split test --json --threads 2
same 'evaluation on 3 ranks and by 2 threads' "$(cat found.json)" "$(cat out)"
expect 0 ranks 2 "$lockstep" predict one -o predicted.h5
says 'carries states from row to row (carry=1), but each row of 9 steps begins anew here'
expect 0 "$lockstep" predict one --data packed.h5 -o packed_predicted.h5
expect 0 "$lockstep" extract one --layer layer1 --frames -o frames.h5
expect 0 "$lockstep" extract one --layer layer1 -o layer.h5
says 'carries states from row to row (carry=1), but each row of 9 steps begins anew here'
expect 0 "$lockstep" evaluate cold --split test --json
mv out cold.json
"$python" - <<'END'
import json, h5py, numpy

def parameters(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name.split("/", 1)[1]: node[()].astype(float)})
                        if isinstance(node, h5py.Dataset) and "net/" in name else None)
    return found

def logistic(z):
    return 1 / (1 + numpy.exp(-z))

def layer(p, name, x, state):
    units = p[name + "/recurrent"].shape[1]
    (h, c), out, w = state, [], p[name + "/peephole"]
    for step in x:
        sums = p[name + "/weight"] @ step + p[name + "/recurrent"] @ h + p[name + "/bias"]
        i, f, z, o = sums.reshape(4, units)
        i, f, z = logistic(i + w[0] * c), logistic(f + w[1] * c), numpy.tanh(z)
        c = f * c + i * z
        o = logistic(o + w[2] * c)
        h = o * numpy.tanh(c)
        out.append(h)
    return numpy.array(out), (h, c)

def loss_of(p, tokens, window, carry):
    total = count = 0
    zero = numpy.zeros(10)
    last = len(tokens) - 1
    streams = last // window // 16 if carry else 1
    for s in range(streams):
        end = last * (s + 1) // streams
        states = [(zero, zero)] * 2
        for first in range(last * s // streams, end, window):
            states = states if carry else [(zero, zero)] * 2
            stop = min(first + window, end)
            x, right = p["net/tokens/weight"][tokens[first:stop]], tokens[first + 1:stop + 1]
            x, states[0] = layer(p, "net/layer1", x, states[0])
            x, states[1] = layer(p, "net/layer2", x, states[1])
            y = x @ p["net/output/weight"].T + p["net/output/bias"]
            total += (numpy.log(numpy.exp(y).sum(1)) - y[numpy.arange(len(y)), right]).sum()
            count += len(right)
    assert count == last
    return total / count

with h5py.File("text.h5") as data:
    tokens = data["test/x"][()].astype(int)
# predict and extract take window after window, the short last one too, each from 0: of 777 tokens 86 windows of 9, and one of 2.
p, zero = parameters("one/checkpoints/best.h5"), numpy.zeros(10)
h, classes = [], []
for first in range(0, 776, 9):
    x = p["net/tokens/weight"][tokens[first:min(first + 9, 776)]]
    h.append(layer(p, "net/layer1", x, (zero, zero))[0])
    y = layer(p, "net/layer2", h[-1], (zero, zero))[0] @ p["net/output/weight"].T + p["net/output/bias"]
    classes += list(y.argmax(1))
for name in "predicted.h5", "packed_predicted.h5":
    with h5py.File(name) as made:
        assert (made["class"][()] == classes).mean() > 0.995 and made["class"].shape == (776,)
        assert (made["row"][()] * 9 + made["step"][()] == numpy.arange(776)).all()
counts = numpy.arange(9) < numpy.array([9] * 86 + [2])[:, None]
with h5py.File("layer.h5") as made, h5py.File("frames.h5") as frames:
    x, y = made["test/x"][()], made["test/y"][()]
    assert x.shape == (87, 9, 10) and numpy.abs(x[counts] - numpy.concatenate(h)).max() < 1e-5 and (x[~counts] == 0).all()
    assert (y[counts] == tokens[1:]).all() and (y[~counts] == 0).all() and made["test/y"].attrs["classes"] == 7
    assert (made["test/length"][()] == counts.sum(1)).all()
    assert (frames["test/x"][()] == x[counts]).all() and (frames["test/y"][()] == tokens[1:]).all()
for run, name, carry in (("one", "found.json", True), ("cold", "cold.json", False)):
    found = json.load(open(name))
    loss = loss_of(parameters(f"{run}/checkpoints/best.h5"), tokens, 9, carry)
    assert abs(found["loss"] - loss) < 2e-6 * loss, (found["loss"], loss)
    assert found["tokens"] == 776 and sum(map(sum, found["confusion"])) == 776, found
    assert abs(found["bits"] - found["loss"] / numpy.log(2)) < 1e-12
    assert abs(found["perplexity"] - numpy.exp(found["loss"])) < 1e-11
END

# With windows of one token, a stream that has ended counts no more.
expect 0 "$lockstep" train job.yaml run=single unroll=1 evaluate.every=never
expect 0 "$lockstep" evaluate single --split test --json
"$python" - <<'END'
import json
found = json.load(open("out"))
right, all = sum(found["confusion"][k][k] for k in range(7)), sum(map(sum, found["confusion"]))
assert "rows" not in found and found["tokens"] == all == 776 and abs(found["accuracy"] - right / all) < 1e-9, found
END
mv out single.json
expect 0 ranks 3 "$lockstep" evaluate single --split test --json # 48 streams, of which 16 at a time are one rank's
same 'evaluation of many streams on 3 ranks' "$(cat single.json)" "$(cat out)"

# --- A text of fewer tokens than the batch has streams, or than a window has, is evaluated as one stream.
"$python" - <<'PYTHON'
import h5py
with h5py.File("text.h5") as data:
    for count in (100, 5):
        with h5py.File(f"first{count}.h5", "w") as made:
            made["train/x"], made["test/x"] = data["train/x"][:], data["test/x"][:count]
    with h5py.File("whole.h5", "w") as made: # train is 100 windows of 9 and the token behind them; 5 tokens of test fill none
        made["train/x"], made["test/x"] = data["train/x"][:901], data["test/x"][:600]
PYTHON
expect 0 "$lockstep" extract one --data whole.h5 --layer layer1 -o whole_layer.h5
expect 0 "$lockstep" verify whole_layer.h5
"$python" - <<'PYTHON'
import h5py
with h5py.File("whole_layer.h5") as made:
    assert (made["train/length"][()] == [9] * 100).all() and (made["test/length"][()] == [9] * 66 + [5]).all()
    assert made["train/x"].shape == (100, 9, 10) and made["train/y"].shape == (100, 9)
PYTHON
for count in 100 5; do
    expect 0 ranks 2 "$lockstep" evaluate one --data first$count.h5 --json
    "$python" - $count <<'PYTHON'
import json, sys
found = json.load(open("out"))
assert found["tokens"] == sum(map(sum, found["confusion"])) == int(sys.argv[1]) - 1, found
PYTHON
done

# --- Who takes rows and no labels of them can't judge a text that is shorter than a row.
cat >rebuild.yaml <<'END'
data: first5.h5
unroll: 9
nets:
  encoder: |
    dense units=8
  decoder: |
    input 8
    dense units=9
objective: autoencoder
epochs: 1
evaluate: {every: 1 epoch, split: test}
END
expect 65 "$lockstep" train rebuild.yaml run=rebuild
says 'first5.h5: test/x holds 5 tokens; a window and the token behind it are 10'
! grep 'step ' out || fail 'expected the refusal before the first step'
expect 0 "$lockstep" train rebuild.yaml run=rebuild data=text.h5
expect 0 "$lockstep" evaluate rebuild --json
same 'rows and tokens of an autoencoder of 777 tokens' '86 None' \
    "$("$python" -c 'import json; j = json.load(open("out")); print(j["rows"], j.get("tokens"))')"

# --- A line that looks ahead sees the token that it shall predict.
expect 64 "$lockstep" train job.yaml run=no model='rnn classes=7 bidirectional=1'
says 'net/backward1: by rnn the output of a step may know of later tokens'
expect 64 "$lockstep" train job.yaml run=no model= net=$'embedding vocabulary=7 width=5\ntdnn units=7 kernel=3 pad=1'
says 'net/tdnn1: by tdnn the output of a step may know of later tokens'

# --- What is no stream, or too short; and a stream that is taken for rows.
expect 64 "$lockstep" train job.yaml run=no data=rows.h5
says 'unroll=9 cuts a stream of tokens, x [tokens], but rows.h5: train/x has rows of 9: leave unroll out'
expect 64 "$lockstep" train job.yaml run=no data=labelled.h5
says 'unroll=9 makes labels of the tokens that follow, but labelled.h5 has labels or targets, train/y: leave unroll out'
expect 64 "$lockstep" train job.yaml run=no data=lengths.h5
says 'unroll=9 cuts a stream of tokens, but lengths.h5 has `length`, the steps of each row of train/x: leave unroll out'
expect 65 "$lockstep" train job.yaml run=no unroll=4011
says 'text.h5: train/x holds 4011 tokens, but one window of unroll=4011 needs 4012: give a smaller unroll, or more tokens'
expect 64 "$lockstep" train job.yaml run=no bucket=2
says 'command line: bucket: the windows that unroll='
expect 64 "$lockstep" train job.yaml run=no unroll=120 batch=34
says '34 streams side by side (carry=1) need a window of 120 tokens each, but of 4011 tokens there are 33'
says ' there are 33: give a smaller batch or unroll'
expect 64 "$lockstep" train job.yaml run=no rows=3
says 'but of 4011 tokens there are 3 by `rows: 3`: give a smaller batch or unroll, or more rows'
sed -i '/^unroll/d' job.yaml
expect 65 "$lockstep" train job.yaml run=no model='rnn classes=7 carry=1'
says 'if the 4011 numbers of train/x are a stream of tokens, `unroll: 64` in the job makes rows of 64 steps of them'
expect 64 "$lockstep" train job.yaml run=no data=labelled.h5 model='rnn classes=7 carry=1 last=1 vocabulary=7'
says 'carries states from row to row (carry=1), but these rows stand by themselves'
expect 64 "$lockstep" train job.yaml run=no model='rnn classes=7 carry=1 bidirectional=1'
says 'bidirectional=1 reads a row from its end too, which carry=1 can'
