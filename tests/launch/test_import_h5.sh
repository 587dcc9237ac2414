#!/usr/bin/env bash
# test_import_h5: lockstep import h5: files of any form that h5py writes come out contiguous with the numbers that h5py
# reads; names, labels and the order of dimensions as others have them; what is refused, and what is said.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$python" "$tests/launch/foreign_h5.py" make

imported() { # FILE ARGUMENT ...: makes out.h5, which must be a data set in contiguous rows that is not refused
    expect 0 "$lockstep" import h5 "$@" -o out.h5 --force
    cp out said
    expect 0 "$lockstep" verify out.h5
    cp said out
}

refused() { # CODE MESSAGE ARGUMENT ...
    local code=$1 message=$2
    shift 2
    expect "$code" "$lockstep" import h5 "$@"
    grep -qF -- "lockstep: $message" out || fail "expected: lockstep: $message"
    [ ! -e none.h5 ] || fail 'a refused import left its file'
}

# Any form of storage and number, the same numbers.
for file in form_*.h5; do
    imported "$file"
    "$python" "$tests/launch/foreign_h5.py" same "$file" out.h5
done

imported form_bool.h5
says 'train  x uint8 [60, 6]  y int32 [60]  2 classes'
imported form_more.h5 --valid 20
says 'valid  x float32 [20, 6]  y int32 [20]  3 classes  length int64 [20]  weight float32 [20]'
imported form_more_root.h5
says 'train  x float32 [60, 6]  y int32 [60]  3 classes  length int64 [60]  weight float32 [60]'
imported beside.h5
says 'note: beside.h5: not used: weight'
imported named.h5 --rename data=x,steps=length
says 'train  x float32 [60, 6]  length int64 [60]'

# A text: its tokens and its vocabulary.
printf 'hello' >hello.txt
expect 0 "$lockstep" import text hello.txt -o text.h5
"$python" - <<'END'
import h5py
with h5py.File("text.h5") as old, h5py.File("chunks.h5", "w") as new:
    for name in "train/x", "vocabulary":
        new.create_dataset(name, data=old[name][()], chunks=(2,))
        new[name].attrs.update(old[name].attrs)
END
imported chunks.h5
! grep -q 'not used' out || fail 'a vocabulary is used'
"$python" - <<'END'
import h5py
with h5py.File("text.h5") as old, h5py.File("out.h5") as new:
    for name in "train/x", "vocabulary":
        assert (old[name][()] == new[name][()]).all() and dict(old[name].attrs) == dict(new[name].attrs), name
END
imported chunks.h5 --valid 2 # the last tokens, not any two
"$python" - <<'END'
import h5py
with h5py.File("text.h5") as old, h5py.File("out.h5") as new:
    text = list(old["train/x"])
    assert list(new["train/x"]) == text[:3] and list(new["valid/x"]) == text[3:], list(new["valid/x"])
END

# Names.
imported caffe.h5 --rename data=x,label=y
says 'note: label: float32 whole numbers become labels; --y targets keeps numbers'
says 'labels caffe.h5: label: 3 classes of '
says 'train  x float32 [60, 6]  y int32 [60]  3 classes'
"$python" "$tests/launch/foreign_h5.py" same caffe.h5 out.h5
refused 65 'caffe.h5: holds data, label; expected x and y at the root, or in groups train, valid and test: say which they are by --rename data=x,label=y' \
    caffe.h5 -o none.h5
imported caffe.h5 caffe.h5 --rename data=x,label=y
says 'test   x float32 [60, 6]  y int32 [60]  3 classes'
imported val.h5 --rename val=valid
says 'valid  x float32 [60, 6]  y int32 [60]  3 classes'
imported val.h5
says 'note: val.h5: not used: val; --rename val=valid'
imported deep.h5 --rename features/level/0=train/x,answers=y
says 'train  x float32 [60, 6]  y int32 [60]  3 classes'
refused 64 "--rename: val.h5 has no 'vol'; it has val" val.h5 --rename vol=valid -o none.h5
refused 64 "--rename: expected OLD=NEW[,OLD=NEW ...], at most 64, found 'data'" caffe.h5 --rename data -o none.h5
refused 65 'val.h5: train/x and val/x are both train/x; --rename one of them' val.h5 --rename val=train -o none.h5

# Labels and targets.
imported onehot.h5
says 'note: train/y: the place of the 1 among 3 columns becomes the label; --y targets keeps the columns'
"$python" "$tests/launch/foreign_h5.py" same caffe.h5 out.h5
imported onehot_gap.h5 # the last two of the five classes have no row
says 'y int32 [60]  5 classes'
imported onehot.h5 --y targets
says 'train  x float32 [60, 6]  y uint8 [60, 3]'
imported caffe.h5 --rename data=x,label=y --y targets
says 'train  x float32 [60, 6]  y float32 [60, 1]'
imported steps.h5
says 'y int64 [60, 6]  4 classes'
imported steps.h5 --y labels
says 'y int64 [60, 6]  4 classes'
imported steps_of_one_1.h5
says 'y uint8 [60, 3]  2 classes'
imported steps_from1.h5 --labels-from 1
says 'y int64 [60, 6]  4 classes'
"$python" - <<'END'
import h5py
theirs, ours = (h5py.File(name)["train/y"] for name in ("steps_from1.h5", "out.h5"))
assert (ours[:] == theirs[:].astype(int) - 1).all() and ours.attrs["ignore"] == ours[7, 2] == -1
END
imported steps.h5 --y targets
says 'y int64 [60, 6]'
! grep -q classes "$work/out" || fail '--y targets keeps the attribute classes'
imported counts.h5 --y targets
says 'y float64 [60, 1]'
imported reals.h5
says 'y float32 [60, 1]'
refused 65 'reals.h5: train/y holds label 0.5 at row 1; expected whole numbers from 0 to 16777215, or --y targets' \
    reals.h5 --y labels -o none.h5
refused 64 "--y: expected labels or targets, found 'numbers'" reals.h5 --y numbers -o none.h5
imported from1.h5
says 'note: no row has label 0; do labels count from 1? Then --labels-from 1 makes label 1 class 0'
imported from1.h5 --labels-from 1
says 'y int32 [60]  3 classes'
"$python" "$tests/launch/foreign_h5.py" same caffe.h5 out.h5
for of in "onehot.h5:rows of one 1: a column is a class" "reals.h5:targets"; do # labels that do not begin anywhere
    refused 64 "${of%%:*}: --labels-from is for labels that are numbers; y holds ${of#*:}" "${of%%:*}" --labels-from 1 -o none.h5
done
refused 64 'form_no_y.h5: has no y; expected no --labels-from' form_no_y.h5 --labels-from 1 -o none.h5
refused 64 'form_no_y.h5: has no y; expected no --y' form_no_y.h5 --y labels -o none.h5
refused 65 'counts.h5: train/y: the labels are 60 different numbers from 0 to 59000' counts.h5 -o none.h5
refused 65 'one.h5: train/y: all 60 row(s) have label 0; expected two classes or more' one.h5 -o none.h5
refused 65 'minus.h5: train/y holds label -1 at row 7' minus.h5 -o none.h5
for from in "some 0" "some_from1 1"; do # labels that stand for none: -100 of 0, 1, 2, and 0 of 1, 2, 3
    imported "${from% *}.h5" --labels-from "${from#* }"
    says 'y int32 [60]  3 classes'
    "$python" - "${from% *}.h5" "${from#* }" <<'END'
import h5py, sys
theirs, ours = h5py.File(sys.argv[1])["train/y"], h5py.File("out.h5")["train/y"]
assert (ours[:] == theirs[:] - int(sys.argv[2])).all() and (ours[:] < 0).sum() == 1 and ours.attrs["ignore"] == ours[7]
END
done
imported some.h5 --y targets
! "$python" -c 'import h5py; h5py.File("out.h5")["train/y"].attrs["ignore"]' 2>none || fail '--y targets keeps the attribute ignore'
refused 65 'far.h5: train/y has attribute ignore=-9223372036854775808; expected more than -16777216 and less than' far.h5 -o none.h5
refused 65 'above.h5: train/y holds label 2 at row' above.h5 -o none.h5
expect 0 "$lockstep" import h5 nan.h5 -o out.h5 --force
says 'note: train/x holds NaN or infinity, first at row 7; training refuses such rows'

# The order of dimensions.
imported nchw.h5 --channels-first --valid 20
says 'train  x uint8 [40, 5, 7, 3]  y int32 [40]  3 classes'
says 'valid  x uint8 [20, 5, 7, 3]  y int32 [20]  3 classes'
"$python" "$tests/launch/foreign_h5.py" turned nchw.h5 out.h5
imported nchw.h5
says 'note: train/x is read as height 3, width 5, 7 channels; if its channels come first, --channels-first turns it'
imported matlab.h5 --matlab
"$python" "$tests/launch/foreign_h5.py" same caffe.h5 out.h5
refused 65 'matlab.h5: train/x has 6 rows, but train/y has 1; expected as many (if MATLAB wrote the file' matlab.h5 -o none.h5
refused 64 'nchw_said.h5: train/x has the attribute layout=NCHW: give --channels-first' nchw_said.h5 -o none.h5
imported nchw_said.h5 --channels-first
"$python" "$tests/launch/foreign_h5.py" turned nchw.h5 out.h5
"$python" - <<'END'
import h5py
with h5py.File("nchw.h5") as file, h5py.File("denoise.h5", "w") as made:
    made["train/x"] = file["train/x"][()]
    made["train/y"] = file["train/x"][()].astype("f4")
END
imported denoise.h5 --channels-first
says 'y float32 [60, 5, 7, 3]'
"$python" -c '
import h5py
train = h5py.File("out.h5")["train"]
assert (train["x"][()] == train["y"][()]).all()'
refused 65 'caffe.h5: data has 2 dimension(s); --channels-first expects [rows, channels, ...], three or more' \
    caffe.h5 --rename data=x,label=y --channels-first -o none.h5

# What is not there, or not to be trusted.
refused 65 'texts.h5: train/y holds texts; expected whole numbers or floats' texts.h5 -o none.h5
refused 65 'records.h5: train/x holds records; expected whole numbers or floats' records.h5 -o none.h5
refused 65 'outside.h5: train/x is a link to another file; expected the data itself' outside.h5 -o none.h5
refused 65 'nowhere.h5: train is a link that leads nowhere' nowhere.h5 -o none.h5
refused 65 'external.h5: train/x keeps its numbers in another file; expected them here' external.h5 -o none.h5
refused 65 'unwritten.h5: train/x: 1 of its 6 chunks were written; expected all' unwritten.h5 -o none.h5
refused 65 'lzf.h5: train/x is stored with filter 32000 (lzf)' lzf.h5 -o none.h5
head -c 3000 form_gzip.h5 >cut.h5
refused 65 'cut.h5: has 3000 bytes, but should have ' cut.h5 -o none.h5
echo '<html>' >page.h5
refused 65 'page.h5: is not an HDF5 file: it is an HTML or XML page' page.h5 -o none.h5
refused 64 "out.h5: is there already; --force overwrites it" form_gzip.h5 -o out.h5
refused 64 'val.h5: has a split valid; --valid takes rows off train where there is no split valid' \
    val.h5 --rename val=valid --valid 5 -o none.h5
# No file takes the place of its source, under whatever name.
cp form_gzip.h5 self.h5
expect 64 "$lockstep" import h5 self.h5 -o ./self.h5 --force
says './self.h5: the output would replace self.h5, which is read: give another -o'
cmp form_gzip.h5 self.h5
! compgen -G '*.tmp' || fail 'an import left a temporary file'
