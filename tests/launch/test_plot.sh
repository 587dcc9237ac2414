#!/usr/bin/env bash
# test_plot: lockstep plot: the picture and the text show the numbers of metrics.jsonl; bad input is named.
# shellcheck source=tests/launch/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# read_plot PICTURE PANEL [RUN KEY]: reads the picture as a person does, by the labels at the ticks. Prints the
# panel's curves, one a line, as "x:y x:y ..."; with RUN and KEY compares the first with the records.
cat >read_plot.py <<'END'
"""read_plot: numbers out of a picture of lockstep plot, by its tick labels."""
import json
import re
import sys
from xml.etree import ElementTree

picture, title = sys.argv[1:3]
root = ElementTree.parse(picture).getroot()
tag = lambda e: e.tag.split("}")[1]
place = lambda e: (float(e.get("x")), float(e.get("y")))
texts = [(*place(e), e.get("text-anchor"), e.get("font-size"), e.text) for e in root.iter() if tag(e) == "text"]
left, top = next((x, y) for x, y, _, size, text in texts if size == "14" and text == title)
box = next(g for g in root.iter() if tag(g) == "rect" and float(g.get("x")) == left and 0 < float(g.get("y")) - top < 30)
width, height, top = float(box.get("width")), float(box.get("height")), float(box.get("y"))


def value(label):
    units = {"k": 1e3, "M": 1e6, "G": 1e9}
    return float(label[:-1]) * units[label[-1]] if label[-1] in units else float(label)


def scale(ticks):
    """The affine map from pixels to numbers that the outermost labels give; all others must lie on it."""
    ticks = sorted(ticks)
    (p, a), (q, b) = ticks[0], ticks[-1]
    number = lambda at: a + (b - a) * (at - p) / (q - p)
    for at, label in ticks:
        assert abs(number(at) - label) < 0.002 * abs(b - a), (ticks, at, label)
    return number


small = [t for t in texts if t[3] == "11"]
y_ticks = [(y - 4, value(t)) for x, y, a, _, t in small if a == "end" and x < left and left - x < 20 and top - 1 < y - 4 < top + height + 1]
x_ticks = [(x, value(t)) for x, y, a, _, t in small if a == "middle" and y == top + height + 18 and left - 1 <= x <= left + width + 1]
x_of, y_of = scale(x_ticks), scale(y_ticks)
groups = {re.search(r"#([^)]*)", g.get("clip-path")).group(1): g for g in root.iter() if g.get("clip-path")}
clip = next(c.get("id") for c in root.iter() if tag(c) == "clipPath" and box in list(c))
curves = []
for path in groups[clip]:
    points = re.findall(r"[ML]([-0-9.]+) ([-0-9.]+)", path.get("d"))
    curves.append([(x_of(float(x)), y_of(float(y))) for x, y in points])
if len(sys.argv) == 3:
    for curve in curves:
        print(" ".join(f"{x:.3g}:{y:.3g}" for x, y in curve))
    sys.exit()
run, key = sys.argv[3:]
records = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
wanted = [(r["step"], r[key]) for r in records if key in r]
high, wide = max(v for _, v in wanted), wanted[-1][0]
assert len(wanted) == len(curves[0]) > 5, (len(wanted), len(curves[0]))
for (x, y), (step, number) in zip(curves[0], wanted):
    assert abs(x - step) < 0.003 * wide and abs(y - number) < 0.003 * high, (x, y, step, number)
END
read_plot() {
    "$python" "$work/read_plot.py" "$@"
}

# A real run of two stages.
data images data.h5
cat >job.yaml <<'END'
data: data.h5
run: run
model: mlp widths=144,8,4
stages:
  - {optimizer: sgd rate=0.1, batch: 8, epochs: 1}
  - {optimizer: adam rate=0.01, schedule: linear, batch: 8, epochs: 1}
END
expect 0 "$lockstep" train job.yaml
expect 0 "$lockstep" plot run/ -o one.svg
says_only 'wrote one.svg'
expect 64 "$lockstep" plot run -o one.svg
says_only 'lockstep: one.svg: is there already; --force overwrites it'
read_plot one.svg 'learning rate' run rate || fail 'the learning rate of the picture is not that of the records'
read_plot one.svg samples/s run samples_per_second || fail 'the samples/s of the picture are not those of the records'
for text in loss accuracy run 'training steps' valid step; do
    grep -qF ">$text</text>" one.svg || fail "expected the text $text in the picture"
done
grep -q stroke-dasharray one.svg || fail 'expected a line where the second stage begins'
cp -r run 'b & <c>'
expect 0 "$lockstep" plot run 'b & <c>' --x epoch -o two.svg
same 'curves of two runs' "$(read_plot two.svg 'learning rate' | sort -u | wc -l) $(read_plot two.svg 'learning rate' | wc -l)" '1 2'
grep -qF '>b &amp; &lt;c&gt;</text>' two.svg || fail 'expected an escaped name'
expect 0 env LC_ALL=C COLUMNS=90 "$lockstep" plot --live run
says 'run: stage 2 of 2, step 52, epoch 2, done'

# Records written by hand: a run that was stopped and resumed, drawn against time; the last line is cut in half.
mkdir hand
cat >hand/metrics.jsonl <<'END'
{"stage":0,"step":10,"epoch":0.5,"seconds":10,"loss":4,"rate":0.1}
{"stage":0,"step":20,"epoch":1,"seconds":20,"loss":3,"rate":0.1}
{"stage":0,"step":20,"epoch":1,"seconds":21,"valid":{"loss":3.5}}
{"stage":0,"step":30,"epoch":1.5,"seconds":9,"loss":2,"rate":0.2}
{"stage":0,"step":40,"epoch":2,"seconds":19,"loss":1,"rate":0.4}
END
printf '{"stage":0,"step":50,"ep' >>hand/metrics.jsonl
expect 0 "$lockstep" plot hand --x time -o hand.svg
same 'rate against time, over two starts' "$(read_plot hand.svg 'learning rate')" '10:0.1 20:0.1 30:0.2 40:0.4'
same 'loss against time' "$(read_plot hand.svg loss)" $'10:4 20:3 30:2 40:1\n21:3.5'
expect 0 env LC_ALL=C COLUMNS=60 "$lockstep" plot --live --once hand
says_only 'hand: step 40, epoch 2
loss        @*-_        1          1 to 4
rate        __-@        0.4        0.1 to 0.4
valid loss  +           3.5        3.5 to 3.5'
expect 0 env LC_ALL=C.UTF-8 "$lockstep" plot --live --once hand
says '█▆▃▁'

# On a terminal --live follows the run until it is complete.
: >frames
script -qec "$lockstep plot --live hand" frames </dev/null >/dev/null 2>&1 &
started=$!
wait_until grep -q 'step 40' frames
sed -i '$d' hand/metrics.jsonl
echo '{"stage":0,"step":40,"epoch":2,"final":"done","seconds":40}' >>hand/metrics.jsonl
finish
same 'exit code of --live' "$code" 0
grep -q 'step 40, epoch 2, done' frames || fail 'expected the last frame to be of the complete run'
grep -q $'\x1b\\[4A' frames || fail 'expected a frame to be drawn over the one before'

# Curves of very large and small numbers, of a single number, of equal numbers.
mkdir odd
cat >odd/metrics.jsonl <<'END'
{"stage":0,"step":0,"epoch":0,"loss":-1e90,"a":0,"b":5,"c":1e-300,"d":1e200}
{"stage":0,"step":7,"epoch":0,"loss":3e90,"a":0,"b":5,"valid":{"loss":1,"more":{"x":1}}}
END
expect 0 "$lockstep" plot odd -o odd.svg
if grep -E 'nan|inf|[0-9]{9}' odd.svg; then
    fail 'expected numbers that a picture can hold'
fi
grep -q '>b</text>' odd.svg || fail 'expected a panel for b'

# Numbers that differ little have labels of their own; every quantity has its panel; the legend names all splits.
mkdir many.runs
{
    printf '{"stage":0,"step":1,"epoch":1,"loss":1.00000001,"valid":{"loss":1}'
    printf ',"metric%d":1' {1..20}
    printf '}\n{"stage":0,"step":2,"epoch":2,"loss":1.00000009,"test":{"loss":1}}\n'
} >many.runs/metrics.jsonl
expect 0 "$lockstep" plot many.runs -o ./many.runs/curves
grep -oE '>1\.0000000[0-9]+</text>' many.runs/curves | sort >labels
[ "$(wc -l <labels)" -ge 3 ] || fail 'expected labels between 1 and 1.0000001'
same 'labels that are equal' "$(uniq -d labels)" ''
same panels "$(grep -c "font-size='14'" many.runs/curves)" 21
grep -qF '>valid, test</text>' many.runs/curves || fail 'expected both splits in the legend'

# Input that cannot be drawn is refused with a message.
expect 65 "$lockstep" plot nowhere -o x.svg
says 'nowhere: No such file or directory; expected a run directory'
expect 65 "$lockstep" plot job.yaml -o x.svg
says 'job.yaml is a file; expected a run directory'
mkdir empty
expect 65 "$lockstep" plot empty -o x.svg
says 'empty/metrics.jsonl: No such file or directory'
: >empty/metrics.jsonl
expect 65 "$lockstep" plot hand empty -o x.svg
says 'empty/metrics.jsonl holds no numbers yet'
printf '{"stage":0,"step":1,"epoch":1,"loss":1}\nnonsense\n' >empty/metrics.jsonl
expect 65 "$lockstep" plot empty -o x.svg
says "empty/metrics.jsonl:2: expected a record such as {\"stage\":0,\"step\":1,\"epoch\":0.1,\"loss\":2.3}, found 'nonsense'"
for record in '{"stage":0,"step":1,"loss":1}' '{"stage":1e300,"step":1,"epoch":1}' '{"step":"1","stage":0,"epoch":1}' '[1]' ''; do
    echo "$record" >empty/metrics.jsonl
    expect 65 "$lockstep" plot empty -o x.svg
    says "empty/metrics.jsonl:1: expected a record such as"
done
record='{"stage":0,"step":1,"epoch":1,"loss":1}'
printf '%s\n{"stage":0,"st\n%s\n{"stage":0,"step":2,%s\n%s\n' "$record" "$record" "$record" "$record" >empty/metrics.jsonl
head -c 20 /dev/zero >>empty/metrics.jsonl
printf '\n%s\n' "${record/:1/:7}" >>empty/metrics.jsonl
expect 0 "$lockstep" plot empty -o cut.svg
says 'empty/metrics.jsonl:2: a record was cut off, by a full disk or a crash; it is left out (3 of them in all)'
expect 0 "$lockstep" plot hand -o cut.svg --force
cp cut.svg whole.svg
(
    trap '' XFSZ
    ulimit -f 1
    expect 74 "$lockstep" plot hand -o cut.svg --force
)
says "cut.svg: can't write: File too large"
cmp cut.svg whole.svg || fail 'a picture that could not be written replaced the old one'
! compgen -G '*.tmp' || fail 'a picture that could not be written is left'
printf '%s\n' "$record" >empty/metrics.jsonl
expect 65 "$lockstep" plot empty --x time -o x.svg
says 'a record has no "seconds"'
[ ! -e x.svg ] || fail 'a failed plot left a picture'
expect 74 "$lockstep" plot hand -o nowhere/x.svg
says 'nowhere/x.svg: can'\''t create: its folder is not there: mkdir -p nowhere'
expect 64 "$lockstep" plot hand
says '-o FILE.svg is missing'
expect 64 "$lockstep" plot hand -o x.svg --x hour
says '--x=hour: write one of step, epoch, time'
expect 64 "$lockstep" plot --once hand -o x.svg
says '--once goes with --live'
expect 64 "$lockstep" plot --live hand empty
says '--live follows one run'
expect 64 "$lockstep" plot
says 'expected RUN [RUN ...]'

# Filters: each tile holds the weights of the checkpoint, scaled around 0; colours by their own range. No data is needed.
cat >filters.py <<'END'
"""filters: compares a picture of `plot --weights` with the weights in the checkpoint."""
import sys

import h5py
import numpy

tests, picture, checkpoint, slot, shape = sys.argv[1:]
sys.path.insert(0, f"{tests}/launch")
from read_png import read_png, tiles

high, wide, channels = map(int, shape.split("x"))
with h5py.File(checkpoint) as file:
    weight = file[f"model/{slot}"][()].astype(float)
if weight.ndim == 4:
    weight = weight.transpose(0, 2, 3, 1)
elif weight.shape[1] != high * wide * channels:  # of the last layer of a decoder
    weight = weight.T
weight = weight.reshape(-1, high, wide, channels)
least, most = weight.min((1, 2, 3), keepdims=True), weight.max((1, 2, 3), keepdims=True)
if channels != 3:
    most = numpy.maximum(abs(least), abs(most))
    least = -most
wanted = 255 * (weight - least) / (most - least)
found = tiles(read_png(picture), high, wide)
if channels not in (1, 3):
    assert found.shape[:2] == (len(wanted), channels), found.shape
    found = found[..., 0].transpose(0, 2, 3, 1)
else:
    found = found.reshape(-1, *found.shape[2:])
    assert (found[len(wanted):] == 255).all()
    found = found[:len(wanted)]
assert abs(found - wanted).max() < 0.51, abs(found - wanted).max()
END
filters() { # LAYER SHAPE: draws a layer of the run, and compares
    expect 0 "$lockstep" plot run --weights "$1" -o filters.png --force
    says 'wrote filters.png: '
    "$python" filters.py "$tests" filters.png run/checkpoints/best.h5 "net/${1#net/}/weight" "$2" ||
        fail "the tiles of $1 are not its weights"
}
mv data.h5 kept.h5
filters dense1 12x12x1
cp filters.png newest.png
expect 0 ranks 2 "$lockstep" plot run/checkpoints/best.h5 --weights net/dense1 -o filters.png --force
cmp filters.png newest.png || fail 'two ranks drew another picture'
expect 64 "$lockstep" plot run --weights activation1 -o filters.png --force
says 'activation1 has no weights that are pictures: expected a convolution, or a dense layer that reads one. Layers that can be drawn: dense1'
expect 64 "$lockstep" plot run --weights dens1 -o filters.png --force
says 'there is no layer dens1: did you mean dense1? The layers are dense1, activation1, dense2'
expect 64 "$lockstep" plot run --weights dense1 -o filters.svg
says 'filters.svg: expected an output that ends in .png'
expect 64 "$lockstep" plot hand -o curves.png
says 'curves.png: expected an output that ends in .svg'
expect 64 "$lockstep" plot run --weights dense1
says '-o FILE.png is missing'
expect 64 "$lockstep" plot run hand --weights dense1 -o filters.png --force
says '--weights draws a layer of one run: leave out the other runs'
expect 65 "$lockstep" plot hand --weights dense1 -o filters.png --force
says 'hand holds no checkpoint: is it a run directory?'
rm -r run
"$python" -c '
import h5py
with h5py.File("kept.h5") as old, h5py.File("data.h5", "w") as new:
    for split in ("train", "valid"):
        new[f"{split}/x"] = old[f"{split}/x"][()].repeat(3, 3)
        new[f"{split}/y"] = old[f"{split}/y"][()]'
cat >colours.yaml <<'END'
data: data.h5
run: run
transform: crop size=10
net: |
  conv2d out=5 kernel=3
  conv2d out=4 kernel=4,3 stride=2
  dense units=9
  dense units=300
  dense units=4
stages:
  - {objective: supervised loss=cross-entropy, optimizer: sgd rate=1e-6, batch: 50, epochs: 1}
END
expect 0 "$lockstep" train colours.yaml
rm data.h5
filters conv2d1 3x3x3
filters conv2d2 4x3x5
filters dense2 10x10x3
