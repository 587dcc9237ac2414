#!/usr/bin/env bash
# test_images: lockstep import images: pixels as PIL's, odd and broken files, lists, splits, the same bytes on any number of
# ranks and threads.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
odd_pictures=$tests/launch/odd_pictures.py

"$python" "$odd_pictures" make tree 78

compared() { # SIZE OPTION ...
    local size=$1 option options=()
    shift
    for option in "$@"; do options+=("--$option"); done
    expect 0 "$lockstep" import images tree --size "$size" "${options[@]}" -o tree.h5 --force
    expect 0 "$python" "$odd_pictures" compare tree tree.h5 "$size" "$@"
    says '78 pictures are as PIL has them'
}

# Pixels, of pictures of all kinds: rows that are wide, high, squeezed, grey.
compared 40,56
compared 90,17
compared 64,64 stretch
compared 33,33 grey

# Any numbers of ranks and threads give the same bytes: several rounds, and some files broken.
cp tree-broken/a/cut.* tree/ant/
expect 0 "$lockstep" import images tree --size 512 --valid 0.2 --test 0.1 --threads 1 -o one.h5
says 'skipped 2 of 80 files'
cp "$work/out" words
for shares in '1 3' '2 1' '3 2'; do
    read -r count threads <<<"$shares"
    expect 0 ranks "$count" "$lockstep" import images tree --size 512 --valid 0.2 --test 0.1 --threads "$threads" -o one-too.h5 \
        --force
    cmp one.h5 one-too.h5
    while IFS= read -r line; do says "$line"; done < <(grep -v '^wrote' words)
done
# Each row has the name of its file, as it stands below the folder.
"$python" - <<'END'
import h5py, os
with h5py.File("one.h5") as data:
    found = [name for split in data for name in data[f"{split}/name"][:]]
    assert all(len(data[f"{split}/name"]) == len(data[f"{split}/x"]) for split in data)
listed = {os.fsencode(os.path.relpath(os.path.join(top, name), "tree")) for top, _, names in os.walk("tree") for name in names}
assert len(found) == 78 and set(found) == listed - {b"ant/cut.jpg", b"ant/cut.png", b"cat/.hidden"}, listed ^ set(found)
END
expect 0 "$lockstep" verify one.h5
# Files that are left out leave no trace.
rm tree/ant/cut.*
expect 0 "$lockstep" import images tree --size 512 --valid 0.2 --test 0.1 -o one-too.h5 --force
cmp one.h5 one-too.h5

# Each broken file is named, with what is wrong; --strict ends with the first.
expect 0 "$lockstep" import images tree-broken --size 20 -o broken.h5
for words in 'cut.jpg: is a damaged JPEG picture: Premature end of JPEG file' \
    'cut.png: is a damaged PNG picture: it ends too early' 'empty.jpg: is empty' 'gif.jpg: is a GIF picture' \
    'huge.png: says that it has 60000 x 60000 pixels' 'huge.jpg: says that it has 65000 x 65000' 'text.jpg: is an HTML' \
    'skipped 17 of 19 files' 'train  x uint8 [2, 20, 20, 3]'; do
    says "$words"
done
expect 65 "$lockstep" import images tree-broken --size 20 -o none.h5 --strict
says 'lockstep: tree-broken/a/'
expect 65 ranks 2 "$lockstep" import images tree-broken --size 20 -o none.h5 --strict
says 'tree-broken/a/'
[ ! -e none.h5 ]

# Lists: with names of classes, with numbers, without; what is not there.
cp tree-broken/a/good.png "good one.png"
printf 'good one.png\tdog\r\n\ntree-broken/a/good.jpg cat\n' >list
expect 0 "$lockstep" import images list --size 20 -o list.h5
says 'train  x uint8 [2, 20, 20, 3]  y int32 [2]  2 classes: cat, dog'
printf 'good one.png  dog  \ntree-broken/a/good.jpg\tcat\t\n' >list # blanks that say nothing
expect 0 "$lockstep" import images list --size 20 -o list.h5 --force
says 'train  x uint8 [2, 20, 20, 3]  y int32 [2]  2 classes: cat, dog'
expect 64 "$lockstep" import images list --size 20 -o 'good one.png' --force # it would be gone
says "good one.png"
printf 'good one.png\tdog\n' >other
expect 0 "$lockstep" import images list other --size 20 -o list.h5 --force
says 'note: test has no row of 1 of the 2 classes: cat; take more files, or another --seed'
printf 'good one.png 2\ntree-broken/a/good.jpg 1\n' >numbers
expect 0 "$lockstep" import images numbers numbers --size 20 --labels-from 1 -o list.h5 --force
says 'test   x uint8 [2, 20, 20, 3]  y int32 [2]  2 classes'
printf 'good one.png\ntree-broken/a/good.jpg\n' >plain
expect 0 "$lockstep" import images plain -o list.h5 --force # of one size, which is theirs
says_only 'train  x uint8 [2, 40, 50, 3]
wrote list.h5'
printf 'good one.png 4\ngone.jpg 1\ntree-broken/a/good.jpg 0\n' >gone
expect 0 "$lockstep" import images gone --size 20 -o list.h5 --force
says "skipped: ./gone.jpg: can't read the file: No such file or directory"
says 'skipped 1 of 3 files'
says 'labels gone: 5 classes, 2 of them of 1 row'
expect 65 "$lockstep" import images gone --size 20 -o none.h5 --strict
says_only "lockstep: ./gone.jpg: can't read the file: No such file or directory"
# Links that lead nowhere, a folder without files, and a class of broken pictures only.
mkdir -p links/{a,b,c,d}
cp tree-broken/a/good.png links/a
cp tree-broken/a/good.jpg links/b
ln -s nowhere links/a/lost.png
ln -s loop links/b/loop
echo text >links/d/text.png
expect 0 "$lockstep" import images links --size 20 -o list.h5 --force
for words in 'note: links/c: there are no files in it: it is no class' 'links/a/lost.png: ' 'links/b/loop: ' \
    'skipped 3 of 5 files' 'labels links: 3 classes, 2 of them of 1 row' 'note: 1 of 3 classes have no row: d'; do
    says "$words"
done
printf 'good one.png\ntree/cat/x\n' >unequal
expect 64 "$lockstep" import images unequal -o none.h5
says 'pixels, but the first picture 50 x 40: choose a size for all rows, such as --size 40'
printf 'good.png 2\ngood.png\n' >half
expect 65 "$lockstep" import images half -o none.h5
says "lockstep: half:2: 'good.png' has no label"

refused() { # MESSAGE ARGUMENT ...
    local message=$1
    shift
    expect 64 "$lockstep" import "$@"
    says "$message"
}
refused '--valid and --test are shares of the files here, such as 0.1' images tree --valid 10 -o none.h5
refused '--valid: expected a whole number, 0 or more, or a share below 1' images tree --valid 10% -o none.h5
refused '--valid and --test take 1.1 of the files; expected less than 1' images tree --valid 0.6 --test 0.5 -o none.h5
refused 'plain is the test part already' images tree plain --test 0.05 -o none.h5
refused 'shares are for text and for many files: give csv a number' csv plain --valid 0.05 -o none.h5
refused '--strict does not go with csv' csv plain --strict -o none.h5
refused 'size=9000,9000; expected a height and a width of 1 to 8192' images tree --size 9000 -o none.h5
refused 'list.h5: is there already; --force overwrites it' images tree --size 9 -o list.h5
expect 65 "$lockstep" import images "good one.png" --size 20 -o none.h5
says_only 'lockstep: good one.png: is a PNG picture; expected a folder, or a list: a text file with a line for each file'
mkdir -p empty/a
expect 65 "$lockstep" import images empty --size 20 -o none.h5
says 'lockstep: empty: there are no files in it'
