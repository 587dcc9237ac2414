"""bad_data: small data files that are wrong in one way each, in the folder at hand; made from images.h5."""
import pathlib

import h5py
import numpy

x = numpy.random.default_rng(1).random((20, 144), dtype=numpy.float32)
y = numpy.arange(20) % 4


def write(name, **arrays):
    with h5py.File(name + ".h5", "w") as file:
        for path, values in arrays.items():
            file[path.replace("_", "/")] = values


write("good", train_x=x, train_y=y)
write("no_targets", train_x=x)
write("short", train_x=x, train_y=y[:15])
write("only_test", test_x=x, test_y=y)
write("empty")
write("texts", train_x=numpy.array([b"a", b"b"]), train_y=y)
write("negative", train_x=x, train_y=y - 1)
write("no_rows", train_x=x[:0], train_y=y[:0])
write("widths", train_x=x, train_y=y, valid_x=x[:, :5], valid_y=y)
write("classes", train_x=x, train_y=y)
with h5py.File("classes.h5", "a") as file:
    file["train/y"].attrs["classes"] = 3
write("one_class", train_x=x, train_y=0 * y)
write("floats", train_x=x, train_y=y.astype("f4"))
write("column", train_x=x, train_y=y.astype("f4").reshape(-1, 1))
write("one_hot", train_x=x, train_y=numpy.eye(4, dtype="u1")[y])
write("val", train_x=x, train_y=y, val_x=x, val_y=y, notes=x)
write("keras", training_x=x, training_y=y, valid_x=x, valid_y=y)
write("other_names", train_data=x, train_label=y, val_data=x, val_label=y)
write("caffe", data=x, label=y)
write("matlab", train_x=x.T, train_y=y.reshape(1, -1))
write("channels_first", train_x=numpy.full((20, 3, 16, 20), 200, "u1"), train_y=y)
with h5py.File("chunks.h5", "w") as file: # more than the 64 MiB that are always kept unpacked
    file.create_dataset("train/x", data=numpy.ones((90000, 1024), "u1"), chunks=(9000, 1024), compression="gzip",
                        compression_opts=1)
    file["train/y"] = numpy.arange(90000) % 4
write("booleans", train_x=x > 0.5, train_y=y % 2 == 1)
write("link", train_y=y)
with h5py.File("link.h5", "a") as file:
    file["train/x"] = h5py.ExternalLink("images.h5", "/train/x")
pathlib.Path("cut.h5").write_bytes(pathlib.Path("images.h5").read_bytes()[:20000])
