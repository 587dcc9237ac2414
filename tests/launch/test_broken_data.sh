#!/usr/bin/env bash
# test_broken_data: the message about each file of broken_data.py says file, place, what was found and what was
# expected; on one rank and on two it is printed once, the exit code is 65, and nothing hangs.
#
#   test_broken_data.sh [RANKS ...]    (1 2)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$python" "$tests/launch/broken_data.py"
cat >job.yaml <<'END'
data: good.h5
net: dense units=4
optimizer: sgd rate=0.1
run: run
steps: 2
END

types='uint8, int8, uint16, int16, uint32, int32, int64, float32 or float64'
link='is a soft or external link; expected the data itself'
finite='expected finite float32 numbers: repair the row or leave it out'
whole='take a copy that is whole (or is it being written?)'
scale='expected finite numbers, scale not 0 (value = scale * stored + offset)'

# FILE|message; a message that ends in ... may go on, with HDF5's own reason.
table="
external_link|train/x $link
external_group|train $link
soft_link|train/x $link
soft_group|train $link
cyclic_link|train/x $link
dangling_link|train/y $link
cyclic_group|train/x is not a data set...
virtual|train/x keeps its numbers in another file; expected them here
external_storage|train/x keeps its numbers in another file; expected them here
declared|train/x was declared, but its numbers were never written
some_chunks|train/x: 1 of its 4 chunks were written; expected all
no_rows|train/x has 0 rows; expected at least one
empty_rows|train/x has rows of size 0; expected numbers in them
shorter_y|train/x has 20 rows, but train/y has 15; expected as many. Where only some rows have labels...
single_value|train/x is a single value; expected [rows, ...]
null_space|train/x is a single value; expected [rows, ...]
many_dimensions|train/x has 8 dimensions; expected rows and at most 6 more
absurd_size|train/x claims a size that no machine can hold; the file is damaged
overflowing_size|train/x claims a size that no machine can hold; the file is damaged
absurd_rows|train/x: 0 of its 1099511628 chunks were written; expected all
vast_chunks|train/x is stored in chunks of more than 256 MiB; expected smaller ones
more_rows|train/x claims 1073741824 rows, which take 25769803776 bytes, but stores 480; the file is damaged
overflow_patched|train/x is not a data set...
texts|train/x holds texts; expected $types
records|train/x holds records; expected $types
enumeration|train/x holds an enumeration; expected $types, which \`lockstep import h5 enumeration.h5 -o NEW.h5\` makes of them
halves|train/x holds 16-bit floats; expected $types, which \`lockstep import h5 halves.h5 -o NEW.h5\` makes of them
unsigned_64|train/x holds 64-bit unsigned integers; expected $types, which \`lockstep import h5 unsigned_64.h5 -o NEW.h5\` makes of them
opaque|train/x holds opaque bytes; expected $types
lists|train/x holds lists of varying length; expected $types
group_for_x|train/x is not a data set...
lzf|train/x is stored with filter 32000 (lzf), which lockstep does not read; write it without compression, or with gzip...
unknown_filter|train/x is stored with filter 31999 (lzf), which lockstep does not read; write it without compression, or with gzip...
damaged_chunk|train/x is damaged at row ...
wrong_checksum|train/x is damaged at row ...
nan_in_x|train/x holds nan at row 13; $finite
infinite_x|train/x holds -inf at row 0; $finite
nan_valid|valid/x holds nan at row 7; $finite
nan_target|train/y holds nan at row 7; $finite
negative_label|train/y holds label -1 at row 0; expected whole numbers from 0 to 16777215. Where only some rows have labels...
large_label|train/y holds label 16777216 at row 3; expected whole numbers from 0 to 16777215
label_out_of_range|train/y holds label 3 at row 3; expected 0 to 2 (attribute classes=3)
fractional_label|train/y holds label 1.5 at row 9; expected whole numbers from 0 to 3
nan_label|train/y holds nan at row 9; $finite
no_classes|train/y has attribute classes=0; expected 1 to 16777216 (labels count from 0)
classes_in_words|train/y: attribute classes is not one whole number; expected 1 to 16777216
scaled_labels|train/y holds labels, but has attributes scale=2, offset=0; remove them, or store targets for regression as float32
scale_of_one_split|valid/x has scale=1 and offset=0, but train/x has scale=0.5 and offset=0: their numbers would mean different things...
zero_scale|train/x has attributes scale=0, offset=0; $scale
nan_scale|train/x has attributes scale=nan, offset=0; $scale
scale_in_words|train/x: attribute scale or offset is not one number; expected value = scale * stored + offset
many_scales|train/x: attribute scale or offset is not one number; expected value = scale * stored + offset
other_width|rows of valid/x are 5, but those of train/x are 6
other_kind_of_y|rows of valid/y are 2, but those of train/y are scalar
other_classes|valid/y has attribute classes=5, but train/y has classes=4
no_x|has train/y, but no train/x; expected both
twice|has train/x as well as x_train; expected one of them
nothing|holds no data set: expected groups train, valid or test, each with x [rows, ...] and y, or x_train, y_train, ... at the root; found nothing
only_test|there is no train/x to train on
cut|has 6228 bytes, but should have 6328; it was cut short
cut_early|is damaged at byte 9: expected a structure that ends before the file does; $whole
hollow|is not an HDF5 file
prose|is not an HDF5 file
signature|is damaged at byte 8: expected superblock version 0 to 3; $whole
folder|is a directory; expected an HDF5 file
pipe|is not a regular file
w_shape|model/net/dense1/weight has shape [6, 4]; expected [4, 6]
w_missing|has no model/net/dense1/bias
w_integers|model/net/dense1/bias does not hold floating-point numbers; expected float32
w_more|holds 1 array(s) that this model does not have, the first of them model/net/dense2/weight; it is of another model
w_link|model/net/dense1/bias $link
w_soft|model/net/dense1/bias $link
w_declared|model/net/dense1/bias has shape [1099511627776]; expected [4]
w_nan|model/net/dense1/weight holds nan at place 15; expected finite numbers
w_prose|is not an HDF5 file
"

# start_job RANKS NAME: a job on NAME.h5, what it says in NAME.out, its exit code in NAME.code. A folder for MPI of its own:
# jobs that end at the same time can take away each other's.
start_job() {
    local -x TMPDIR=$work/mpi_$2
    mkdir "$TMPDIR"
    local code=0 arguments=(run="run_$2" data="$2.h5")
    case $2 in
    w_*) arguments=(run="run_$2" --weights "$2.h5") ;;
    nan_target) arguments+=('objective=supervised loss=squared-error') ;;
    esac
    if [ "$1" = 1 ]; then
        timeout 300 "$lockstep" train job.yaml "${arguments[@]}" >"$2.out" 2>&1 </dev/null || code=$?
    else
        ranks "$1" "$lockstep" train job.yaml "${arguments[@]}" >"$2.out" 2>&1 </dev/null || code=$?
    fi
    echo $code >"$2.code"
}

# Said once: "lockstep: FILE: MESSAGE", the whole line unless the message ends in ... Rank 1 says of itself that it is it.
said_once() { # FILE MESSAGE
    local line="lockstep: $1: ${2%...}" count
    sed -i "s/^lockstep: rank 1 on $(hostname): /lockstep: /" out
    if [ "$2" = "${2%...}" ]; then
        count=$(grep -acxF -- "$line" out || true)
    else
        count=$(LINE=$line awk 'index($0, ENVIRON["LINE"]) == 1' out | wc -l)
    fi
    [ "$count" = 1 ] || fail "expected to read once, not $count times: $line"
}

# Eight at a time, since mpirun mostly waits.
try_all() { # RANKS
    local count=$1 name message
    while read -r name; do
        start_job "$count" "$name" &
        [ "$(jobs -pr | wc -l)" -lt 8 ] || wait -n
    done < <(cut -d'|' -f1 <<<"$table" | grep .)
    wait
    while IFS='|' read -r name message; do
        last="on $count rank(s): $name.h5"
        mv "$name.out" out
        [ "$(cat "$name.code")" = 65 ] || fail "expected exit code 65, found $(cat "$name.code")"
        said_once "$name.h5" "$message"
        [ "$name" != nan_valid ] || [ ! -s run_nan_valid/metrics.jsonl ] || fail 'trained before it looked at valid/x'
    done < <(grep . <<<"$table")
    rm -rf run_* mpi_*
}

[ $# != 0 ] || set -- 1 2
for count in "$@"; do
    try_all "$count"
done
# Every broken file is in the table.
same 'files' "$(printf '%s\n' *.h5 | sed 's/\.h5$//' | grep -vxE 'good|w_good|forbidden' | sort | tr '\n' ' ')" \
    "$(cut -d'|' -f1 <<<"$table" | grep . | sort | tr '\n' ' ')"

# Files that are not broken are accepted.
expect 0 "$lockstep" train job.yaml --weights w_good.h5

# A file without permission to read. Root may read every file, so it becomes another user for this.
as_nobody=()
if [ "$(id -u)" = 0 ]; then
    chmod 755 .
    chmod 777 "$TMPDIR"
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
if "${as_nobody[@]}" "$lockstep" --version >/dev/null 2>&1; then
    expect 65 "${as_nobody[@]}" "$lockstep" train job.yaml data=forbidden.h5
    said_once forbidden.h5 "can't open: Permission denied"
else
    echo 'a file without permission: not tried, as another user can not start lockstep here'
fi
