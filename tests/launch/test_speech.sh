#!/usr/bin/env bash
# test_speech: import wav: features against numpy, labels of files and frames, other rates, broken files; the same bytes on
# any number of ranks and threads.
#
#   test_speech.sh            all of it
#   test_speech.sh broken     broken and odd files only: test_sanitize.sh runs this part under AddressSanitizer
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export TESTS=$tests
command -v sndfile-convert >/dev/null && command -v espeak-ng >/dev/null || exit 77

# What is broken is named, skipped and counted, and leaves no trace in the data set.
broken() {
    "$python" "$tests/launch/broken_sounds.py"
    expect 0 "$lockstep" import wav broken -o all.h5
    local name words count=0 total
    while IFS=$'\t' read -r name words; do
        grep -F "skipped: broken/$name: " "$work/out" | grep -qF -- "$words" ||
            fail "expected to read of $name: $words"
        count=$((count + 1))
    done <broken.txt
    [ "$count" -ge 24 ] || fail "only $count broken files"
    total=$((count + $(wc -l <good.txt)))
    says "skipped $count of $total files"
    sort good.txt >broken/good.list # a folder's order
    expect 0 "$lockstep" import wav broken/good.list -o good.h5
    rm broken/good.list
    cmp all.h5 good.h5 || fail "broken files left a trace"
    expect 65 "$lockstep" import wav broken --strict -o strict.h5
    [ ! -e strict.h5 ] || fail "--strict left a data set"
    "$python" - <<'CHECK'
import h5py, numpy
names = sorted(open("good.txt").read().split("\n")[:-1])
with h5py.File("good.h5") as data:
    x = dict(zip(names, data["train/x"][:]))
    assert (data["train/length"][:] == 48).all()
    assert [name.decode() for name in data["train/name"][:]] == names
for name in names:
    bound = {"silent.wav": 50}.get(name, 1e-4)
    difference = x[name] - x["plain.wav"]
    if name == "good.ogg": # with losses, and sndfile-convert makes it louder
        difference = 5e-5 * (difference - difference.mean())
    assert numpy.abs(difference).max() < bound, name
assert numpy.isfinite(x["silent.wav"]).all() and (x["silent.wav"] == x["silent.wav"][0, 0]).all()
CHECK
    mkdir rates
    cp broken/plain.wav broken/a_fast.wav rates
    "$python" -c 'data = bytearray(open("broken/plain.wav", "rb").read()); data[24:28] = bytes((1, 0, 0, 0)); open("rates/slow.wav", "wb").write(data)'
    expect 0 "$lockstep" import wav rates --rate 16000 -o rates.h5
    says "rates/slow.wav: a sound of 1 samples a second can't be resampled to 16000"
    says "skipped 2 of 3 files"
    "$python" -c 'import h5py; shape = h5py.File("rates.h5")["train/x"].shape; assert shape == (1, 48, 40), shape'
    mkdir only_broken
    cp broken/empty.wav broken/text.wav only_broken
    expect 65 "$lockstep" import wav only_broken -o none.h5
    says "none of the 2 files holds sound"
}

if [ "${1:-}" = broken ]; then
    broken
    exit 0
fi
[ $# = 0 ] || fail "expected no argument or broken, found $1"

mkdir parity
(cd parity && "$python" "$tests/parity/speech.py" "$lockstep") || fail "features differ from numpy's"
broken

# Sounds of several lengths and rates, in folders.
"$python" - <<'SOUNDS'
import os, sys
sys.path.insert(0, os.environ["TESTS"] + "/parity")
import numpy, speech
random = numpy.random.default_rng(2)
for i in range(30):
    folder = f"sounds/{'xyz'[i % 3]}"
    os.makedirs(folder, exist_ok=True)
    speech.save(f"{folder}/{i}.wav", random.normal(size=(800 + 160 * i, 1)) * 1000, 16000)
t = numpy.arange(48000)[:, None] / 48000
os.makedirs("tones")
speech.save("tones/wide.wav", 8000 * numpy.sin(2 * numpy.pi * 440 * t), 48000)
t = numpy.arange(16000)[:, None] / 16000
speech.save("tones/narrow.wav", 8000 * numpy.sin(2 * numpy.pi * 440 * t), 16000)
SOUNDS

# The same bytes on any ranks and threads; rows are padded by zeros and have a length; folders are classes.
expect 0 "$lockstep" import wav sounds -o one.h5 --valid 0.2 --test 0.2 --threads 1
says "3 classes: x, y, z"
for several in "1 3" "2 1" "3 2"; do
    read -r count threads <<<"$several"
    expect 0 ranks "$count" "$lockstep" import wav sounds -o more.h5 --force --valid 0.2 --test 0.2 --threads "$threads"
    cmp one.h5 more.h5 || fail "other bytes on $count ranks of $threads threads"
done
"$python" - <<'CHECK'
import h5py
with h5py.File("one.h5") as data:
    found = set()
    for split in ("train", "valid", "test"):
        x, length, y = (data[f"{split}/{name}"] for name in ("x", "length", "y"))
        assert x.shape[1:] == (1 + (800 + 160 * 29 - 400) // 160, 40) and length.dtype == "int32" and y.attrs["classes"] == 3
        assert y.attrs["class_names"] in (b"x\ny\nz", "x\ny\nz")
        for row, frames in zip(x[:], length[:]):
            assert (row[frames:] == 0).all() and (row[frames - 1] != 0).any()
            found.add(int(frames))
    assert found == {1 + (800 + 160 * i - 400) // 160 for i in range(30)}, found
    assert "--rate 16000" in str(data["train/x"].attrs["made"])
CHECK

# Another rate is refused, or resampled: then a tone is the same tone.
expect 64 "$lockstep" import wav tones -o tones.h5
says "tones/wide.wav: has 48000 samples a second, the first sound has 16000; --rate 16000 resamples all"
expect 0 "$lockstep" import wav tones -o tones.h5 --rate 16000 --frames 90 --bands 20
"$python" - <<'CHECK'
import h5py, numpy
with h5py.File("tones.h5") as data:
    x = data["train/x"][:, 5:-5]
    assert "length" not in data["train"] and x.shape[1:] == (80, 20)
loud = x[0].mean(0) > x[0].max() - 8
assert 2 <= loud.sum() < 10 and numpy.abs(x[0] - x[1])[:, loud].max() < 0.02, numpy.abs(x[0] - x[1])[:, loud].max()
CHECK

# One long sound makes most of the file padding, which is said.
mkdir uneven
for i in 0 1 2; do cp sounds/x/0.wav uneven/$i.wav; done
cp sounds/z/29.wav uneven/long.wav
expect 0 "$lockstep" import wav uneven -o uneven.h5
says 'note: uneven/long.wav is the longest, with 32 frames, and so long are all rows: 32.0 % of x are frames of sounds'
expect 0 "$lockstep" import wav sounds -o whole.h5
grep -q note: out && fail 'a note about padding where most frames are of sounds'

# A fixed number of frames: silence follows, or the sound is cut.
expect 0 "$lockstep" import wav sounds -o fixed.h5 --frames 10
"$python" - <<'CHECK'
import h5py, numpy
with h5py.File("fixed.h5") as fixed, h5py.File("whole.h5") as whole:
    for row, all, frames in zip(fixed["train/x"][:], whole["train/x"][:], whole["train/length"][:]):
        n = min(10, frames)
        assert (row[:n] == all[:n]).all() and (row[n + 3:] == numpy.float32(numpy.log(2.0 ** -23))).all()
CHECK

# Labels of frames.
mkdir framed
cp sounds/x/27.wav framed/a.wav
cp sounds/y/28.wav framed/b.wav
printf '0.0\t0.1\tvowel\n0.1 0.2 stop\n' >framed/a.lab
printf '0.05\t0.15\tvowel\r\n\n' >framed/b.lab
printf 'a.wav\nb.wav\n' >framed/list
expect 0 "$lockstep" import wav framed/list --segments lab -o framed.h5
"$python" - <<'CHECK'
import h5py
with h5py.File("framed.h5") as data:
    y, length = data["train/y"], data["train/length"][:]
    assert y.attrs["classes"] == 3 and str(y.attrs["class_names"]).replace("b'", "'").strip("'") .replace("\\n", "\n") == "none\nstop\nvowel"
    middle = lambda t: 0.0125 + 0.01 * t
    for t in range(length[0]):
        assert y[0, t] == (2 if middle(t) < 0.1 else 1 if middle(t) < 0.2 else 0), t
    for t in range(length[1]):
        assert y[1, t] == (2 if 0.05 <= middle(t) < 0.15 else 0), t
CHECK
for ending in lab .lab phn.txt; do # the segments beside the sounds of a folder are no sounds
    rm -rf beside
    mkdir beside
    cp framed/*.wav beside
    for file in framed/*.lab; do
        cp "$file" "beside/$(basename "$file" .lab).${ending#.}"
    done
    expect 0 "$lockstep" import wav beside --segments $ending --strict -o beside.h5 --force
    "$python" -c '
import h5py
a, b = h5py.File("beside.h5")["train"], h5py.File("framed.h5")["train"]
assert all((a[name][()] == b[name][()]).all() for name in ("x", "y", "length"))'
done
cp sounds/z/29.wav framed/c.wav # a file of segments that is missing or broken leaves no trace
printf '0 1 noise\nnonsense here\n' >framed/c.lab
cp framed/c.wav framed/d.wav
printf 'a.wav\nc.wav\nb.wav\nd.wav\n' >framed/more
expect 0 "$lockstep" import wav framed/more --segments .lab -o more.h5 --force
says "skipped: framed/c.lab:2: 'nonsense here' is no segment"
says "skipped: framed/d.lab: can't open"
says "skipped 2 of 4 files"
"$python" - <<'CHECK'
import h5py
with h5py.File("framed.h5") as data, h5py.File("more.h5") as more:
    n = data["train/x"].shape[1]
    assert (more["train/x"][:, :n] == data["train/x"][:]).all() and (more["train/y"][:, :n] == data["train/y"][:]).all()
    assert more["train/y"].attrs["class_names"] == data["train/y"].attrs["class_names"]
CHECK
printf '0 3050 noise\n3050 8000 stop\n' >framed/c.lab # samples, as TIMIT has them
printf '0.0 0.1 none\n0.1 0.2 stop\n' >framed/d.lab     # the class of what is in no segment
expect 0 "$lockstep" import wav framed/more --segments lab -o more.h5 --force
says 'skipped: framed/c.lab: a segment ends at 8000 s, but its sound at '
says '; expected begin and end in seconds (TIMIT has samples, HTK units of 100 ns)'
"$python" -c '
import h5py
y = h5py.File("more.h5")["train/y"]
assert y.attrs["classes"] == 4 and sorted(set(y[2].tolist())) == [0, 2], (dict(y.attrs), y[2])'
expect 0 ranks 2 "$lockstep" import wav framed/more --segments lab -o more2.h5
cmp more.h5 more2.h5 || fail 'segments on 2 ranks make another file'
printf '0 1 noise\nnonsense here\n' >framed/c.lab
expect 65 ranks 2 "$lockstep" import wav framed/more --segments lab -o refused.h5 --strict
says "c.lab:2: 'nonsense here' is no segment"
expect 64 "$lockstep" import wav sounds --segments lab -o refused.h5
says "the files have labels already"

# Names that are numbers come first, by their values.
printf '0.0 0.1 10\n0.1 0.2 2\n' >framed/c.lab
expect 0 "$lockstep" import wav framed/more --segments lab -o more.h5 --force
"$python" -c '
import h5py
y = h5py.File("more.h5")["train/y"]
names = y.attrs["class_names"]
names = (names.decode() if isinstance(names, bytes) else str(names)).split("\n")
assert names == ["none", "2", "10", "stop", "vowel"] and set(y[1].tolist()) == {0, 1, 2}, (names, y[1])'

# Options that do not fit.
expect 64 "$lockstep" import wav sounds -o refused.h5 --features plp
says "--features plp; expected one of logmel, mfcc"
expect 64 ranks 2 "$lockstep" import wav nowhere -o refused.h5 --window 9223372036854775807
says "--window 9223372036854775807; expected 1 to 10000"
expect 64 "$lockstep" import wav sounds -o refused.h5 --features mfcc --bands 10
says "cepstra=13 of bands=10"
expect 64 "$lockstep" import wav sounds -o refused.h5 --bands 300
says "lies between two of the 256 frequencies"
[ ! -e refused.h5 ] || fail "a refused import left a file"
