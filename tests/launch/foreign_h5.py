#!/usr/bin/python3
"""foreign_h5: HDF5 files as other programs write them, for test_import_h5.sh.

    foreign_h5.py make                 writes them into the folder at hand; form_*.h5 all hold the same kind of data set
    foreign_h5.py same FOREIGN OURS    OURS holds the numbers of FOREIGN, in contiguous rows of native byte order
    foreign_h5.py turned NCHW OURS     OURS holds all rows of NCHW, channels last
"""
import sys

import h5py
import numpy as np

draw = np.random.default_rng(7)
y = draw.integers(0, 3, 60)
y[:3] = 0, 1, 2
x = (draw.normal(size=(60, 6)) + y[:, None]).astype("f4")
pictures = draw.integers(0, 256, (60, 3, 5, 7)).astype("u1")


def put(name, arrays, attributes=None, **options):
    with h5py.File(name + ".h5", "w", **options) as file:
        for path, values in arrays.items():
            file[path] = values
        for path, (key, value) in (attributes or {}).items():
            file[path].attrs[key] = value


def forms():
    both = {"train/x": x, "train/y": y, "test/x": x[:9], "test/y": y[:9]}
    put("form_plain", both, {"train/x": ("scale", 0.5), "test/x": ("scale", 0.5), "train/y": ("source", "a text")})
    for kind in "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">i4", ">i8", ">f4", ">f8":
        put("form_type_" + kind.replace(">", "big_"), {"train/x": (x * 5 + 40).astype(kind), "train/y": y.astype(">i2")})
    put("form_bool", {"train/x": x > 0, "train/y": y > 0})
    more = {"length": 1 + y % 6, "weight": x[:, 0] ** 2}
    put("form_more_root", {"x": x, "y": y, **more})
    put("form_scalars", {"x": x[:, 0], "y": y.reshape(60, 1, 1, 1)})
    put("form_flat_names", {"x_train": x, "y_train": y, "x_test": x, "y_test": y})
    put("form_user_block", both, userblock_size=512)
    put("form_no_y", {"train/x": x})
    for bounds in "earliest", "latest":
        with h5py.File(f"form_chunks_{bounds}.h5", "w", libver=bounds) as file:
            file.create_dataset("train/x", data=x, chunks=(7, 4), maxshape=(None, None), compression="gzip", shuffle=True)
            file.create_dataset("train/y", data=y, chunks=(11,), fletcher32=True)
            file["train/x"].attrs["scale"] = np.float32(0.25)
    for name in "form_more", "form_more_flat":
        with h5py.File(name + ".h5", "w") as file:
            for array, values in {"x": x, "y": y, **more}.items():
                file.create_dataset(f"{array}_train" if "flat" in name else f"train/{array}", data=values, chunks=True)
    with h5py.File("form_gzip.h5", "w") as file:
        file.create_dataset("train/x", data=np.repeat(pictures, 9, 0), chunks=(100, 3, 5, 7), compression="gzip")
        file["train/y"] = np.repeat(y, 9)
    with h5py.File("form_one_row_chunks.h5", "w", libver="latest") as file:
        file.create_dataset("train/x", data=pictures, chunks=(1, 3, 5, 7))
        file.create_dataset("train/y", data=y, chunks=(60,))
    with h5py.File("form_compact.h5", "w") as file:
        for name, values in ("x", x), ("y", y):
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_layout(h5py.h5d.COMPACT)
            h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape),
                            plist).write(h5py.h5s.ALL, h5py.h5s.ALL, values)
    with h5py.File("form_links.h5", "w") as file:
        file["store/a"], file["store/b"] = x, y
        file["train"] = h5py.SoftLink("/group")
        file["group/x"], file["group/y"] = h5py.SoftLink("/store/a"), h5py.SoftLink("/store/b")
    with h5py.File("form_order.h5", "w", track_order=True) as file:
        group = file.create_group("train", track_order=True)
        group.create_dataset("y", data=y, track_order=True).attrs["note"] = "y is first"
        group["x"] = x
        group["x"].attrs["names"] = ["a", "b", "größe"]
    with h5py.File("form_scales.h5", "w") as file:
        file["train/x"], file["train/y"], file["rows"] = x, y, np.arange(60)
        file["rows"].make_scale("rows")
        file["train/x"].dims[0].attach_scale(file["rows"])


    for count in 9, 40, 400:
        with h5py.File(f"form_attributes_{count}.h5", "w", libver="latest") as file:
            file["train/x"], file["train/y"] = x, y
            for i in range(count):
                file["train/x"].attrs[f"attribute {i}"] = [f"text {i}"] * 2 if i % 3 else i
            file["train/x"].attrs["scale"] = 0.5
    for kept in False, True:
        with h5py.File(("form_paged" if not kept else "form_kept_space") + ".h5", "w", fs_strategy="page", fs_page_size=4096,
                       fs_persist=kept) as file:
            file["train/x"], file["train/y"] = x, y
            file["gone"] = x
            del file["gone"]
    with h5py.File("form_named_types.h5", "w") as file:
        file["kind/real"], file["kind/class"] = np.dtype(">f8"), np.dtype("u1")
        file.create_dataset("train/x", data=x, dtype=file["kind/real"])
        file.create_dataset("train/y", data=y, dtype=file["kind/class"])


def others():
    label = y.astype("f4").reshape(-1, 1)
    put("caffe", {"data": x, "label": label})
    put("named", {"data": x, "steps": 1 + y % 6})
    put("beside", {"train/x": x, "train/y": y, "weight": x[0]})  # which is of something else
    put("val", {"train/x": x, "train/y": y, "val/x": x, "val/y": y})
    put("deep", {"features/level/0": x, "answers": y})
    put("onehot", {"train/x": x, "train/y": np.eye(3, dtype="u1")[y]})
    put("onehot_gap", {"train/x": x, "train/y": np.eye(5, dtype="f4")[y]})
    steps = draw.integers(0, 3, (60, 6))
    put("steps", {"train/x": steps, "train/y": steps}, {"train/y": ("classes", 4)})
    put("steps_of_one_1", {"train/x": x, "train/y": np.eye(3, dtype="u1")[y]}, {"train/y": ("classes", 2)})
    steps[7, 2], steps[7, 3] = -1, 200  # 0, no label; and one that is no label either, behind the row's end
    length = np.where(np.arange(60) == 7, 3, 6)
    put("steps_from1", {"train/x": x, "train/y": (steps + 1).astype("u1"), "train/length": length}, {"train/y": ("classes", 4)})
    with h5py.File("steps_from1.h5", "a") as file:
        file["train/y"].attrs["ignore"] = 0
    put("counts", {"train/x": x, "train/y": np.arange(60) * 1000})
    put("reals", {"train/x": x, "train/y": (np.arange(60) / 2).astype("f4")})
    put("from1", {"train/x": x, "train/y": y + 1})
    put("one", {"train/x": x, "train/y": y * 0})
    put("minus", {"train/x": x, "train/y": np.where(np.arange(60) == 7, -1, y)})
    put("some", {"train/x": x, "train/y": np.where(np.arange(60) == 7, -100, y)}, {"train/y": ("ignore", -100)})
    put("some_from1", {"train/x": x, "train/y": np.where(np.arange(60) == 7, 0, y + 1)}, {"train/y": ("ignore", 0)})
    put("far", {"train/x": x, "train/y": y.astype("i8")}, {"train/y": ("ignore", -2**63)})
    put("above", {"train/x": x, "train/y": y}, {"train/y": ("classes", 2)})
    spoilt = x.copy()
    spoilt[7, 2] = np.nan
    put("nan", {"train/x": spoilt, "train/y": y})
    put("nchw", {"train/x": pictures, "train/y": y})
    put("nchw_said", {"train/x": pictures, "train/y": y}, {"train/x": ("layout", "NCHW")})
    put("matlab", {"train/x": x.T.copy(), "train/y": y.reshape(1, -1).astype("f8")})
    put("texts", {"train/x": x, "train/y": [b"cat", b"dog"] * 30})
    put("records", {"train/x": np.zeros(60, [("a", "f4"), ("b", "i4")]), "train/y": y})
    put("outside", {"train/y": y, "train/x": h5py.ExternalLink("caffe.h5", "/data")})
    put("nowhere", {"x": x, "train": h5py.SoftLink("/training")})
    with h5py.File("external.h5", "w") as file:
        file["train/y"] = y
        file.create_dataset("train/x", data=x, external=[("numbers.raw", 0, h5py.h5f.UNLIMITED)])
    with h5py.File("unwritten.h5", "w") as file:
        file["train/y"] = y
        file.create_dataset("train/x", (60, 6), "f4", chunks=(10, 6))[:5] = 1
    with h5py.File("lzf.h5", "w") as file:
        file["train/y"] = y
        file.create_dataset("train/x", data=x, compression="lzf")


def find(file, split, name):
    for path in f"{split}/{name}", f"{name}_{split}", *([name, {"x": "data", "y": "label"}.get(name)] if split == "train" else []):
        if path and path in file:
            return file[path]


def same(foreign, ours):
    for split in "train", "valid", "test":
        for name in "x", "y", "length", "weight":
            a, b = find(foreign, split, name), ours.get(f"{split}/{name}")
            assert (a is None) == (b is None), (split, name)
            if a is None:
                continue
            values = a[()].reshape(-1) if name == "y" else a[()]
            assert b.chunks is None and b.id.get_offset() is not None and b.dtype.isnative
            assert b.shape == values.shape and np.array_equal(b[()], values), (split, name)
            if name == "y":
                assert b.dtype == "i4" and b.attrs["classes"] == values.max() + 1
            elif a.dtype.kind != "b" and a.dtype != "f2":
                assert b.dtype.itemsize == a.dtype.itemsize
            for key, value in a.attrs.items():
                assert key == "DIMENSION_LIST" or np.array_equal(b.attrs[key], value), key


def turned(foreign, ours):
    labels, rows = foreign["train/y"][()], foreign["train/x"][()].transpose(0, 2, 3, 1)
    mine = np.concatenate([ours[split + "/x"] for split in ("train", "valid") if split in ours])
    theirs = {row.tobytes(): label for row, label in zip(rows, labels)}
    mine_y = np.concatenate([ours[split + "/y"] for split in ("train", "valid") if split in ours])
    assert len(mine) == len(rows) and all(theirs[row.tobytes()] == label for row, label in zip(mine, mine_y))
    assert ours["train/x"].attrs["layout"] == "NHWC"


if sys.argv[1] == "make":
    forms()
    others()
else:
    {"same": same, "turned": turned}[sys.argv[1]](h5py.File(sys.argv[2]), h5py.File(sys.argv[3]))
