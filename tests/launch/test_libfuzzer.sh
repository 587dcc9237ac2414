#!/usr/bin/env bash
# test_libfuzzer: clang's fuzzer, with AddressSanitizer and UBSan, on what reads files of strangers, for a fixed count.
#
#   test_libfuzzer.sh [COUNT]    (30000 for each, fewer of the slow ones); the seeds are fixed, so every run tries the
#                                same inputs
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
root=$tests/..
count=${1:-30000}
command -v clang >/dev/null || exit 77

# What the sources call, compiled with them; or the library.
rest=(core/memory.c core/check.c core/safe_text.c core/utf8.c core/spec.c core/tensor.c -ljansson -lm)
library=("-L$BUILD" -llockstep "-Wl,-rpath,$BUILD" -lprotobuf-c -lm)

# fuzz NAME SEEDS SOURCES...: builds tests/fuzz/NAME.c with the sources and runs it, beginning with the files in SEEDS.
fuzz() {
    local name=$1 seeds=$2
    shift 2
    (cd "$root" && clang -g -O1 -D_GNU_SOURCE -DLS_VERSION='"0"' -I. -I"$BUILD" -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -o "$work/$name" "tests/fuzz/$name.c" "$@" "${rest[@]}")
    mkdir -p corpus
    expect 0 "./$name" -runs="$count" -seed=1 -max_len=2000 -rss_limit_mb=1000 -print_final_stats=1 corpus "$seeds"
    says "stat::number_of_executed_units: "
    rm -r corpus
}

mkdir seeds
"$python" - <<'END'
import json
import struct

headers = [{}, {"a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]}},
           {"__metadata__": {"format": "pt"}, "a": {"dtype": "F16", "shape": [3], "data_offsets": [0, 6]},
            "b": {"dtype": "BF16", "shape": [], "data_offsets": [6, 8]},
            "c": {"dtype": "I64", "shape": [0, 4], "data_offsets": [8, 8]},
            "d": {"dtype": "F64", "shape": [1, 1], "data_offsets": [8, 16]}}]
for i, header in enumerate(headers):
    text = json.dumps(header).encode()
    end = max((entry["data_offsets"][1] for entry in header.values() if "dtype" in entry), default=0)
    open(f"seeds/header{i}", "wb").write(text)
    open(f"seeds/file{i}", "wb").write(struct.pack("<Q", len(text)) + text + bytes(range(end)))
END
fuzz fuzz_safetensors seeds io/safetensors/safetensors.c io/safetensors/safetensors_table.c \
    io/safetensors/safetensors_type.c io/file.c io/magic.c

# Pictures and EXIF data; IDX files, of which each try writes an HDF5 file.
rm -r seeds
mkdir seeds seeds-idx
"$python" - <<'END'
import gzip
import io
import struct

import numpy
from PIL import Image

picture = Image.fromarray(numpy.random.default_rng(1).integers(0, 256, (14, 19, 3), dtype="uint8"))
exif = Image.Exif()
exif[0x112] = 6
forms = [("PNG", {}), ("PNG", {"exif": exif}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"exif": exif})]
for i, (form, options) in enumerate(forms):
    for mode in ("RGB", "L", "LA" if form == "PNG" else "CMYK", "P" if form == "PNG" else "L"):
        file = io.BytesIO()
        picture.convert("L" if mode == "LA" else mode).convert(mode).save(file, form, **options)
        open(f"seeds/{form}-{i}-{mode}", "wb").write(b"\0" + file.getvalue())
# A chunk that claims 1.7 GB, of which the picture has nothing.
file = io.BytesIO()
picture.save(file, "PNG")
open("seeds/claim", "wb").write(b"\0" + file.getvalue()[:33] + struct.pack(">I", 0x66ff4d1a) + b"eXIf" + file.getvalue()[33:])
open("seeds/exif", "wb").write(b"\1" + exif.tobytes()[6:])
images = struct.pack(">4B3I", 0, 0, 8, 3, 3, 4, 5) + bytes(60)
labels = struct.pack(">4BI", 0, 0, 8, 1, 3) + bytes([0, 1, 1])
for name, pack in ("plain", bytes), ("gzip", gzip.compress):
    open(f"seeds-idx/{name}", "wb").write(struct.pack(">H", len(pack(images))) + pack(images) + pack(labels))
END
fuzz fuzz_pictures seeds io/decode.c io/jpeg.c io/png.c io/resample.c io/atomic_file.c io/file.c io/folder.c -ljpeg -lpng -lz
count=$((count / 10))
read -ra hdf5 <<<"$(cd "$root" && echo io/h5/h5{,_about,_attribute,_copy,_driver,_error,_frame,_lock}.c io/h5/guard/*.c) $(pkg-config --cflags --libs hdf5) -lz"
fuzz fuzz_idx seeds-idx io/import/idx.c io/import/classes.c io/import/packed.c io/magic.c io/output.c io/atomic_file.c \
    io/file.c io/folder.c core/print.c "${hdf5[@]}"

# The writer of ONNX files: each file is read again by protobuf-c.
mkdir none
rest=("${library[@]}")
fuzz fuzz_onnx none "$root"/launch/export/onnx_*.c launch/export/option_value.c "$BUILD/onnx.pb-c.c"
