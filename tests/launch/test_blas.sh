#!/usr/bin/env bash
# test_blas: OpenBLAS as the instruction set: the same bits on 1 to 3 ranks and after a stop, the same net as by the other
# instruction sets but for roundings; what is said of it, and where it can't be loaded.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

data images images.h5
cat >job.yaml <<'END'
data: images.h5
net: |
  conv2d out=16 kernel=3 pad=1 bias=0
  batchnorm relu=1
  conv2d out=32 kernel=3 pad=1
  maxpool kernel=2
  dense units=40
  activation function=tanh
  dense units=4
optimizer: momentum rate=0.01
batch: 101
steps: 6
shards: 6
evaluate: {every: 3 steps}
END
blas() { # RANKS ARGUMENT ...
    expect 0 ranks "$1" env LOCKSTEP_INSTRUCTIONS=blas "$lockstep" train job.yaml "${@:2}"
}

# --- The same bits on any number of ranks, and after a stop.
blas 1 run=one
says ', micro-kernel blas: OpenBLAS 0.'
for count in 2 3; do
    blas $count run=on$count
    same "1 and $count ranks" "$(digest --all "$(checkpoint one 6)")" "$(digest --all "$(checkpoint on$count 6)")"
    same "records on 1 and $count ranks" "$(metrics_of one)" "$(metrics_of on$count)"
done
blas 3 run=parts steps=3
blas 2 run=parts steps=6
same 'a run on 3, then 2 ranks' "$(digest --all "$(checkpoint one 6)")" "$(digest --all "$(checkpoint parts 6)")"

# --- It is another instruction set: other roundings, the same net.
expect 0 env LOCKSTEP_INSTRUCTIONS=plain "$lockstep" train job.yaml run=plain
says ', micro-kernel plain, which is slow: LOCKSTEP_INSTRUCTIONS=blas is faster'
different 'blas and plain' "$(digest "$(checkpoint one 6)")" "$(digest "$(checkpoint plain 6)")"
"$python" - "$(checkpoint one 6)" "$(checkpoint plain 6)" <<'END'
import h5py, numpy as np, sys
a, b = (h5py.File(path) for path in sys.argv[1:])
def compare(name, x):
    if isinstance(x, h5py.Dataset):
        assert np.allclose(x[()], b["model"][name][()], rtol=0, atol=1e-4), name
a["model"].visititems(compare)
END

# --- What doctor says, and where OpenBLAS can't be loaded.
expect 0 env LOCKSTEP_INSTRUCTIONS=blas "$lockstep" doctor
says 'micro-kernel blas: OpenBLAS 0.'
small() { # CODE INSTRUCTIONS COMMAND ...: without room for OpenBLAS
    expect "$1" env LOCKSTEP_INSTRUCTIONS="$2" bash -c 'ulimit -v 200000 && exec "$@"' bash "${@:3}"
}
small 64 blas "$lockstep" list
says "LOCKSTEP_INSTRUCTIONS=blas: expected avx512, avx2, blas or plain; the processor must have avx512 and avx2, and blas needs OpenBLAS"
small 0 plain "$lockstep" doctor
says "micro-kernel plain, which is slow: OpenBLAS can't be loaded: it needs 256 MiB of address space (ulimit -v)"
expect 64 env LOCKSTEP_INSTRUCTIONS=sse "$lockstep" list
says 'LOCKSTEP_INSTRUCTIONS=sse: expected avx512, avx2, blas or plain'
