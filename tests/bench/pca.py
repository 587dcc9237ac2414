#!/usr/bin/python3
"""pca: the error of rows that are rebuilt from their principal components, which no linear autoencoder of as many code
numbers can undercut on the training rows: pca.py DATA.h5 COMPONENTS

The components are those of the training rows (eigenvectors of their covariance, in double); the error is that of each
split, as `lockstep evaluate` prints it: `loss` is half the sum over a row, `mse` the mean over its numbers.
"""
import sys

import h5py
import numpy


def rows(split):
    x = split["x"]
    return x[()].reshape(len(x), -1) * float(x.attrs.get("scale", 1)) + float(x.attrs.get("offset", 0))


def components(x, count):
    vectors = numpy.linalg.eigh(numpy.cov(x.T))[1]
    return x.mean(0), vectors[:, ::-1][:, :count]


with h5py.File(sys.argv[1]) as file:
    mean, basis = components(rows(file["train"]), int(sys.argv[2]))
    for name in file:
        centred = rows(file[name]) - mean
        left = centred - centred @ basis @ basis.T
        print(f"{name:6} loss {numpy.square(left).sum(1).mean() / 2:.4f}  mse {numpy.square(left).mean():.6f}")
