#!/usr/bin/env bash
# test_same: every collective command says at once what its ranks were given differently: no hang, no mixture.
source "$(dirname "$0")/lib.sh"

"$python" - <<'END'
import h5py, numpy as np, os, wave

def write(path, seed=1, rows=3000, change=None, **names):
    draw = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for split, count in (("train", rows), ("valid", 40), ("test", 40)):
            y = draw.integers(0, 3, count)
            x = draw.normal(size=(count, 6)).astype("f4")
            x[np.arange(count), y] += 1
            file[split + "/x"], file[split + "/y"] = x, y.astype("i4")
            file[split + "/y"].attrs["classes"] = 3
        if change:
            change(file)

def one_label(file):
    file["test/y"][7] = (file["test/y"][7] + 1) % 3

def other_pictures(file):
    file["train/x"][:] = file["train/x"][:] + 1

def doubles(file):
    x = file["valid/x"][:]
    del file["valid/x"]
    file["valid/x"] = x.astype("f8")

def no_test(file):
    del file["test"]

def moved(file):  # the same numbers elsewhere in the file
    for name in ("train/x", "test/y"):
        x, attributes = file[name][:], dict(file[name].attrs)
        del file[name]
        file.create_dataset(name, data=x, chunks=(7,) + x.shape[1:], compression="gzip")
        file[name].attrs.update(attributes)

for host in "ab":
    os.mkdir(host)
    write(host + "/same.h5")
    write(host + "/moved.h5", change=moved if host == "b" else None)
    write(host + "/stale.h5", seed=1 if host == "a" else 2)
    write(host + "/rows.h5", rows=3000 if host == "a" else 700)
    for name, change in (("label", one_label), ("pictures", other_pictures), ("type", doubles), ("split", no_test)):
        write(f"{host}/{name}.h5", change=change if host == "b" else None)
    with open(host + "/job.yaml", "w") as job:
        job.write(f"data: same.h5\nrun: {os.getcwd()}/run\nmodel: mlp widths=6,8,3\noptimizer: sgd rate=0.1\n"
                  "batch: 100\nepochs: 1\n")
    with open(host + "/other.yaml", "w") as job:
        job.write(f"data: same.h5\nrun: {os.getcwd()}/run\nmodel: mlp widths=6,8,3\noptimizer: sgd rate=0.1\n"
                  f"batch: {100 if host == 'a' else 50}\nepochs: 1\n")
write("a/only.h5")
for host, numbers in (("a", range(40)), ("b", range(37))):
    os.mkdir(host + "/sounds")
    for i in numbers:
        with wave.open(f"{host}/sounds/{i:02}.wav", "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(1000))
END

host=$(hostname)
there="rank 1 on $host"
# Rank 0 works in the folder a, rank 1 in b: as on two hosts.
hosts() { timeout -k 5 300 mpirun --oversubscribe --bind-to none -n 1 --wdir "$work/a" "$@" : -n 1 --wdir "$work/b" "$@"; }
# The commands of both ranks, for one folder.
pair() { timeout -k 5 300 mpirun --oversubscribe --bind-to none --wdir "$work/a" -n 1 "${first[@]}" : -n 1 --wdir "$work/a" "${second[@]}"; }

expect 0 hosts "$lockstep" train job.yaml
cp -r run a/m && cp -r run b/m

refused() { # FILE TEXT COMMAND ...
    expect 65 hosts "$lockstep" "${@:3}"
    says "$there has another $1 than rank 0 on $host: '$2"
    says '; give paths that mean the same file on every host'
    if [ -e out.csv ] || [ -e out.h5 ] || [ -e new ]; then fail "$3 left something behind"; fi
}
rows="train/x rows: 700 of 6, float32' in place of 'train/x rows: 3000 of 6, float32"
predict=(predict m -o "$work/out.csv" --data)
extract=(extract m --layer dense1 -o "$work/out.h5" --data)
refused rows.h5 "$rows" evaluate m --data rows.h5
refused rows.h5 "$rows" "${predict[@]}" rows.h5 --split train
refused rows.h5 "$rows" "${extract[@]}" rows.h5
refused rows.h5 "$rows" train job.yaml data=rows.h5 "run=$work/new"
refused stale.h5 'train/x numbers: digest' "${predict[@]}" stale.h5 --split train
refused label.h5 'test/y labels: digest' evaluate m --data label.h5
refused pictures.h5 'train/x numbers: digest' train job.yaml data=pictures.h5 "run=$work/new"
refused type.h5 "valid/x rows: 40 of 6, float64' in place of 'valid/x rows: 40 of 6, float32" evaluate m --data type.h5
refused split.h5 "(nothing)' in place of 'test/x rows: 40 of 6, float32" "${extract[@]}" split.h5
for words in 'evaluate m --data only.h5' "train job.yaml data=only.h5 run=$work/new"; do
    read -r -a words <<<"$words"
    expect 65 hosts "$lockstep" "${words[@]}"
    says "$there: only.h5: can't open: No such file or directory"
done

expect 65 hosts "$lockstep" bench feed --data rows.h5
says "$there has another rows.h5 than rank 0 on $host: '$rows"
expect 65 hosts "$lockstep" import wav sounds --rate 8000 -o "$work/out.h5"
says "$there: sounds/39.wav: 0 bytes are here, but 1044 on rank 0; give paths that mean the same files on every host"
[ ! -e out.h5 ] || fail 'import left something behind'

# Equal numbers are the same data, wherever and however they are stored.
expect 0 hosts "$lockstep" evaluate m --data moved.h5
expect 0 hosts "$lockstep" train job.yaml data=moved.h5 "run=$work/moved"

expect 64 hosts "$lockstep" train other.yaml
says "$there has another job than rank 0 on $host: 'batch: 50' in place of 'batch: 100'; give paths that mean the same file"

first=("$lockstep" evaluate m --split valid) second=("$lockstep" evaluate m --split test)
expect 64 pair
says "$there has another command than rank 0 on $host: 'test' in place of 'valid'; start the same program with the same"
first=("$lockstep" predict m -o "$work/out.csv") second=("$lockstep" evaluate m)
expect 64 pair
says "another command than rank 0 on $host: 'lockstep evaluate' in place of 'lockstep predict'"
first=("$lockstep" bench reduce --floats 1000) second=("$lockstep" bench reduce --floats 2000)
expect 64 pair
says "'2000' in place of '1000'"
first=("$lockstep" train job.yaml) second=("${lockstep}-double" train job.yaml)
expect 64 pair
says "(float64)' in place of 'lockstep"

# Machines may have other cores.
first=("$lockstep" evaluate --threads 1 m) second=("$lockstep" evaluate m --threads=2)
expect 0 pair
