#!/usr/bin/env bash
# test_terminal: what files, names, values and command lines hold never reaches a terminal as it is: each control character
# is escaped in messages, in listings, in JSON, by every command.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

esc=$'\e[2J' c1=$'\xc2\x9b31m' bad="a"$'\e[2J\r\n\x7f\xc2\x9b31m\xff'"z"

"$python" - "$bad" <<'END'
import os, sys, h5py, numpy
name = os.fsencode(sys.argv[1])
x, y = numpy.ones((8, 3), "f4"), numpy.arange(8) % 2
with h5py.File("odd.h5", "w") as file:
    file["train/x"], file["train/y"] = x, y
    file[name] = y
    group = file.create_group(b"group" + name)
    group.attrs[name] = name
    file.attrs[name] = "text " + os.fsdecode(name).encode("utf-8", "replace").decode()
with h5py.File("good.h5", "w") as file:
    for split in "train", "valid", "test":
        file[split + "/x"], file[split + "/y"] = x, y
os.link("good.h5", name[:-2] + b"z.h5")
open("header.csv", "wb").write(b"a,b\x1b[2J,class\n1,2,0\n1,2\x1b[2J\xc2\x9b,1\n")
open("names.csv", "wb").write(b"a,class\n1,x\x1b[2Jx\n2,y\xc2\x9by\n3,x\x1b[2Jx\n4,y\xc2\x9by\n")
END
cat >job.yaml <<'END'
data: good.h5
run: run
model: mlp widths=3,4,2
steps: 2
batch: 4
END

# quiet CODE COMMAND ...: the command ends so, and what it says holds no control character but line breaks
quiet() {
    expect "$@"
    if LC_ALL=C grep -aqP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xff' "$work/out"; then
        cat -v "$work/out" >"$work/shown" && mv "$work/shown" "$work/out"
        fail 'control characters reached the terminal'
    fi
}

# Command lines.
quiet 64 "$lockstep" "$bad"
says 'there is no command '"'"'a\x1b[2J\r\n\x7f\xc2\x9b31m\xffz'
quiet 64 "$lockstep" train "--$esc$c1"
says '\x1b[2J\xc2\x9b31m'
quiet 64 "$lockstep" verify one "$esc"
quiet 64 "$lockstep" train job.yaml --max-time="$esc"
quiet 64 "$lockstep" evaluate run --split="$esc"
quiet 64 "$lockstep" list "$esc"
quiet 64 "$lockstep" list --model "$esc"
quiet 64 "$lockstep" bench "$esc"
quiet 64 env LOCKSTEP_INSTRUCTIONS="$bad" "$lockstep" list
quiet 64 env LOCKSTEP_RANKS_PER_NODE="$bad" "$lockstep" train job.yaml

# Job files: a key, a value, a path.
for line in "${esc}key: 1" "\"\\e[2Jkey\": 1" "seed: \"\\e[2J\"" "model: \"\\e[2J\\u009b\"" "net: \"den\\ese units=3\"" \
    "data: \"\\e[2J.h5\"" "optimizer: \"sgd \\e[2J=1\""; do
    { grep -vF "${line%%:*}:" job.yaml && printf '%s\n' "$line"; } >odd.yaml
    code=0
    "$lockstep" train odd.yaml >"$work/out" 2>&1 || code=$?
    quiet $code "$lockstep" train odd.yaml
    [[ $code == 6[45] ]] || fail "expected an error of: $line"
done
quiet 64 "$lockstep" train job.yaml "$bad=1"
quiet 64 "$lockstep" train "$bad"
quiet 64 "$lockstep" train job.yaml "data=$bad.h5"
quiet 0 "$lockstep" train job.yaml "data=${bad%??}z.h5" --dry-run
says '\x1b[2J\r\n\x7f\xc2\x9b31mz.h5: train 8 rows'
quiet 0 "$lockstep" train job.yaml "run=r$esc$c1"
quiet 0 "$lockstep" plot "r$esc$c1" --live
quiet 0 "$lockstep" plot "r$esc$c1" -o "$esc.svg"
quiet 0 "$lockstep" verify "r$esc$c1"
quiet 0 "$lockstep" inspect "r$esc$c1"
quiet 0 "$lockstep" inspect --json "r$esc$c1"
quiet 0 "$lockstep" evaluate "r$esc$c1"
quiet 0 "$lockstep" evaluate --json "r$esc$c1"
quiet 0 "$lockstep" predict "r$esc$c1" -o "p$esc.csv"
mkdir "d$esc"
quiet 0 "$lockstep" doctor "d$esc"

# Files of data: names, attributes, cells.
quiet 0 "$lockstep" inspect odd.h5
says 'a\x1b[2J\r\n\x7f\xc2\x9b31m\xffz'
quiet 0 "$lockstep" inspect --json odd.h5
quiet 0 "$lockstep" inspect --diff odd.h5 good.h5
quiet 0 "$lockstep" verify odd.h5
quiet 65 "$lockstep" import csv header.csv --header -o header.h5
quiet 65 "$lockstep" import csv names.csv --header -o "names.h5"
quiet 0 "$lockstep" import synthetic --rows 8 -o "n$esc.h5"
says 'wrote n\x1b[2J.h5'
