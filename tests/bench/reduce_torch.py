#!/usr/bin/python3
"""reduce_torch: what `lockstep bench reduce` measures, by PyTorch's gloo: an all-reduce of one array over processes of one
machine, alone and with a momentum update of as many parameters by each of them.

    reduce_torch.py [--ranks 2] [--floats 25557032] [--steps 20]

Prints the medians, of the slowest process, in milliseconds.
"""
import argparse
import os
import statistics
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def worker(rank, a):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(a.port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=a.ranks)
    value = torch.nn.Parameter(torch.zeros(a.floats))
    value.grad = torch.rand(a.floats)
    sgd = torch.optim.SGD([value], 1e-6, momentum=0.9)
    times = {False: [], True: []}
    for step in range(-1, a.steps):  # the first use of memory and connections is slow
        for updates in times:
            dist.barrier()
            start = time.perf_counter()
            dist.all_reduce(value.grad)
            if updates:
                sgd.step()
            taken = torch.tensor(1e3 * (time.perf_counter() - start))
            dist.all_reduce(taken, dist.ReduceOp.MAX)
            value.grad /= a.ranks
            if step >= 0:
                times[updates].append(float(taken))
    if rank == 0:
        print(f"gloo, {a.ranks} processes, {a.floats} floats: all-reduce {statistics.median(times[False]):.1f} ms, "
              f"with the update {statistics.median(times[True]):.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--floats", type=int, default=25557032)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--port", type=int, default=29517)
    arguments = parser.parse_args()
    mp.spawn(worker, (arguments,), arguments.ranks)
