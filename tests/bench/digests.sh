#!/usr/bin/env bash
# digests: trains the jobs of launch/jobs and some harder ones for a few steps, and compares the digests of what they
# learned with those that are kept beside this script: a change of the code that should change no bit changes no digest.
#
#   tests/bench/digests.sh [NAME ...]            all runs, or these; code 1 where a digest differs from the kept one
#   tests/bench/digests.sh --keep                writes the file of kept digests anew (a change that is meant to)
#   LOCKSTEP=/other/build/lockstep tests/bench/digests.sh          another program than build/lockstep
#   LOCKSTEP_INSTRUCTIONS=avx2 tests/bench/digests.sh              other micro-kernels than this processor would choose
#
# Each line is NAME, SHA-256 over /model, SHA-256 over /model, /optimizer and /state together. The bits depend on the
# compiler and on the instruction set, so there is a file for each set: digests-avx512.txt; its first lines name the
# processor and the compiler. A run takes 2 ranks; all of them take about a minute on 2 idle cores.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LOCKSTEP=$(realpath "${LOCKSTEP:-$here/../../build/lockstep}")
BUILD=$(dirname "$LOCKSTEP")
source "$here/../launch/lib.sh"
jobs=$tests/../launch/jobs

# --- The file of this processor: what the compiled clones of loops run (core/clones.h), and the micro-kernel if another.
flags=" $(sed -n '/^flags/{s/.*://p;q}' /proc/cpuinfo) "
case $flags in
*' avx512vl '*) set=avx512 ;;
*' avx2 '*) set=avx2 ;;
*) set=plain ;;
esac
kept=$here/digests-$set${LOCKSTEP_INSTRUCTIONS:+-tiles-$LOCKSTEP_INSTRUCTIONS}.txt

keep=
if [ "${1:-}" = --keep ]; then
    keep=1
    shift
fi
wanted=" $* "

# --- Data: Fashion-MNIST as launch/quickstart.sh imports it, random pictures of 64x64 in 1000 classes, and random text.
source_folder=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
[ -e "$source_folder/train-images-idx3-ubyte.gz" ] ||
    fail "there is no $source_folder/train-images-idx3-ubyte.gz: run launch/install/packages.sh data, or set FASHION_MNIST"
expect 0 "$lockstep" import idx "$source_folder"/train-{images-idx3,labels-idx1}-ubyte.gz \
    "$source_folder"/t10k-{images-idx3,labels-idx1}-ubyte.gz --valid 5000 -o fashion.h5
"$python" - <<'DATA'
import h5py
import numpy

random = numpy.random.default_rng(1)
with h5py.File("pictures.h5", "w") as data:
    for split, rows in {"train": 256, "valid": 16}.items():
        data[f"{split}/x"] = numpy.frombuffer(random.bytes(rows * 72 * 72 * 3), numpy.uint8).reshape(rows, 72, 72, 3)
        data[f"{split}/x"].attrs["scale"] = 1 / 255
        data[f"{split}/y"] = (numpy.arange(rows) * 37 % 1000).astype(numpy.int32)
        data[f"{split}/y"].attrs["classes"] = 1000
with open("text.txt", "wb") as text:
    text.write(b" ".join(random.choice([b"lock", b"step", b"train", b"net"], 5000)))
DATA
expect 0 "$lockstep" import text text.txt -o text.h5

# --- The runs. train NAME RANKS JOB ARGUMENT ...: trains the job into the run directory NAME.
train() {
    local name=$1 ranks=$2 job=$3
    shift 3
    last="train $name"
    mpirun --oversubscribe --bind-to none -n "$ranks" "$lockstep" train "$job" run="$name" data=fashion.h5 "$@" \
        >out 2>&1 </dev/null || fail "$name: expected exit code 0, found $?"
}

sums() { # FILE: its two digests
    echo "$(digest "$1") $(digest --arrays "$1")"
}

show() { # NAME FILE
    printf '%s %s\n' "$1" "$(sums "$2")" | tee -a digests.txt
}

asked() { # NAME
    [[ $wanted == '  ' || $wanted == *" $1 "* ]]
}

at_end=(checkpoint.every='50 steps' evaluate.every='25 steps')

for name in mlp lenet fashion-bn resnet20; do
    asked $name || continue
    train $name 2 "$jobs/$name.yaml" steps=50 "${at_end[@]}"
    show $name "$(checkpoint $name 50)"
done

# ResNet-50 at a size that two cores train in half a minute: pictures of 64x64, 16 a step.
if asked resnet50; then
    train resnet50 2 "$jobs/resnet50.yaml" steps=50 batch=16 "${at_end[@]}" data=pictures.h5 \
        transform="$(sed -n '/^transform/,/^$/p' "$jobs/resnet50.yaml" | sed '1d; s/size=224/size=64/')"
    show resnet50 "$(checkpoint resnet50 50)"
fi

# Adam, clipping and a moving average; best.h5 is chosen by evaluating that average.
if asked adam-clip-ema; then
    train adam-clip-ema 2 "$jobs/lenet.yaml" steps=50 shards=4 optimizer='adam rate=0.002 clip=0.5 ema=0.9' \
        "${at_end[@]}" evaluate.average=true
    show adam-clip-ema "$(checkpoint adam-clip-ema 50)"
    show adam-clip-ema-best adam-clip-ema/checkpoints/best.h5
fi

# LARS takes norms of each slot; a rank adds two shards a step.
if asked lars-accumulate; then
    train lars-accumulate 2 "$jobs/fashion-bn.yaml" steps=50 accumulate=2 "${at_end[@]}" \
        optimizer='lars rate=0.5 trust=0.02 decay=1e-3'
    show lars-accumulate "$(checkpoint lars-accumulate 50)"
fi

# Recurrent layers, whose states go on from step to step.
cat >text.yaml <<'JOB'
unroll: 16
batch: 8
seed: 1
optimizer: adam rate=0.005 clip=1
JOB
for name in rnn gru lstm; do
    asked $name || continue
    train $name 2 text.yaml steps=50 "${at_end[@]}" data=text.h5 \
        model="$name units=48 layers=2 skip=1 dropout=0.2 recurrent_dropout=0.2 carry=1$([ $name = lstm ] && echo ' peephole=1')"
    show $name "$(checkpoint $name 50)"
done

# Two stages; and the same again from step 17 on, with a stop at step 38 and other numbers of ranks.
if asked stages; then
    sed -E '/^(objective|optimizer|schedule|batch|epochs):/d' "$jobs/mlp.yaml" >stages.yaml
    cat >>stages.yaml <<'JOB'
stages:
  - {optimizer: adam rate=0.002 decay=1e-3, schedule: constant, batch: 64, steps: 30}
  - {optimizer: nesterov rate=0.05, schedule: step every=0.01 gamma=0.5, batch: 96, steps: 20}
shards: 4
JOB
    train stages 2 stages.yaml checkpoint.every='17 steps' checkpoint.keep=9 evaluate.every='25 steps'
    train resumed 1 stages.yaml "${at_end[@]}" --resume="$(checkpoint stages 17)" stages.1.steps=8
    train resumed 4 stages.yaml "${at_end[@]}"
    grep -q 'goes on   from .*step-00000038.h5' out || fail 'stages: expected to go on from step 38'
    show stages "$(checkpoint stages 50)"
    show stages-resumed "$(checkpoint resumed 50)"
fi

# --- Comparison with the kept digests.
if [ "$keep" ]; then
    {
        echo "# $(basename "$kept" .txt): what tests/bench/digests.sh printed: NAME, digest of /model, digest of all arrays."
        echo "# $(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo) (model $(sed -n '/^model\t/{s/.*: //p;q}' /proc/cpuinfo))," \
            "instruction set $set${LOCKSTEP_INSTRUCTIONS:+, micro-kernels of $LOCKSTEP_INSTRUCTIONS};" "$(cc --version | head -n 1)"
        cat digests.txt
    } >"$kept"
    echo "kept in $kept"
    exit 0
fi
[ -s digests.txt ] || fail "no run has the name: $*"
[ -e "$kept" ] || fail "no digests are kept for this instruction set: there is no $kept (--keep writes it)"
if ! grep -vxFf "$kept" digests.txt; then
    echo "all as kept in $kept"
    exit 0
fi
echo "The lines above differ from $kept, which was made with:" >&2
sed -n 2p "$kept" >&2
exit 1
