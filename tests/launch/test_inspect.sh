#!/usr/bin/env bash
# test_inspect: inspect and verify on data sets, checkpoints, run directories, and files that are damaged or strange.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
run: run
net: "out: dense units=4"
stages:
  - {optimizer: adam rate=0.003, batch: 50, epochs: 1}
  - {optimizer: sgd rate=0.1, batch: 50, epochs: 2}
END
expect 0 "$lockstep" train job.yaml

# The figures of a file are those that h5py reads.
expect 0 "$lockstep" inspect images.h5
says "images.h5: data set, "
says "digest: there is no .ok file beside it"
says "      scale = 0.00392156863"
expect 0 "$lockstep" inspect images.h5 --json
cp out data.json
expect 0 "$lockstep" inspect "$(checkpoint run 15)" --json
cp out checkpoint.json
expect 0 "$python" -c '
import h5py, json, numpy
def check(path):
    top, file, seen = json.load(open(path)), None, set()
    file = h5py.File(top["file"])
    for entry in top["objects"]:
        seen.add(entry["path"])
        if entry["kind"] != "array":
            continue
        x = file[entry["path"]][()]
        assert entry["type"] == str(x.dtype) and tuple(entry["shape"]) == x.shape
        assert entry["least"] == x.min() and entry["largest"] == x.max() and entry["not_finite"] == 0
        assert abs(entry["mean"] - x.mean(dtype="f8")) < 1e-9
    names = set()
    file.visit(names.add)
    assert seen == names, seen ^ names
    return top, file
top, file = check("data.json")
assert top["kind"] == "data set" and top["digest"]["state"] == "none"
top, file = check("checkpoint.json")
assert top["kind"] == "checkpoint" and top["digest"]["state"] == "holds" and top["digest"]["step"] == 15
assert top["digest"]["xxh3_128"] == json.load(open("run/checkpoints/step-00000015.ok"))["digest"]
for name, value in file.attrs.items():
    assert numpy.all(numpy.array(top["attributes"][name]) == value), name'
expect 0 "$lockstep" inspect "$(checkpoint run 15)"
says "digest holds: "
says "    - objective: supervised loss=cross-entropy"
says "  model/net/out/weight"

# A run directory: the job, a paragraph for each stage, the checkpoints.
expect 0 "$lockstep" inspect run
says "  stage 1: steps 1 to 5, 1 epochs; done, "
says "  stage 2: steps 6 to 15, 2 epochs; done, "
says "    training   loss "
says "    valid      loss "
says "run/checkpoints/best.h5"
expect 0 "$lockstep" inspect run --json
cp out run.json
expect 0 "$python" -c '
import json
top, lines = json.load(open("run.json")), [json.loads(line) for line in open("run/metrics.jsonl")]
assert top["job"] == open("run/job.yaml").read() and len(top["history"]) == 2
last = [line for line in lines if line["stage"] == 1 and "rate" in line][-1]
assert top["history"][1]["loss"] == last["loss"] and top["history"][1]["final"] == "done"
assert [entry["step"] for entry in top["checkpoints"]][:3] == [15, 10, 5]
assert all(entry["holds"] for entry in top["checkpoints"])'

# inspect --diff agrees with numpy.
expect 0 "$lockstep" inspect --diff run run
says "0 of 2 arrays differ"
expect 0 "$lockstep" inspect --diff "$(checkpoint run 10)" run --json
cp out diff.json
expect 0 "$python" -c '
import h5py, json, numpy
top = json.load(open("diff.json"))
a, b = h5py.File(top["a"]), h5py.File(top["b"])
assert top["b"].endswith("step-00000015.h5") and len(top["differences"]) == 2
for entry in top["differences"]:
    x, y = (file[entry["path"]][()].astype("f8") for file in (a, b))
    assert entry["values"] == x.size and entry["differing"] == (x != y).sum()
    assert entry["largest"] == numpy.abs(x - y).max()
    assert abs(entry["relative"] - numpy.linalg.norm(x - y) / numpy.linalg.norm(x)) < 1e-12'
expect 0 "$lockstep" inspect --diff "$(checkpoint run 15)" images.h5
says "only in the first"
says "only in the second"

expect 0 "$lockstep" verify run
says "$(checkpoint run 15)"
for count in 1 2; do
    expect 0 ranks "$count" "$lockstep" verify images.h5
    says "data set    holds"
    same "lines on $count ranks" "$(grep -c holds out)" 1
done

# Damage is named, and the exit code is 65.
cp -r run bad
printf x | dd of="$(checkpoint bad 15)" bs=1 seek=3000 conv=notrunc status=none
rm bad/checkpoints/step-00000010.ok
truncate -s 2000 bad/checkpoints/best.h5
cp run/checkpoints/step-00000005.h5 alone.h5
for count in 1 2; do
    expect 65 ranks "$count" "$lockstep" verify bad
    says "$(checkpoint bad 15): its digest is not the one in"
    says "$(checkpoint bad 10): has no bad/checkpoints/step-00000010.ok beside it"
    grep -q "^$(checkpoint bad 10) .*NEVER FINISHED" out || fail 'a file without its .ok is not told from a damaged one'
    says "has 2000 bytes, but bad/checkpoints/best.ok says"
    says "$(checkpoint bad 5)"
done
expect 65 "$lockstep" verify bad --json
cp out bad.json
expect 0 "$python" -c '
import json
top = json.load(open("bad.json"))
assert not top["holds"] and [entry["holds"] for entry in top["files"]] == [False, False, True, False, True]
assert [entry.get("unfinished") for entry in top["files"]] == [None, True, None, None, None]'
rm bad/checkpoints/step-00000015.* bad/checkpoints/best.* bad/checkpoints/stage-0.*
expect 0 "$lockstep" verify bad # a checkpoint that a stop cut off is no damage
rm bad/checkpoints/step-00000005.*
expect 65 "$lockstep" verify bad # but nothing was verified
says 'NEVER FINISHED'
rm -r bad
cp -r run bad
printf x | dd of="$(checkpoint bad 15)" bs=1 seek=3000 conv=notrunc status=none
expect 0 "$lockstep" inspect bad
says "DOES NOT HOLD: $(checkpoint bad 15): its digest"
expect 0 "$lockstep" inspect "$(checkpoint bad 15)"
says "digest DOES NOT HOLD"
says "What is in it is not read."
expect 65 "$lockstep" verify alone.h5
says "its writing was never finished"
head -c 3000 images.h5 >cut.h5
echo text >text.h5
data nan nan.h5
for file in cut.h5:'it was cut short' text.h5:'is not an HDF5 file' absent.h5:'No such file' nan.h5:'train/x holds 1 numbers'; do
    expect 65 "$lockstep" verify "${file%%:*}"
    says "${file#*:}"
done
for file in cut.h5:'it was cut short' text.h5:'is not an HDF5 file' absent.h5:'No such file' .:'it is no run directory'; do
    expect 65 "$lockstep" inspect "${file%%:*}"
    says "${file#*:}"
done
expect 65 "$lockstep" verify .
says "holds no checkpoint to verify"
expect 64 "$lockstep" inspect images.h5 images.h5
says "two files go with --diff"
expect 64 "$lockstep" inspect --diff images.h5
says "--diff takes two files"

data nan nan.h5
expect 65 "$lockstep" verify nan.h5
says "nan.h5: train/x holds 1 numbers that are NaN or infinite, the first of them in row 150"

# Strange files are inspected to the end: links are not followed, cycles are left, unwritten data are not read.
"$python" - <<'END'
import h5py, numpy
with h5py.File("odd.h5", "w") as file:
    file["a/b"] = numpy.array([1, numpy.nan, 3, -numpy.inf])
    file["a/cycle"] = file["a"]
    file["soft"] = h5py.SoftLink("/a/b")
    file["external"] = h5py.ExternalLink("images.h5", "train/x")
    file["records"] = numpy.zeros(3, dtype=[("x", "i4"), ("y", "f8")])
    file.create_dataset("huge", (1 << 30, 1 << 20), chunks=(1, 1 << 10), dtype="f4", compression="gzip")[0, 0] = 1
    file.create_dataset("empty", (0, 3))
    file.create_dataset("never", (5,))
    file["swapped"] = numpy.arange(12, dtype=">i4").reshape(3, 4)
    file["text"] = "text"
    file["scalar"] = 5.0
    file.create_group("sca")
    file.attrs.update({"many": numpy.arange(20), "texts": ["x", "y"], "nothing": h5py.Empty("f4")})
END
expect 0 "$lockstep" inspect odd.h5
says "2 not finite, the first in row 1"
says "soft  (soft or external link: not followed)"
says "external  (soft or external link: not followed)"
says "never written"
says "  sca/"
says "0 1 2 3 4 5 6 7 ..."
expect 0 "$lockstep" inspect odd.h5 --json
cp out odd.json
expect 0 "$python" -c '
import json
objects = {entry["path"]: entry for entry in json.load(open("odd.json"))["objects"]}
assert objects["a/b"]["least"] == 1 and objects["a/b"]["largest"] == 3 and objects["a/b"]["not_finite"] == 2
assert objects["swapped"]["largest"] == 11 and objects["scalar"]["mean"] == 5 and "least" not in objects["huge"]'

# --diff of empty arrays, texts and other types: equal to themselves, and different where they differ.
"$python" - <<'END'
import h5py, numpy
for name, word, flag in ("a", "two", True), ("b", "two", True), ("c", "too", False):
    with h5py.File(name + ".h5", "w") as file:
        file.create_dataset("empty", (0, 3))
        file.create_dataset("never", (0, 3), maxshape=(None, 3), chunks=(2, 3))
        file["nothing"] = h5py.Empty("f4")
        file["text"] = word
        file["texts"] = ["one", word, ""]
        file["fixed"] = numpy.array([b"one", word.encode()])
        file["flags"] = numpy.array([True, flag])
        file["records"] = numpy.zeros(3, [("x", "f4")])
END
expect 0 "$lockstep" inspect --diff a.h5 b.h5
says '0 of 8 arrays differ'
says '  records                                  not compared: neither numbers nor plain texts'
expect 0 "$lockstep" inspect --diff a.h5 c.h5 --json
cp out diff.json
expect 0 "$python" -c '
import json
differing = {entry["path"]: entry.get("differing") for entry in json.load(open("diff.json"))["differences"]}
assert differing == {"text": 1, "texts": 1, "fixed": 1, "flags": 1, "records": None}, differing'

# Names that are not UTF-8.
strange=$'run-\xff'
cp -r run "$strange"
expect 0 "$lockstep" verify "$strange"
says 'run-\xff/checkpoints/step-00000015.h5    checkpoint  holds'
expect 0 "$lockstep" verify "$strange" --json
cp out strange.json
expect 0 "$python" -c '
import json
assert json.load(open("strange.json"))["files"][0]["file"].startswith(r"run-\xff/")'
expect 0 "$lockstep" inspect "$strange"
expect 0 "$lockstep" inspect --diff run "$strange" --json
printf x | dd of="$(checkpoint "$strange" 15)" bs=1 seek=3000 conv=notrunc status=none
expect 65 "$lockstep" verify "$strange"
says 'run-\xff/checkpoints/step-00000015.h5: its digest is not the one in'
