#!/usr/bin/env bash
# test_sequences: recurrent nets over rows that are sequences: labels of steps and of rows, the same bits on 1 to 4 ranks and
# after a stop, what evaluate and predict count, tokens that the net does not know.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data tokens tokens.h5
data marks marks.h5
sequence_job tokens.h5 'lstm classes=5 units=12 embed=4 peephole=1 dropout=0.2 recurrent_dropout=0.3'

# --- The same bits on every number of ranks and threads, and after a stop.
same_everywhere one
number=0
for model in 'gru bidirectional=1' 'gru reset=after layers=1 recurrent_dropout=0.3' 'rnn activation=relu' 'lstm bidirectional=1 layers=1'; do
    number=$((number + 1))
    for count in 1 3; do
        expect 0 ranks $count "$lockstep" train job.yaml run=model$number-$count model="$model classes=5 units=9" steps=4
    done
    same "$model" "$(digest --all "$(checkpoint model$number-1 4)")" "$(digest --all "$(checkpoint model$number-3 4)")"
done

# --- It learns: after the first step of a row each next token is known. Every step of a row counts.
expect 0 ranks 2 "$lockstep" train job.yaml run=run steps=150 model='lstm classes=5 units=16 layers=1'
expect 0 "$lockstep" evaluate run --json
"$python" - <<'END'
import json
found = json.load(open("out"))
assert found["rows"] == 61 and sum(map(sum, found["confusion"])) == 61 * 12, found
right = sum(found["confusion"][k][k] for k in range(5)) / (61 * 12)
assert 11 / 12 <= right <= 1 and abs(right - found["accuracy"]) < 1e-6, found
END

# --- predict gives a line a step, with labels and without.
expect 0 ranks 2 "$lockstep" predict run -o classes.csv
says "classes.csv: $((61 * 12)) rows, class and probability"
expect 0 "$lockstep" predict run -o classes.h5
"$python" - <<'END'
import csv, h5py, numpy
lines = list(csv.reader(open("classes.csv")))[1:]
with h5py.File("tokens.h5") as data, h5py.File("classes.h5") as made:
    y, classes = data["test/y"][()].ravel(), made["class"][()]
    assert made["probability"].shape == (61 * 12, 5) and classes.shape == y.shape
    assert numpy.allclose(made["probability"][()].sum(1), 1, atol=1e-5)
    assert [list(map(int, line[:3])) for line in lines] == [[k // 12, k % 12, c] for k, c in enumerate(classes)]
    assert (classes == y).reshape(61, 12)[:, 1:].mean() > 0.99
    with h5py.File("plain.h5", "w") as plain:
        plain["test/x"] = data["test/x"][()]
END
expect 0 "$lockstep" predict run --data plain.h5 -o plain.csv
same 'with labels and without' "$(cat classes.csv)" "$(cat plain.csv)"

# With one output a step, as bce takes it, too.
"$python" - <<'END'
import h5py
with h5py.File("tokens.h5") as data, h5py.File("pairs.h5", "w") as made:
    for split in data:
        made[f"{split}/x"], made[f"{split}/y"] = data[f"{split}/x"][()], (data[f"{split}/y"][()] % 2).astype("u1")
        made[f"{split}/y"].attrs["classes"] = 2
END
expect 0 "$lockstep" train job.yaml data=pairs.h5 run=pairs model= net=$'embedding vocabulary=5 width=4\ngru units=6\ndense units=1 each=1' \
    objective='supervised loss=bce' steps=2
expect 0 "$lockstep" predict pairs -o pairs.csv
same 'header and rows' "row,step,class,probability_0,probability_1 $((61 * 12 + 1))" "$(head -n 1 pairs.csv) $(wc -l <pairs.csv)"
expect 0 "$lockstep" predict pairs --data plain.h5 -o pairs_plain.csv
same 'one output, with labels and without' "$(cat pairs.csv)" "$(cat pairs_plain.csv)"

# --- Targets of each step, numbers: a row of predict's file is a step, with or without lengths of the rows.
"$python" - <<'END'
import h5py, numpy
with h5py.File("tokens.h5") as data, h5py.File("numbers.h5", "w") as made:
    for split in data:
        x = numpy.random.default_rng(1).normal(size=(len(data[f"{split}/x"]), 7, 3)).astype(numpy.float32)
        made[f"{split}/x"], made[f"{split}/y"] = x, numpy.cumsum(x[:, :, :2], 1)
END
expect 0 "$lockstep" train job.yaml data=numbers.h5 run=numbers model= net=$'gru units=6\ndense units=2 each=1' \
    objective='supervised loss=squared-error' steps=2 evaluate.metric=loss
expect 0 "$lockstep" predict numbers -o numbers.csv
same 'header and rows' "row,step,value_0,value_1 $((61 * 7 + 1))" "$(head -n 1 numbers.csv) $(wc -l <numbers.csv)"
expect 0 "$lockstep" train job.yaml data=numbers.h5 run=vectors model= net=$'gru units=6 last=1\ndense units=14\nreshape shape=7,2' \
    objective='supervised loss=squared-error' steps=2 evaluate.metric=loss # numbers of the row, which are of no step
expect 0 "$lockstep" predict vectors -o vectors.csv
same 'rows of vectors' 62 "$(wc -l <vectors.csv)"

# Targets of other dimensions than the net's output has are no mistake of their order.
expect 64 "$lockstep" train job.yaml data=numbers.h5 run=no model= net=$'gru units=6 last=1\ndense units=14\nreshape shape=2,7' \
    objective='supervised loss=squared-error' evaluate.metric=loss
says "the net's output is 2x7, but a target of the data is 7x2"

# --- The class of a sequence, from both ends.
expect 0 ranks 2 "$lockstep" train job.yaml data=marks.h5 run=marks steps=60 \
    model='gru classes=3 units=8 last=1 bidirectional=1'
expect 0 "$lockstep" evaluate marks --json
"$python" -c 'import json; found = json.load(open("out")); assert found["accuracy"] > 0.95, found'

# --- What does not fit is named: tokens in training and in prediction, the net's output, the model's input.
expect 65 "$lockstep" train job.yaml run=no model='lstm classes=5 vocabulary=4'
says '/x holds 4 at row '
says 'but the net takes tokens: whole numbers from 0 to 3 (vocabulary=4)'
"$python" -c 'import h5py; h5py.File("plain.h5", "a")["test/x"][7, 3] = 5'
expect 65 "$lockstep" predict run --data plain.h5 -o no.csv
says 'plain.h5: test/x holds 5 at row 7, step 3, but the net takes tokens: whole numbers from 0 to 4 (vocabulary=5)'
expect 64 "$lockstep" train job.yaml run=no model='lstm classes=5 last=1 vocabulary=5'
says 'the data has a target for each of 12 steps, so the net must end in 12xN'
expect 64 "$lockstep" train job.yaml data=marks.h5 run=no model='lstm classes=3'
says 'is 9x3: each step of a row has one, but y has one label a row'
expect 64 "$lockstep" train job.yaml data=marks.h5 run=no model='lstm classes=3 embed=2 last=1'
says 'lstm: embed= is for tokens, but a row of the data is 9x3'

# --- Gradients against differences, and the lines that a model prints.
expect 0 "$lockstep-double" check job.yaml --rows 5
says 'net/layer2/peephole '
expect 0 "$lockstep" list --model 'gru classes=3 vocabulary=9 bidirectional=1 last=1'
says 'forward2: gru units=512 last=1 @layer1'
says 'backward2: gru units=512 last=1 reverse=1 @layer1'
says 'adam rate=0.002 clip=1' # the norm of the gradient is clipped
