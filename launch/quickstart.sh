#!/usr/bin/env bash
# quickstart: from a fresh clone to a trained net: packages, build, data, LeNet-5 on two MPI ranks, evaluation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ranks=2
job=launch/jobs/lenet.yaml
data= # default: runs/fashion.h5, and run runs/lenet; without Fashion-MNIST runs/glyphs.h5, and run runs/glyphs
run=
given=      # the arguments, for the commands that are printed at the end
other_data= # what these need as data=

for argument in "$@"; do
    case $argument in
    -h | --help)
        cat <<END
launch/quickstart.sh [key=value ...]

Installs what is missing, builds, imports Fashion-MNIST, trains $job on $ranks ranks, evaluates.
If Fashion-MNIST is not available, it draws digits instead and says so.
key=value: any key of the job file, as in epochs=3 or run=runs/mine.
Ctrl-C stops with a checkpoint; the same command again resumes the training.
END
        exit 0
        ;;
    data=*)
        data=${argument#data=}
        other_data=$(printf ' data=%q' "$data")
        ;;
    run=*) run=${argument#run=} ;;
    *=*) ;;
    *)
        echo "quickstart.sh: expected key=value, found '$argument'; --help says more" >&2
        exit 64
        ;;
    esac
    given+=$(printf ' %q' "$argument")
done

say() {
    printf '\n==> %s\n' "$*"
}

build() {
    local log
    log=$(cmake -S . -B build -DCMAKE_BUILD_TYPE=Release -DLOCKSTEP_TESTS=OFF 2>&1) || {
        echo "$log" >&2
        return 1
    }
    log=$(cmake --build build -j "$(nproc)" 2>&1) || {
        echo "$log" >&2
        return 1
    }
    echo "build/lockstep is ready"
}

# fashion_folder: prints the folder of the four files of Fashion-MNIST
fashion_folder() {
    local folder=${FASHION_MNIST:-}
    if [ -z "$folder" ] && command -v dpkg >/dev/null; then
        folder=$(dirname "$(dpkg -L dataset-fashion-mnist 2>/dev/null | grep train-images)")
    fi
    folder=${folder:-/usr/share/datasets/fashion-mnist}
    if [ ! -e "$folder/train-images-idx3-ubyte.gz" ]; then
        echo "There is no $folder/train-images-idx3-ubyte.gz." >&2
        return 1
    fi
    echo "$folder"
}

# make_data: imports Fashion-MNIST, with 5000 training rows for validation; else draws as many digits, for another run.
make_data() {
    local folder
    launch/install/packages.sh data || true
    if folder=$(fashion_folder); then
        data=${data:-runs/fashion.h5}
        mkdir -p "$(dirname "$data")"
        build/lockstep import idx \
            "$folder/train-images-idx3-ubyte.gz" "$folder/train-labels-idx1-ubyte.gz" \
            "$folder/t10k-images-idx3-ubyte.gz" "$folder/t10k-labels-idx1-ubyte.gz" \
            --valid 5000 -o "$data"
        return
    fi
    data=${data:-runs/glyphs.h5}
    run=${run:-runs/glyphs}
    other_data=" data=$data"
    echo "Fashion-MNIST is not available (see above). The net learns drawn digits instead, which are easier: expect a"
    echo "higher accuracy than in README. For the real pictures set FASHION_MNIST to the folder with its four .gz files"
    echo "and start again."
    mkdir -p "$(dirname "$data")"
    [ -e "$data" ] ||
        build/lockstep import synthetic --rows 55000 --valid 5000 --test 10000 -o "$data"
}

# train KEY=VALUE...: on Ctrl-C and TERM mpirun.sh stops the training with a checkpoint; this script ignores them, and
# waits for it to end.
train() {
    local options=(-n "$ranks") cores
    cores=$(lscpu -p=core | grep -v '^#' | sort -u | wc -l)
    if [ "$ranks" -gt "$cores" ] || [ "$ranks" -gt "$(nproc)" ]; then
        options+=(--oversubscribe)
        export LOCKSTEP_BIND=none
    fi
    trap : INT TERM HUP
    cluster/mpirun.sh "${options[@]}" build/lockstep train "$job" "$@"
}

say "Packages"
launch/install/packages.sh
echo "all there"

say "Building in build/"
echo "cmake compiles the library and the program, which takes a minute or two and says nothing until it is done"
build

say "Data"
if [ -e "${data:-runs/fashion.h5}" ]; then
    data=${data:-runs/fashion.h5}
    echo "$data is here already"
else
    make_data
fi
run=${run:-runs/lenet}

say "Training $job on $ranks ranks; Ctrl-C stops with a checkpoint"
code=0
train data="$data" run="$run" "$@" || code=$?
if [ "$code" = 75 ]; then
    say "Stopped with a checkpoint in $run/checkpoints: the same command resumes the training."
    exit 75
elif [ "$code" != 0 ]; then
    say "Training ended with code $code; the reason stands above."
    exit "$code"
fi

say "Evaluating on the test rows, which training has not seen"
build/lockstep evaluate "$run" --split test

say "Done. What there is now:"
printf '    %-28s %s\n' \
    "$data" 'the data set (HDF5)' \
    "$run/metrics.jsonl" 'loss, accuracy, rate, speed: one JSON record a line' \
    "$run/checkpoints/" 'the last checkpoints, and best.h5: the best on the validation rows' \
    "$run/job.yaml" 'the job with the values of all keys that have an effect'

say "What to try next:"
if [ "$(id -u)" = 0 ]; then
    echo '    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1   # you are root'
fi
printf '    %-68s %s\n' \
    "launch/quickstart.sh$given epochs=20" 'the same run, longer' \
    "mpirun -n 2 build/lockstep train launch/jobs/mlp.yaml$other_data" 'another net' \
    "mpirun -n 2 build/lockstep train launch/jobs/mlp.yaml$other_data --dry-run" 'its layers, and its memory' \
    'build/lockstep list' 'what nets can be made of' \
    "build/lockstep evaluate $run --json" 'the same figures, for a program'
