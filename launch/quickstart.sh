#!/usr/bin/env bash
# quickstart: from a fresh clone to a trained net: packages, build, data, LeNet-5 on two MPI ranks, evaluation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ranks=2
job=launch/jobs/lenet.yaml
data= # runs/fashion.h5 with runs/lenet, or runs/glyphs.h5 with runs/glyphs, unless given
run=
other_data= # for the commands to try next

for argument in "$@"; do
    case $argument in
    -h | --help)
        cat <<END
launch/quickstart.sh [key=value ...]

Installs what is missing, builds, imports Fashion-MNIST, trains $job on $ranks ranks, evaluates.
Where Fashion-MNIST can't be had, it draws glyphs instead and says so.
key=value: any key of the job file, as in epochs=3 or run=runs/mine.
The same command again goes on where the last one stopped. Ctrl-C stops with a checkpoint.
END
        exit 0
        ;;
    data=*) data=${argument#data=} ;;
    run=*) run=${argument#run=} ;;
    *=*) ;;
    *)
        echo "quickstart.sh: expected key=value, found '$argument'; --help says more" >&2
        exit 64
        ;;
    esac
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

# fashion_folder: where the four files of Fashion-MNIST lie
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

# Fashion-MNIST, 5000 training rows kept for validation; or as many glyphs, in a run of their own.
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
    echo "Fashion-MNIST can't be had here (the reason stands above), so the net learns drawn digits instead:"
    echo "they are easier, so expect an accuracy above README's. Another try, with FASHION_MNIST=FOLDER set to where"
    echo "its four .gz files lie, takes the real pictures."
    mkdir -p "$(dirname "$data")"
    [ -e "$data" ] ||
        build/lockstep import synthetic --rows 55000 --valid 5000 --test 10000 -o "$data"
}

# train KEY=VALUE...: mpirun.sh makes a stop with a checkpoint of Ctrl-C and TERM; what comes here waits for it to end.
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
    say "Stopped with a checkpoint in $run/checkpoints: start me again, and I go on from there."
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
    "$run/job.yaml" 'the job with every key written out'

say "What to try next:"
if [ "$(id -u)" = 0 ]; then
    echo '    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1   # you are root'
fi
printf '    %-68s %s\n' \
    'launch/quickstart.sh epochs=20' 'the same run, longer' \
    "mpirun -n 2 build/lockstep train launch/jobs/mlp.yaml$other_data" 'another net' \
    "mpirun -n 2 build/lockstep train launch/jobs/mlp.yaml$other_data --dry-run" 'its layers, and its memory' \
    'build/lockstep list' 'what nets can be made of' \
    "build/lockstep evaluate $run --json" 'the same figures, for a program'
