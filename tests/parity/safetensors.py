"""safetensors: reads and writes the format of PyTorch's files of weights, with numpy alone.

    write(path, {name: array})           bfloat16 is given as (array of uint16, "BF16")
    read(path) -> ({name: array}, {key: text})
"""
import json
import struct

import numpy

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}


def write(path, tensors):
    header, parts, at = {}, [], 0
    for name, array in tensors.items():
        array, kind = array if isinstance(array, tuple) else (numpy.ascontiguousarray(array), None)
        kind = kind or next(kind for kind, code in TYPES.items() if numpy.dtype(code) == array.dtype)
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
        parts.append(array)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for part in parts:
            file.write(part.tobytes())


def read(path):
    with open(path, "rb") as file:
        bytes_ = file.read()
    first = 8 + struct.unpack("<Q", bytes_[:8])[0]
    header = json.loads(bytes_[8:first])
    metadata = header.pop("__metadata__", {})
    return {name: numpy.frombuffer(bytes_[first + entry["data_offsets"][0]:first + entry["data_offsets"][1]],
                                   TYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}, metadata
