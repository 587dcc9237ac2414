"""broken_data: data files and weights that are wrong in one way each, written into the folder at hand by h5py and as raw
bytes; test_broken_data.sh holds what lockstep says about each."""
import os
import pathlib
import struct

import h5py
import numpy

random = numpy.random.default_rng(1)
x = random.random((20, 6), dtype=numpy.float32)
y = (numpy.arange(20) % 4).astype(numpy.int32)


def write(name, **arrays):
    """The arrays train_x, valid_y, ... as train/x, valid/y, ..., and a good train/x and train/y unless given; None: left
    out. Returns the open file."""
    file = h5py.File(name + ".h5", "w")
    for path, values in {"train_x": x, "train_y": y, **arrays}.items():
        if values is not None:
            file[path.replace("_", "/", 1)] = values
    return file


def attribute(name, path, key, value, **arrays):
    write(name, **arrays)[path].attrs[key] = value


def with_value(array, at, value):
    changed = array.astype(numpy.float32)
    changed[at] = value
    return changed


def patch(name, old, new, times=1):
    """Replaces bytes of a file that is whole."""
    path = pathlib.Path(name + ".h5")
    content = path.read_bytes()
    assert content.count(old) >= times, (name, content.count(old))
    path.write_bytes(content.replace(old, new, times))


write("good", valid_x=x, valid_y=y).close()

# Links.
write("external_link", train_x=None)["train/x"] = h5py.ExternalLink("good.h5", "/train/x")
write("external_group", train_x=None, train_y=None)["train"] = h5py.ExternalLink("good.h5", "/train")
write("soft_link", train_x=None, valid_x=x)["train/x"] = h5py.SoftLink("/valid/x")
write("soft_group", train_x=None, train_y=None, a_x=x, a_y=y)["train"] = h5py.SoftLink("/a")
write("cyclic_link", train_x=None)["train/x"] = h5py.SoftLink("/train/x")
write("dangling_link", train_y=None)["train/y"] = h5py.SoftLink("/nowhere")
with write("cyclic_group", train_x=None) as file:
    file["train/x"] = file["train"]  # a hard link: the group is its own member

# Numbers that are elsewhere, or nowhere.
with write("virtual", train_x=None) as file:
    layout = h5py.VirtualLayout(shape=(20, 6), dtype="f4")
    layout[:] = h5py.VirtualSource("good.h5", "train/x", shape=(20, 6))
    file.create_virtual_dataset("train/x", layout)
x.tofile("stored.raw")
write("external_storage", train_x=None).create_dataset(
    "train/x", (20, 6), "f4", external=[("stored.raw", 0, x.nbytes)])
write("declared", train_x=None).create_dataset("train/x", (20, 6), "f4")
with write("some_chunks", train_x=None) as file:
    file.create_dataset("train/x", (20, 6), "f4", chunks=(5, 6))[:5] = x[:5]

# Sizes.
write("no_rows", train_x=x[:0], train_y=y[:0])
write("empty_rows", train_x=x[:, :0])
write("shorter_y", train_y=y[:15])
write("single_value", train_x=numpy.float32(1))
write("null_space", train_x=h5py.Empty("f4"))
write("many_dimensions", train_x=x.reshape(20, 6, 1, 1, 1, 1, 1, 1))
write("absurd_size", train_x=None).create_dataset("train/x", (2**60, 6), "f4", chunks=(1000, 6))
write("overflowing_size", train_x=None).create_dataset("train/x", (2**40, 2**40), "f4", chunks=(10, 10))
write("absurd_rows", train_x=None, train_y=None).create_dataset("train/x", (2**40, 6), "f4", chunks=(1000, 6))
with write("vast_chunks", train_x=None) as file:
    file.create_dataset("train/x", (20, 6), "u1", maxshape=(None, 6), chunks=(2**28, 6), compression="gzip")
write("more_rows").close()
patch("more_rows", struct.pack("<QQ", 20, 6), struct.pack("<QQ", 2**30, 6))
write("overflow_patched").close()
patch("overflow_patched", struct.pack("<QQ", 20, 6), struct.pack("<QQ", 2**63 + 20, 6))

# Types.
write("texts", train_x=numpy.array([b"a", b"b"]))
write("records", train_x=numpy.zeros(20, [("a", "f4"), ("b", "i4")]))
write("enumeration", train_x=y.astype(h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 2})))
write("halves", train_x=x.astype(numpy.float16))
write("unsigned_64", train_x=y.astype(numpy.uint64))
write("opaque", train_x=numpy.zeros(20, "V7"))
with write("lists", train_x=None) as file:
    file.create_dataset("train/x", (20,), h5py.vlen_dtype("f4"))
write("group_for_x", train_x=None).create_group("train/x")

# Filters.
write("lzf", train_x=None).create_dataset("train/x", data=x, compression="lzf")
with write("unknown_filter", train_x=None) as file:
    file.create_dataset("train/x", data=x, chunks=(20, 6), compression="lzf")
patch("unknown_filter", struct.pack("<H", 32000), struct.pack("<H", 31999))
with write("damaged_chunk", train_x=None) as file:
    chunk = file.create_dataset("train/x", data=x, chunks=(20, 6), compression="gzip").id.get_chunk_info(0)
content = bytearray(pathlib.Path("damaged_chunk.h5").read_bytes())
content[chunk.byte_offset + 30:chunk.byte_offset + 60] = bytes(30)
pathlib.Path("damaged_chunk.h5").write_bytes(content)
with write("wrong_checksum", train_x=None) as file:
    chunk = file.create_dataset("train/x", data=x, chunks=(20, 6), fletcher32=True).id.get_chunk_info(0)
content = bytearray(pathlib.Path("wrong_checksum.h5").read_bytes())
content[chunk.byte_offset + 7] ^= 1
pathlib.Path("wrong_checksum.h5").write_bytes(content)

# Values.
write("nan_valid", valid_x=with_value(x, (7, 2), numpy.nan), valid_y=y).close()
write("nan_in_x", train_x=with_value(x, (13, 2), numpy.nan))
write("infinite_x", train_x=with_value(x, (0, 5), -numpy.inf))
write("nan_valid", valid_x=with_value(x, (7, 2), numpy.nan), valid_y=y)
write("nan_target", train_y=with_value(x[:, :4], (7, 1), numpy.nan))
write("negative_label", train_y=y - 1)
write("large_label", train_y=with_value(y, 3, 2**24).astype(numpy.int64))
attribute("label_out_of_range", "train/y", "classes", 3)
attribute("fractional_label", "train/y", "classes", 4, train_y=with_value(y, 9, 1.5))
attribute("nan_label", "train/y", "classes", 4, train_y=with_value(y, 9, numpy.nan))
attribute("no_classes", "train/y", "classes", 0)
attribute("classes_in_words", "train/y", "classes", "four")
attribute("scaled_labels", "train/y", "scale", 2.0)
attribute("scale_of_one_split", "train/x", "scale", 0.5, valid_x=x, valid_y=y)
attribute("zero_scale", "train/x", "scale", 0.0)
attribute("nan_scale", "train/x", "scale", numpy.nan)
attribute("scale_in_words", "train/x", "scale", "1/255")
attribute("many_scales", "train/x", "scale", [1.0, 2.0])

# Splits that do not fit together.
write("other_width", valid_x=x[:, :5], valid_y=y)
write("other_kind_of_y", valid_x=x, valid_y=x[:, :2])
with write("other_classes", valid_x=x, valid_y=y) as file:
    file["train/y"].attrs["classes"] = 4
    file["valid/y"].attrs["classes"] = 5
write("no_x", train_x=None)
write("twice")["x_train"] = x
write("nothing", train_x=None, train_y=None)
write("only_test", train_x=None, train_y=None, test_x=x, test_y=y)

# Files that are no HDF5 files, or not whole.
whole = pathlib.Path("good.h5").read_bytes()
pathlib.Path("cut.h5").write_bytes(whole[:-100])
pathlib.Path("cut_early.h5").write_bytes(whole[:60])
pathlib.Path("hollow.h5").write_bytes(b"")
pathlib.Path("prose.h5").write_text("train, x\n")
pathlib.Path("signature.h5").write_bytes(whole[:8] + bytes(random.integers(0, 256, 4000, dtype=numpy.uint8)))
pathlib.Path("folder.h5").mkdir()
os.mkfifo("pipe.h5")
pathlib.Path("forbidden.h5").write_bytes(whole)
pathlib.Path("forbidden.h5").chmod(0)

# Weights, for a net `dense units=4` on 6 inputs: model/net/dense1/weight [4, 6] and bias [4].
W = random.random((4, 6), dtype=numpy.float32)
b = numpy.zeros(4, numpy.float32)


def weights(name, weight=W, bias=b):
    file = h5py.File(name + ".h5", "w")
    for path, values in (("weight", weight), ("bias", bias)):
        if values is not None:
            file["model/net/dense1/" + path] = values
    return file


weights("w_good")
weights("w_shape", weight=W.T)
weights("w_missing", bias=None)
weights("w_integers", bias=b.astype(numpy.int32))
weights("w_more")["model/net/dense2/weight"] = W
weights("w_link", bias=None)["model/net/dense1/bias"] = h5py.ExternalLink("w_good.h5", "/model/net/dense1/bias")
weights("w_soft", bias=None)["model/net/dense1/bias"] = h5py.SoftLink("/model/net/dense1/bias")
weights("w_declared", bias=None).create_dataset("model/net/dense1/bias", (2**40,), "f4", chunks=(1000,))
weights("w_nan", weight=with_value(W, (2, 3), numpy.nan))
pathlib.Path("w_prose.h5").write_text("weights\n")
