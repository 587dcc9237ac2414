"""changed: the parameters that differ between two checkpoints, below a group of theirs.

  changed.py GROUP BEFORE.h5 AFTER.h5
"""
import sys

import h5py
import numpy


def read(path):
    found = {}
    with h5py.File(path) as file:
        file[sys.argv[1]].visititems(lambda name, item: found.update({name: item[()]}) if hasattr(item, "shape") else None)
    return found


before, after = read(sys.argv[2]), read(sys.argv[3])
print(*sorted(name for name in before if not numpy.array_equal(before[name], after[name])))
