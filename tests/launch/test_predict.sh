#!/usr/bin/env bash
# test_predict: predict and extract against numpy; the same bytes on any rank count; data without targets; refusals.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# More rows than two ranks handle in one round of chunks, so that each rank computes several chunks.
"$python" - <<'END'
import h5py, numpy
random = numpy.random.default_rng(2)
with h5py.File("rows.h5", "w") as file, h5py.File("plain.h5", "w") as plain, h5py.File("many.h5", "w") as many:
    file.attrs["title"] = "six numbers"
    for split, rows in {"train": 150, "valid": 40, "test": 1100}.items():
        x = random.standard_normal((rows, 6)).astype("f4")
        file[f"{split}/x"] = x
        file[f"{split}/x"].attrs["made"] = "by one"
        file[f"{split}/y"] = (x[:, 0] > 0) + 1 * (x[:, 1] > 0)
        file[f"{split}/y"].attrs["classes"] = 3
        file[f"{split}/y"].attrs["class_names"] = "a\nb\nc"
        file[f"{split}/span"] = random.integers(1, 7, rows)
        file[f"{split}/span"].attrs["unit"] = "numbers"
        file[f"{split}/name"] = [f"row {i}" for i in range(rows)]
        file[f"{split}/rates"] = random.standard_normal((rows, 2, 3))
        file[f"{split}/other_rows"] = numpy.arange(rows + 1)
        file[f"{split}/scalar"] = 3
        file[f"{split}/group/x"] = numpy.arange(rows)
        file[split].attrs["made"] = [1, 2]
    plain["test/x"] = file["test/x"][()]
    many["x_train"] = file["train/x"][()]
    many["y_train"] = numpy.arange(150) % 7
    many["span_train"] = numpy.arange(150)
    many["_train"] = many["span_test"] = many["train"] = numpy.arange(150)
END
cat >job.yaml <<'END'
data: rows.h5
run: run
net: |
  hidden: dense units=8
  bend: activation function=tanh
  out: dense units=3
optimizer: adam rate=0.01
batch: 50
epochs: 4
END
expect 0 "$lockstep" train job.yaml

# on RANKS COMMAND ARGUMENTS: runs lockstep, under mpirun if RANKS is more than 1
on() {
    if [ "$1" = 1 ]; then
        expect 0 "$lockstep" "${@:2}"
    else
        expect 0 ranks "$1" "$lockstep" "${@:2}"
    fi
}

# Every kind of output has the same bytes on 1, 2 and 3 ranks.
for ranks in 1 2 3; do
    on "$ranks" predict run -o "$ranks.csv"
    says "1100 rows, class and probability"
    on "$ranks" predict run -o "json$ranks.csv" --json
    cp out "$ranks.json"
    on "$ranks" predict run --split test -o "$ranks.h5"
    on "$ranks" extract run --layer bend -o "features$ranks.h5"
    says "bend of run/checkpoints/best.h5"
done
for other in 2 3; do
    cmp 1.csv "$other.csv"
    cmp 1.csv "json$other.csv"
    cmp 1.h5 "$other.h5"
    cmp features1.h5 "features$other.h5"
done

"$python" -c '
import h5py
names = h5py.File("1.h5")["class"].attrs["class_names"]
assert names == "a\nb\nc", names' || fail 'predictions do not have the names of the classes'

# numpy computes the same from the checkpoint's parameters; the accuracy is the one that evaluate prints.
expect 0 "$lockstep" evaluate run --json
cp out evaluation.json
cat >reference.py <<'END'
import csv, h5py, json, numpy
for ranks in 1, 2, 3:
    assert json.load(open(f"{ranks}.json")) == {
        "rows": 1100, "split": "test", "data": "rows.h5", "checkpoint": "run/checkpoints/best.h5", "step": 12, "stage": 0,
        "output": f"json{ranks}.csv", "arrays": ["row", "class", "probability"]}
weights = h5py.File("run/checkpoints/best.h5")["model/net"]
data, out, features = h5py.File("rows.h5"), h5py.File("1.h5"), h5py.File("features1.h5")
def layer(name, x):
    return x @ weights[f"{name}/weight"][()].astype("f8").T + weights[f"{name}/bias"][()]
for split in "train", "valid", "test":
    x = data[split]["x"][()].astype("f8")
    bend = numpy.tanh(layer("hidden", x))
    assert numpy.abs(features[split]["x"][()] - bend).max() < 1e-5, split
    assert (features[split]["y"][()] == data[split]["y"][()]).all()
    assert features[split]["y"].attrs["classes"] == 3 and features[split]["y"].attrs["class_names"] == "a\nb\nc"
    assert sorted(features[split]) == ["name", "rates", "span", "x", "y"], list(features[split])
    for kept in "span", "name", "rates":
        assert (features[split][kept][()] == data[split][kept][()]).all() and features[split][kept].dtype == data[split][kept].dtype
    assert features[split]["span"].attrs["unit"] == "numbers"
    assert (features[split].attrs["made"] == [1, 2]).all() and features[split]["x"].attrs["layer"] == "bend"
assert features.attrs["title"] == "six numbers" and features.attrs["data"] == "rows.h5"
outputs = layer("out", bend)
p = numpy.exp(outputs) / numpy.exp(outputs).sum(1, keepdims=True)
assert list(out) == ["class", "probability", "row"] and (out["row"][()] == numpy.arange(1100)).all()
assert out["class"].dtype == "i4" and (out["class"][()] == outputs.argmax(1)).all()
assert numpy.abs(out["probability"][()] - p).max() < 1e-5
assert out.attrs["split"] == "test" and out.attrs["checkpoint"] == "run/checkpoints/best.h5"
accuracy = (out["class"][()] == data["test/y"][()]).mean()
assert abs(accuracy - json.load(open("evaluation.json"))["accuracy"]) < 1e-12
rows = list(csv.reader(open("1.csv")))
assert rows[0] == ["row", "class", "probability_0", "probability_1", "probability_2"]
assert [int(row[0]) for row in rows[1:]] == list(range(1100))
assert [int(row[1]) for row in rows[1:]] == out["class"][()].tolist()
assert (numpy.array([row[2:] for row in rows[1:]], "f4") == out["probability"][()]).all()
END
expect 0 "$python" reference.py

# Extracted features are a data set: verify accepts it, and a net trains on it.
expect 0 "$lockstep" verify features1.h5
cat >second.yaml <<'END'
data: features1.h5
run: second
net: "dense units=3"
epochs: 1
END
expect 0 "$lockstep" train second.yaml

# Data without y, and data with more classes than the net has outputs.
on 2 predict run --data plain.h5 -o plain.csv
cmp 1.csv plain.csv
on 2 extract run --layer net/bend --data plain.h5 -o plain_features.h5
on 1 extract run --layer bend --data many.h5 -o many_features.h5
expect 0 "$python" -c '
import h5py
a, b, c = (h5py.File(name) for name in ("plain_features.h5", "features1.h5", "many_features.h5"))
assert list(a) == ["test"] and list(a["test"]) == ["x"] and (a["test/x"][()] == b["test/x"][()]).all()
assert (c["train/x"][()] == b["train/x"][()]).all() and c["train/y"][6] == 6
assert list(c) == ["train"] and list(c["train"]) == ["span", "x", "y"] and (c["train/span"][()] == range(150)).all()'

# Regression, and two classes with a single output.
data regression regression.h5
data binary binary.h5
common=(batch=50 epochs=2 "optimizer=adam rate=0.01")
printf 'data: regression.h5\nnet: "out: dense units=2"\nobjective: supervised loss=squared-error\n' >regression.yaml
printf 'data: binary.h5\nnet: "out: dense units=1"\nobjective: supervised loss=bce\n' >binary.yaml
expect 0 "$lockstep" train regression.yaml run=regression "${common[@]}"
expect 0 "$lockstep" train binary.yaml run=binary "${common[@]}"
on 2 predict regression -o values.h5
on 2 predict binary -o binary_out.h5
on 1 predict binary --as values -o binary_values.h5 --json
grep -q '"arrays":\["row","value"\]' out || fail 'expected the array that was written'
expect 0 "$python" -c '
import h5py, numpy
def outputs(run, data):
    weights = h5py.File(f"{run}/checkpoints/best.h5")["model/net/out"]
    return h5py.File(data)["test/x"][()] @ weights["weight"][()].T + weights["bias"][()]
assert numpy.abs(h5py.File("values.h5")["value"][()] - outputs("regression", "regression.h5")).max() < 1e-5
p = 1 / (1 + numpy.exp(-outputs("binary", "binary.h5")))
two = h5py.File("binary_out.h5")
assert numpy.abs(two["probability"][()] - numpy.hstack([1 - p, p])).max() < 1e-5
assert (two["class"][()] == (p[:, 0] > 0.5)).all()
assert numpy.abs(h5py.File("binary_values.h5")["value"][()] - p).max() < 1e-5'

# Refusals on one rank and on two leave no file behind.
refused() { # CODE TEXT COMMAND ...
    expect "$1" "$lockstep" "${@:3}"
    says "$2"
    expect "$1" ranks 2 "$lockstep" "${@:3}"
    says "$2"
}
"$python" -c '
import h5py, numpy
with h5py.File("bad.h5", "w") as file:
    x = numpy.zeros((900, 6), "f4"); x[700, 2] = numpy.nan
    file["test/x"] = x
with h5py.File("link.h5", "w") as file:
    file["test/x"] = numpy.zeros((9, 6), "f4")
    file["test/y"] = numpy.zeros(9, "i4")
    file["test/z"] = h5py.SoftLink("/test/y")
with h5py.File("places.h5", "w") as file:
    file["test/x"] = numpy.zeros((9, 6), "f4")
    file.create_dataset("test/z", (9,), h5py.ref_dtype)[0] = file["test/x"].ref
with h5py.File("shape.h5", "w") as file: file["test/x"] = numpy.zeros((9, 5), "f4")'
refused 64 "1.csv: is there already; --force overwrites it" predict run -o 1.csv
refused 64 "out.txt: expected an output that ends in .h5 or .csv" predict run -o out.txt
refused 64 "out.csv: expected an output that ends in .h5" extract run --layer bend -o out.csv
refused 64 "there is no layer bent: did you mean bend? The layers are hidden, bend, out" \
    extract run --layer bent -o new.h5
refused 74 "nowhere/new.csv: can't create: its folder is not there: mkdir -p nowhere" predict run -o nowhere/new.csv
refused 65 "plain.h5 has no rows of train; it has test: name another with --split" \
    predict run --data plain.h5 --split train -o new.h5
refused 65 "link.h5: test/z is a soft or external link; expected the data itself" \
    extract run --layer bend --data link.h5 -o new.h5
refused 65 "places.h5: test/z holds references, or texts or lists in chunks or records, which can't be copied" \
    extract run --layer bend --data places.h5 -o new.h5
expect 64 "$lockstep" predict run -o new.h5 --split dev
says "--split=dev: write one of train, valid, test"
refused 65 "row 700" predict run --data bad.h5 -o new.h5
refused 65 "row 700" predict run --data bad.h5 -o new.csv
refused 65 "row 700" extract run --layer bend --data bad.h5 -o new.h5
refused 65 "lockstep: shape.h5 has rows of 5, but the run was trained on rows of 6" predict run --data shape.h5 -o new.h5
refused 65 "nothing: no such run directory or checkpoint file" predict nothing -o new.h5
expect 64 "$lockstep" predict run
says "name the output"
expect 64 "$lockstep" extract run -o new.h5
says "name the layer"

# Classes of other names: their labels are not the run's, which names what it predicts. Rows made in another way are told.
cp rows.h5 named.h5
"$python" -c '
import h5py
with h5py.File("named.h5", "a") as file:
    for split in "train", "valid", "test":
        file[f"{split}/y"].attrs["class_names"] = "a\nd\nc"
        file[f"{split}/x"].attrs["made"] = "by two"'
refused 65 "named.h5: class 1 is 'd', but 'b' in the data that run/checkpoints/best.h5 was trained on" evaluate run --data named.h5
refused 65 "named.h5: class 1 is 'd', but 'b' in the data that run/checkpoints/step-" train job.yaml data=named.h5 epochs=5
expect 0 "$lockstep" predict run --data named.h5 -o named_out.h5
says 'named.h5 was made: by two, but what run/checkpoints/best.h5 was trained on was made: by one'
expect 0 "$lockstep" predict run --data plain.h5 -o unnamed_out.h5
# The names are those of the file that the parameters come from. Names in another form say nothing.
expect 0 "$lockstep" train job.yaml data=named.h5 run=named
expect 0 "$lockstep" evaluate run --weights named/checkpoints/best.h5 --data named.h5
grep -q 'named/checkpoints/best.h5 (step [1-9]' out || fail 'expected the step of --weights'
refused 65 "rows.h5: class 1 is 'b', but 'd' in the data that named/checkpoints/best.h5 was trained on" \
    evaluate run --weights named/checkpoints/best.h5
"$python" -c '
import h5py
with h5py.File("named.h5", "a") as file:
    for split in "train", "valid", "test":
        file[f"{split}/y"].attrs["class_names"] = ["a", "d", "c"]'
expect 0 "$lockstep" evaluate run --data named.h5
expect 0 "$python" -c '
import h5py
for name in "named_out.h5", "unnamed_out.h5":
    assert dict(h5py.File(name)["class"].attrs) == {"classes": 3, "class_names": "a\nb\nc"}, name'
[ -z "$(find . -name 'new*' -o -name '*.tmp')" ] || fail "left behind: $(find . -name 'new*' -o -name '*.tmp')"
expect 0 "$lockstep" predict run -o 1.csv --force
cmp 1.csv 2.csv

# --- An output never takes the place of what is read: data set, checkpoint, weights.
cp -r run mine
cp plain.h5 source.h5
ln source.h5 too.h5
cp run/checkpoints/best.h5 w.h5
cp run/checkpoints/best.ok w.ok
expect 0 "$lockstep" export run -o w.safetensors
before=$(find mine w.* source.h5 -type f -exec sha256sum {} + | sort)
kept() { # OUTPUT INPUT COMMAND ...
    local output=$1 input=$2
    shift 2
    expect 64 "$lockstep" "$@" -o "$output" --force
    says "$output: the output would replace $input, which is read: give another -o"
}
kept source.h5 source.h5 extract mine --layer bend --data source.h5
kept too.h5 source.h5 predict mine --data source.h5
kept mine/checkpoints/best.h5 mine/checkpoints/best.h5 predict mine
kept w.h5 w.h5 predict w.h5
kept w.h5 w.h5 predict mine --weights w.h5
kept w.safetensors w.safetensors export mine --weights w.safetensors
same 'what was read' "$before" "$(find mine w.* source.h5 -type f -exec sha256sum {} + | sort)"
