#!/usr/bin/env bash
# test_import: lockstep import at the command line: each format, what it says, bad usage, one writer under mpirun; and
# LeNet-5 learns the synthetic glyphs in two epochs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage_error() { # MESSAGE ARGUMENT ...
    local message=$1
    shift
    expect 64 "$lockstep" import "$@"
    says "lockstep import: $message"
}

refused() { # CODE MESSAGE ARGUMENT ...
    local code=$1 message=$2
    shift 2
    expect "$code" "$lockstep" import "$@"
    says_only "lockstep: $message"
}

# synthetic
expect 0 "$lockstep" import synthetic -o small.h5 --rows 30 --test 0 --size 20 --classes 7
says_only 'train  x uint8 [30, 20, 20, 1]  y uint8 [30]  7 classes
wrote small.h5'
refused 64 'small.h5: is there already; --force overwrites it' synthetic -o small.h5
expect 0 "$lockstep" import synthetic -o small.h5 --rows 10 --force
refused 64 'import synthetic: size=9; expected 12 to 512' synthetic -o none.h5 --size 9
refused 64 'import synthetic: classes=99; expected 2 to 20' synthetic -o none.h5 --classes 99
refused 74 "nowhere/a.h5: can't create: its folder is not there: mkdir -p nowhere" synthetic -o nowhere/a.h5

# csv
printf 'length,kind\n1,cat\n2.5,dog\n-3,cat\n' >pets.csv
expect 0 "$lockstep" import csv pets.csv --header -o pets.h5
says_only 'labels pets.csv: column 2 (kind): 2 classes of 1 (label dog) to 2 (label cat) rows
train  x float32 [3, 1]  y int32 [3]  2 classes: cat, dog
wrote pets.h5'
expect 0 "$lockstep" import csv pets.csv --header --label kind --scale standard --valid 1 -o pets.h5 --force
says 'valid  x float32 [1, 1]  y int32 [1]  2 classes'
"$python" - <<'END'
import h5py

with h5py.File("pets.h5") as file:
    assert file["train/y"].attrs["class_names"].split("\n") == ["cat", "dog"]
    assert file["train/y"].attrs["classes"] == 2 and file["train/x"].attrs["column_mean"].shape == (1,)
END
# New rows are scaled and labelled as an earlier data set was.
printf 'length,kind\n10,dog\n' >new.csv
expect 0 "$lockstep" import csv pets.csv --header --scale standard -o pets.h5 --force
expect 0 "$lockstep" import csv new.csv --header --scale pets.h5 -o new.h5
says 'train  x float32 [1, 1]  y int32 [1]  2 classes: cat, dog'
expect 64 "$lockstep" import csv new.csv --header --scale pets.h5 -o pets.h5 --force
says 'pets.h5: the output would replace pets.h5, which is read: give another -o'
expect 64 "$lockstep" import csv new.csv --header -o new.csv --force
says 'new.csv: the output would replace new.csv, which is read: give another -o'
expect 0 "$python" -c '
import h5py, numpy
lengths, new = numpy.array([1, 2.5, -3]), h5py.File("new.h5")
assert abs(new["train/x"][0, 0] - (10 - lengths.mean()) / lengths.std()) < 1e-6 and new["train/y"][0] == 1
for name in "column_mean", "column_deviation":
    assert new["train/x"].attrs[name] == h5py.File("pets.h5")["train/x"].attrs[name]'
refused 65 "small.h5: train/x has no attributes column_mean and column_deviation; expected a file that import csv made with --scale standard" \
    csv new.csv --header --scale small.h5 -o none.h5
refused 65 "absent.h5: can't open: No such file or directory" csv new.csv --header --scale absent.h5 -o none.h5
# Its columns are these, in this order, wherever the label stands; new.h5 says so too.
printf 'a,b,kind\n1,20,x\n2,10,y\n' >ab.csv
printf 'kind,a,b\nx,1,20\n' >ab2.csv
printf 'b,a,kind\n20,1,x\n' >ba.csv
printf 'a,b\n1,20\n' >nolab.csv
expect 0 "$lockstep" import csv ab.csv --header --scale standard -o ab.h5
expect 0 "$lockstep" import csv ab2.csv --header --label kind --scale ab.h5 -o ab2.h5
"$python" -c 'import h5py; assert list(h5py.File("ab2.h5")["train/x"][0]) == [-1, 1]'
for like in ab.h5 ab2.h5; do
    refused 65 "ba.csv: column 1 is 'b', where $like has 'a'; expected the same columns in the same order" \
        csv ba.csv --header --scale $like -o none.h5
done
refused 65 'nolab.csv has 1 column(s) of inputs beside the label in column 2 (b), ab.h5 has 2; is there no label? --label none' \
    csv nolab.csv --header --scale ab.h5 -o none.h5
expect 0 "$lockstep" import csv nolab.csv --header --scale ab.h5 --label none -o nolab.h5
printf 'length,kind\n10,dog\n11,cow\n' >new.csv
refused 65 "new.csv:3: label 'cow' does not occur in pets.h5; expected one of its 2 labels" \
    csv new.csv --header --scale pets.h5 -o none.h5
refused 65 "pets.csv:1: column 1 holds 'length'; expected a finite number; does --header fit? Then line 1 holds names" \
    csv pets.csv -o none.h5
refused 65 "pets.csv:2: column 2 (kind) holds 'cat'; expected a finite number" csv pets.csv --header --targets 1 -o none.h5
refused 64 "pets.csv: has no column 'kine' for labels: did you mean kind?; expected a name of the header, 1 to 2, or none" \
    csv pets.csv --header --label kine -o none.h5
# Numbers stay doubles until they are scaled, and what float32 can't tell apart is named.
for i in {0..99}; do echo "$((1609459200 + i)),$((i % 2))"; done | sed '1i time,class' >times.csv
expect 0 "$lockstep" import csv times.csv --header -o times.h5
says 'note: column 1 (time): 100 numbers become 2 float32 values; --scale standard keeps them'
expect 0 "$lockstep" import csv times.csv --header --scale standard -o times.h5 --force
"$python" -c '
import h5py, numpy
x = h5py.File("times.h5")["train/x"][:, 0]
assert len(set(x)) == 100 and abs(x - (numpy.arange(100) - 49.5) / numpy.arange(100).std()).max() < 1e-6, x'
# What labels mean is decided once.
printf 'a,class\n1,0\n2,1\n3,?\n4,10\n5,2\n' >missing.csv
refused 65 "missing.csv:4: column 2 (class) holds '?'; expected a whole number from 0 to 16777215, as most labels are: repair the row, leave it out, or write all labels as names (class1, class2)" \
    csv missing.csv --header -o none.h5
printf '1,1\n2,2\n3,3\n' >from1.csv
expect 0 "$lockstep" import csv from1.csv -o from1.h5
says 'note: no row has label 0; do labels count from 1? Then --labels-from 1 makes label 1 class 0'
expect 0 "$lockstep" import csv from1.csv --labels-from 1 -o from1.h5 --force
says '[3]  3 classes'
expect 0 "$lockstep" import csv from1.csv --labels-from 1 --scale standard -o from1.h5 --force
expect 0 "$lockstep" import csv from1.csv --scale from1.h5 -o like1.h5 # where labels begin is kept too
expect 0 "$lockstep" import csv from1.csv --scale like1.h5 --labels-from 1 -o like2.h5
"$python" -c 'import h5py; y = h5py.File("like2.h5")["train/y"]; assert list(y) == [0, 1, 2] and y.attrs["labels_from"] == 1, list(y)'
"$python" -c 'import h5py; del h5py.File("like2.h5", "a")["train/y"].attrs["labels_from"]' # as files of before
expect 0 "$lockstep" import csv from1.csv --scale like2.h5 --labels-from 1 -o like3.h5
"$python" -c 'import h5py; y = h5py.File("like3.h5")["train/y"]; assert list(y) == [0, 1, 2], list(y)'
refused 64 '--labels-from 2, but the labels of like1.h5 begin at 1, and so they do here: leave it out' \
    csv from1.csv --scale like1.h5 --labels-from 2 -o none.h5
printf '\0\0\10\3\0\0\0\2\0\0\0\1\0\0\0\1ab' >images
printf '\0\0\10\1\0\0\0\2\1\2' >labels
expect 0 "$lockstep" import idx images labels --labels-from 1 -o idx.h5
says 'labels labels: 2 classes of 1 row'
printf '<!DOCTYPE html><title>403</title>' >page.gz
refused 65 'page.gz: is not an IDX file: it is an HTML or XML page (was the download refused?); expected images [rows, h, w] of uint8' \
    idx page.gz labels -o none.h5
refused 65 'page.gz: is no text table: it is an HTML or XML page (was the download refused?)' csv page.gz -o none.h5
expect 65 "$lockstep" inspect page.gz
says 'page.gz: is not an HDF5 file: it is an HTML or XML page (was the download refused?)'
refused 65 "none.csv: can't open: No such file or directory" csv none.csv -o none.h5
ln -s circle.csv circle.csv
refused 65 "circle.csv: can't open: Too many levels of symbolic links" csv circle.csv -o none.h5

# usage
usage_error "there is no format 'cvs'; expected one of idx, csv, h5, text, images, wav, cifar, synthetic" cvs pets.csv -o none.h5
usage_error '-o FILE is missing: where should the data set go?' csv pets.csv
usage_error 'idx: expected IMAGES LABELS [IMAGES LABELS], found 1 file(s)' idx pets.csv -o none.h5
usage_error 'idx: expected IMAGES LABELS [IMAGES LABELS], found 3 file(s)' idx a b c -o none.h5
usage_error 'csv: expected FILE [FILE], found 3 file(s)' csv a b c -o none.h5
usage_error 'synthetic: expected no files, found 1 file(s)' synthetic a -o none.h5
usage_error '--labels-from does not go with synthetic' synthetic --labels-from 1 -o none.h5
usage_error '--labels-from does not go with cifar' cifar . --labels-from 1 -o none.h5
usage_error '--labels-from does not go with text' text from1.csv --labels-from 1 -o none.h5
refused 64 'from1.csv: has no column of labels; expected no --labels-from' csv from1.csv --targets 1 --labels-from 1 -o none.h5
usage_error '--size does not go with csv' csv pets.csv --size 20 -o none.h5
usage_error '--header does not go with synthetic' synthetic --header -o none.h5
refused 64 '--label and --targets exclude each other' csv pets.csv --label 1 --targets 1 -o none.h5
refused 64 "--separator: expected one character, or tab, found ',,'" csv pets.csv --separator ,, -o none.h5
refused 64 "--scale: expected a number other than 0, standard, or FILE.h5, found '0'" csv pets.csv --scale 0 -o none.h5
usage_error "--rows: expected a whole number, 1 or more, found '3x'" synthetic --rows 3x -o none.h5
expect 0 "$lockstep" import --help
says 'lockstep import synthetic'
[ ! -e none.h5 ] || fail 'a refused import left its file'
! compgen -G '*.tmp' || fail 'an import left a temporary file'

# Under mpirun rank 0 imports, and the others print nothing.
expect 0 ranks 3 "$lockstep" import synthetic -o ranks.h5 --rows 10
same 'times said' 1 "$(grep -c '^wrote ranks.h5$' out)"
cmp ranks.h5 small.h5 || fail 'expected the same file from one rank and from three'
expect 64 ranks 2 "$lockstep" import synthetic -o ranks.h5
same 'times said' 1 "$(grep -c 'is there already' out)"

# The glyphs can be learned.
expect 0 "$lockstep" import synthetic -o glyphs.h5 --valid 1000
cat >lenet.yaml <<'END'
data: glyphs.h5
run: run
model: lenet classes=10
optimizer: momentum rate=0.1 momentum=0.9 decay=5e-4
schedule: cosine
batch: 128
epochs: 2
END
expect 0 ranks 2 "$lockstep" train lenet.yaml
expect 0 "$lockstep" evaluate run --json
"$python" -c "import json; a = json.loads(open('out').read())['accuracy']; print(a); assert a > 0.95"
