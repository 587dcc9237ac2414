#!/usr/bin/env bash
# test_likelihood: evaluate --samples of restricted Boltzmann machines: the same bits on any ranks, exact or annealed;
# both directions of annealing at 500 hidden units; what is said and refused.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

field() { # of the JSON object that the last command printed
    "$python" -c 'import json, sys; print(json.load(open("out"))[sys.argv[1]])' "$1"
}

near() { # WHAT BOUND A B
    "$python" -c 'import sys; bound, a, b = map(float, sys.argv[1:]); sys.exit(not abs(a - b) <= bound)' "$2" "$3" "$4" ||
        fail "$1: $3 and $4 are more than $2 apart"
}

# --- Glyphs of 28x28 pixels, drawn as 0 and 1.
expect 0 "$lockstep" import synthetic -o glyphs.h5 --rows 2000 --valid 200 --test 200
cat >job.yaml <<'END'
data: glyphs.h5
objective: rbm binarize=1
optimizer: momentum rate=0.01
batch: 100
epochs: 5
schedule: constant
END
train() { # RUN HIDDEN KEY=VALUE...
    expect 0 "$lockstep" train job.yaml run="$1" net="dense units=$2 visible=1 init=normal scale=0.01" "${@:3}"
}
train small 20 optimizer='momentum rate=0.05'
train large 500

# --- Exact at 20 hidden units, and annealed where it is asked for: within 0.1 nat.
expect 0 "$lockstep" evaluate small --samples 100 --json
same exact 1.0 "$(field exact)"
same error 0.0 "$(field log_z_error)"
exact=$(field log_z)
likelihood=$(field log_likelihood)
for way in '' --reverse; do
    expect 0 ranks 2 "$lockstep" evaluate small --samples 100 --temperatures 1500 --json $way
    same "annealed $way" 0.0 "$(field exact)"
    near "log Z, annealed $way" 0.1 "$exact" "$(field log_z)"
    near "the likelihood, annealed $way" 0.1 "$likelihood" "$(field log_likelihood)"
    near "the error, annealed $way" 0.05 0.05 "$(field log_z_error)"
done

# --- At 500 hidden units both directions are within 1 nat, by far more than a nat from what untrained weights give.
expect 0 ranks 2 "$lockstep" evaluate large --samples 50 --temperatures 1500 --json
forward=$(field log_z)
expect 0 ranks 2 "$lockstep" evaluate large --samples 50 --temperatures 1500 --json --reverse
near 'log Z of 500 hidden units, forward and in reverse' 1 "$forward" "$(field log_z)"

# --- The same bits on 1 to 4 ranks, in full digits: exact, forward, in reverse; the order of the keys is the program's.
for how in small 'small --temperatures 30' 'large --temperatures 7' 'large --temperatures 7 --reverse'; do
    for count in 1 2 3 4; do
        # shellcheck disable=SC2086 # the words of $how are arguments
        expect 0 ranks $count "$lockstep" evaluate $how --samples 110 --json
        cp out "on$count"
        cmp -s on1 "on$count" || fail "evaluate $how: $count ranks give other figures than 1"
    done
done

# --- In words; a run alone has no error; few temperatures have a lower end of 0.
expect 0 "$lockstep" evaluate small --samples 5
says 'exact     1.000000'
says "log_z     $(printf %.6f "$exact")"
expect 0 "$lockstep" evaluate large --samples 1 --temperatures 3 --json
"$python" -c 'import json; found = json.load(open("out")); assert not found.keys() & {"log_z_error", "log_z_low", "log_z_high"}, found
assert not found["reliable"], found'
expect 0 "$lockstep" evaluate large --samples 1 --temperatures 3
says 'one run has no standard error of log_z: take more by --samples'
grep -q 'log_z_\|nan' out && fail 'one run has an error'
expect 0 "$lockstep" evaluate large --samples 5 --temperatures 3
says 'runs      5.000000'
says 'temperatures 3.000000'
says effective_runs
says 'few runs have all the weight (effective_runs): log_z is likely too small and the log-likelihood too good; take more'
expect 0 "$lockstep" evaluate small --samples 3 --temperatures 20 --reverse
says 'few runs have all the weight (effective_runs): log_z is likely too large and the log-likelihood too bad; take more'
expect 0 "$lockstep" evaluate large --samples 5 --json
"$python" -c 'import json; assert json.load(open("out"))["reliable"]'

# --- Rectified units have no likelihood.
train rectified 30 objective='rbm hidden=nrelu binarize=1' epochs=1 optimizer='momentum rate=0.001'
expect 64 "$lockstep" evaluate rectified --samples 5
says '--samples: a machine with hidden=nrelu has no likelihood, since the samples of its units, max(0, x + noise), follow'
says 'or train with hidden=bernoulli'
