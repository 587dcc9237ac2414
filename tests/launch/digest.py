"""digest: SHA-256 over what a checkpoint holds, so that two of them can be held against each other.

    digest.py FILE ...             a digest a file: of /model
    digest.py --arrays FILE ...    ... of /model, /optimizer, /state and /rows
    digest.py --all FILE ...       ... of all arrays and of where the run stands
    digest.py --distance A B       norm of the difference of /model over the norm of B's

Numbers count in logical order and by the names of their data sets: the layout of the file does not matter.
"""
import hashlib
import sys

import h5py
import numpy

ARRAYS = ("model", "optimizer", "state", "rows")
POSITION = ("stage", "stage_step", "step", "samples", "shards", "updates", "best", "best_step", "stale", "gap")


def arrays(file, top):
    found = {}
    if top in file:
        file[top].visititems(lambda name, item: found.update({f"{top}/{name}": item[()]})
                             if isinstance(item, h5py.Dataset) else None)
    return dict(sorted(found.items()))


def digest(path, tops, position):
    total = hashlib.sha256()
    with h5py.File(path) as file:
        for top in tops:
            for name, values in arrays(file, top).items():
                total.update(f"{name} {values.shape} {values.dtype}\n".encode())
                total.update(numpy.ascontiguousarray(values).tobytes())
        for name in position:
            total.update(f"{name} {numpy.asarray(file.attrs[name]).tolist()}\n".encode())
    return total.hexdigest()


def model(path):
    with h5py.File(path) as file:
        return numpy.concatenate([values.ravel().astype(numpy.float64) for values in arrays(file, "model").values()])


if sys.argv[1] == "--distance":
    a, b = model(sys.argv[2]), model(sys.argv[3])
    print(numpy.linalg.norm(a - b) / numpy.linalg.norm(b))
else:
    option = sys.argv[1] if sys.argv[1].startswith("--") else ""
    for path in sys.argv[2 if option else 1:]:
        print(digest(path, ARRAYS if option else ARRAYS[:1], POSITION if option == "--all" else ()))
