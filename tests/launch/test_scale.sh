#!/usr/bin/env bash
# test_scale: lockstep bench scale: a table of more and more ranks beside its bound, and a picture of it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# read_table RANKS ...: the rows of the table have these ranks, and their numbers agree with each other.
cat >read_table.py <<'END'
"""read_table: checks the table of lockstep bench scale."""
import sys

lines = open("out").read().splitlines()
head = next(i for i, line in enumerate(lines) if line.startswith("ranks nodes"))
table = []
for line in lines[head + 1:]:
    if line.split()[0].isdigit():
        table.append([float(word) for word in line.split()[:12]])
assert [row[0] for row in table] == [float(word) for word in sys.argv[1:]], table
for ranks, nodes, *figures in table:
    for first, now in ((table[0][2:7], figures[:5]), (table[0][7:12], figures[5:])):
        rows, milliseconds, speed, efficiency, bound = now
        assert abs(speed * milliseconds / 1e3 / rows - 1) < 0.01, now
        assert abs(efficiency - speed / ranks / first[2]) < 0.001 + 0.01 * efficiency, (first, now)
        assert 0 < bound <= 1, now
    assert figures[0] / ranks == figures[0] // ranks and figures[5] == table[0][7], figures
assert table[-1][2] == table[-1][7] and table[0][5] == table[0][6] == 1, table
END

# read_picture FILE RANKS ...: the picture is SVG and has a label for each number of ranks, and four lines between two of them.
cat >read_picture.py <<'END'
"""read_picture: checks the picture of lockstep bench scale."""
import sys
from xml.etree import ElementTree

elements = list(ElementTree.parse(sys.argv[1]).getroot().iter())
texts = [e.text for e in elements if e.tag.endswith("text")]
ranks = sys.argv[2:]
assert set(ranks) <= set(texts) and "ranks" in texts and texts.count("bound") == 2, texts
coloured = [e for e in elements if e.tag.endswith("line") and e.get("stroke") in ("#1f77b4", "#d62728")]
assert len(coloured) == 4 + 4 * (len(ranks) - 1), len(coloured)
END

expect 0 ranks 3 "$lockstep" bench scale 'mlp widths=784,64,10' --batch 24 --steps 3 -o scale.svg
says ', mlp widths=784,64,10, 1 thread a rank'
says 'wrote scale.svg'
"$python" read_table.py 1 2 3
"$python" read_picture.py scale.svg 1 2 3

# Between nodes there is a wire, on one node there is none. One rank makes a picture too.
grep -q ' GB/s' out && ! grep -q 'wire' out || fail 'expected the speed of memory, and no wire'
expect 0 env LOCKSTEP_RANKS_PER_NODE=1 mpirun --oversubscribe -n 2 "$lockstep" bench scale mlp --batch 8 --steps 2 -o two.svg
grep -q 'wire [0-9.]* GB/s$' out || fail 'expected the speed of the wire'
"$python" read_table.py 1 2
"$python" read_picture.py two.svg 1 2
expect 0 "$lockstep" bench scale mlp --batch 8 --steps 2 -o one.svg
"$python" read_table.py 1
"$python" read_picture.py one.svg 1

# What does not fit is refused before anything is measured.
expect 64 "$lockstep" bench scale
says 'bench scale MODEL'
expect 64 "$lockstep" bench lenet mlp
says 'mlp: nothing is expected after lenet'
expect 64 "$lockstep" bench mlp -o x.svg
expect 64 "$lockstep" bench scale mlp --batch 8 --steps 2 -o one.svg
says 'one.svg: is there already; --force overwrites it'
rm ./*.svg
expect 0 "$lockstep" bench scale mlp --batch 8 --steps 1
[ ! -e scale.svg ] || fail 'a picture that nobody asked for'
expect 64 ranks 2 "$lockstep" bench scale mlp --batch 1
says '--batch=1: expected a row for each rank: 2 or more'
expect 64 "$lockstep" bench scale nosuch
says 'nosuch'
