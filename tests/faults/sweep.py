#!/usr/bin/python3
"""sweep: lets each system call of small runs fail in each way, and judges what lockstep makes of it.

    sweep.py [--build FOLDER] [--jobs N] [--log FILE] [--share S] [--only GLOB] [--list] [SCENARIO ...]

A scenario is a command in a folder. A clean run under tests/faults/fault lists its calls on the folder's files: a point is
a call of a file, the how-manieth of its name and file, and what happens to it, as `train fsync@w/out.csv.*.tmp:1:EIO`. For
each point the folder is copied, the command run with the fault, and the result held against the clean run's:

  hang, crash    it did not end, or by a signal
  code           it ended with a code that is not documented, or without a word
  wrong          it ended with 0, but the files are not those of the clean run
  half           a file under its final name that is neither the old one nor a whole new one
  lost           what was there before is gone, the newest checkpoint or an old output
  stuck          the same command, again and without a fault, does not end with 0
  differs        ... or ends with other files than the clean run
  verify         `lockstep verify` of the run does not hold
  litter         files are left over in the end (after the second run)
  eintr          an interrupted call ended the command
  older          a checkpoint before the newest one was not written, or not removed (advice)
  blame          an error of the disk ended with another code than 74, or the message does not name the file (advice)

The exit code is 1 if anything but advice was found. `--share 0.05` tries one point in 20, chosen by --seed, and all those in
KNOWN; `--only` tries the points that fit a glob; `--log` keeps a line for each, and a second start goes on behind them.
"""
import argparse
import collections
import concurrent.futures
import fnmatch
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

# What can happen to a call. kill after a call that changes nothing would be a kill after the one before.
READS = ("EIO", "ESTALE", "EINTR", "short", "zero", "EIO+")
WRITES = ("EIO", "ENOSPC", "EDQUOT", "EINTR", "short", "kill", "ENOSPC+")
HAPPENS = {
    "open": ("EIO", "EINTR", "EMFILE", "ENOSPC", "ESTALE", "kill", "EMFILE+"),
    "read": READS, "pread": READS, "write": WRITES, "pwrite": WRITES,
    "fsync": ("EIO", "ENOSPC", "EINTR", "kill"),
    "close": ("EIO", "ENOSPC", "EINTR", "kill"),
    "rename": ("EIO", "ENOSPC", "EINTR", "late-EIO", "kill"),
    "link": ("EIO", "EOPNOTSUPP", "EPERM", "late-EIO", "kill"),
    "unlink": ("EIO", "EPERM", "late-EIO", "kill"),
    "mkdir": ("EIO", "ENOSPC", "EROFS", "late-EIO", "kill"),
    "getdents": ("EIO", "ESTALE", "EINTR"),
    "fcntl": ("EIO", "EINTR", "ENOLCK"),
    "flock": ("EIO", "EINTR", "ENOLCK", "ENOSYS"),
    "stat": ("EIO", "ESTALE", "EACCES", "EINTR"),
    "access": ("EIO", "ESTALE", "EACCES"),
    "statfs": ("EIO",), "readlink": ("EIO",), "seek": ("EIO",),
    "truncate": ("EIO", "ENOSPC", "EINTR", "kill"),
    "mmap": ("ENOMEM", "EIO"),
}
INTERRUPTED = ("open", "pread", "write", "pwrite", "fsync", "close", "flock", "truncate")
DISK = ("EIO", "ESTALE", "ENOSPC", "EDQUOT", "late-EIO", "EIO+", "ENOSPC+")
CODES = (0, 64, 65, 70, 73, 74, 75)
ADVICE = ("blame", "older")

# Points that once were faults: tried by the short form too.
KNOWN = (
    "resume getdents@w/run/checkpoints:[13]:EIO", "resume access@w/run/checkpoints/step-*.ok:1:EIO",
    "train rename@*step-*:1:kill", "train rename@*step-*:1:EIO", "train write@*best*:1:ENOSPC", "train write@*metrics*:2:short",
    "train fsync@*:1:EINTR", "train close@w/data.h5:*:EIO", "train open@w/run/lock:1:EINTR", "train fcntl@*:1:EIO",
    "train pread@w/data.h5:[5-9]:EIO", "train read@w/job.yaml:1:EINTR",
    "import_csv pwrite@*:ENOSPC", "import_csv read@*:1:EIO", "import_csv close@*:1:EIO", "import_idx pwrite@*:EDQUOT",
    "predict_csv *@*best*:1:EIO", "predict_csv open@*:1:EINTR", "extract pwrite@*:EIO",
    "extract pread@w/data.h5:1[6-9]1:EIO", "plot write@*:ENOSPC",
)

TIMEOUT = 300
TEMPORARY = re.compile(r"\.[0-9a-f]+\.tmp$")  # NAME.RANDOM.tmp becomes NAME
RECORD = ("stage", "step", "epoch", "loss", "accuracy", "rate", "valid", "final", "best", "best_step")
ENVIRONMENT = dict(
    os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1",
    OMPI_MCA_hwloc_base_binding_policy="none", OMPI_MCA_pml="ob1")  # ob1: MPI starts in a third of the time
ALONE = {"OMPI_MCA_btl": "self", "OMPI_MCA_mtl": "^ofi", "OMPI_MCA_osc": "^ucx"}

JOB = """\
data: data.h5
model: mlp widths=6,4,3
optimizer: adam rate=0.02 ema=0.9
batch: 8
epochs: 2
checkpoint: {every: 1 epochs, keep: 2}
run: run
"""
STAGES = """\
data: data.h5
model: mlp widths=6,4,3
checkpoint: {every: 3 steps, keep: 1}
stages:
  - {optimizer: momentum rate=0.1, batch: 8, epochs: 1}
  - {optimizer: adam rate=0.01, batch: 12, epochs: 1}
run: run
"""


def make_data(folder, chunks=None):
    draw = numpy.random.default_rng(1)
    with h5py.File(f"{folder}/data.h5", "w") as file:
        for split, rows in (("train", 24), ("valid", 8), ("test", 8)):
            x = draw.standard_normal((rows, 6)).astype(numpy.float32)
            file.create_dataset(f"{split}/x", data=x, chunks=chunks, compression="gzip" if chunks else None)
            file[f"{split}/y"] = ((x[:, 0] > 0).astype(numpy.uint8) + (x[:, 1] > 0)).astype(numpy.uint8)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def make_job(folder, text=JOB, chunks=None):
    make_data(folder, chunks)
    write(f"{folder}/job.yaml", text)


def make_table(folder):
    rows = [f"{i % 7 - 2.5},{i * i % 11},{'abc'[i % 3]}" for i in range(40)]
    write(f"{folder}/table.csv", "p,q,kind\n" + "\n".join(rows) + "\n")
    write(f"{folder}/table.csv.gz", gzip.compress(("p,q,kind\n" + "\n".join(rows) + "\n").encode(), mtime=0))
    write(f"{folder}/out.h5", "an old file\n")


def make_idx(folder):
    pictures = bytes(i * 37 % 256 for i in range(30 * 16))
    write(f"{folder}/images.gz", gzip.compress(struct.pack(">IIII", 0x803, 30, 4, 4) + pictures, mtime=0))
    write(f"{folder}/labels", struct.pack(">II", 0x801, 30) + bytes(i % 3 for i in range(30)))
    write(f"{folder}/out.h5", "an old file\n")


class Scenario:
    """A command, how its folder is made, what was run in it before, and which of its files are outputs."""

    def __init__(self, make, command, before=(), outputs=(), ranks=0):
        self.make, self.command, self.before, self.outputs, self.ranks = make, command, before, outputs, ranks


TRAINED = ("train job.yaml",)
SCENARIOS = {
    "train": Scenario(make_job, "train job.yaml"),
    "resume": Scenario(make_job, "train job.yaml epochs=4", TRAINED),
    "stages": Scenario(lambda folder: make_job(folder, STAGES), "train job.yaml"),
    "chunked": Scenario(lambda folder: make_job(folder, chunks=(3, 6)), "train job.yaml checkpoint.every=never"),
    "overwrite": Scenario(make_job, "train job.yaml seed=2 --overwrite --resume=never", TRAINED),
    "weights": Scenario(make_job, "train job.yaml run=next --weights=run/checkpoints/best.h5", TRAINED),
    "import_csv": Scenario(make_table, "import csv table.csv table.csv.gz --header --scale standard --valid 5 --force -o out.h5",
                           outputs=("out.h5",)),
    "import_idx": Scenario(make_idx, "import idx images.gz labels --valid 5 --force -o out.h5", outputs=("out.h5",)),
    "predict_csv": Scenario(make_job, "predict run --force -o out.csv", TRAINED, ("out.csv",)),
    "predict_h5": Scenario(make_job, "predict run --force -o out.h5", TRAINED, ("out.h5",)),
    "extract": Scenario(make_job, "extract run --layer dense1 --force -o out.h5", TRAINED, ("out.h5",)),
    "evaluate": Scenario(make_job, "evaluate run --json", TRAINED),
    "plot": Scenario(make_job, "plot run --force -o out.svg", TRAINED, ("out.svg",)),
    "dump": Scenario(make_job, "check job.yaml --force --dump=out.h5", outputs=("out.h5",)),
    "verify": Scenario(make_job, "verify run --json", TRAINED),
    "inspect": Scenario(make_job, "inspect run --json", TRAINED),
    "rank0": Scenario(make_job, "train job.yaml", ranks=2),
    "rank1": Scenario(make_job, "train job.yaml", ranks=2),
}


Ended = collections.namedtuple("Ended", "code out err")


class Sweep:
    def __init__(self, build, top):
        self.build, self.top = build, top
        self.lockstep, self.fault = f"{build}/lockstep", f"{build}/tests/fault"

    def run(self, name, folder, fault=(), command=None):
        """Runs the scenario's command in folder/w. Code None: it did not end."""
        scenario = SCENARIOS[name]
        words = [self.lockstep, *(command or scenario.command).split()]
        fault = [self.fault, "--under", f"{folder}/w", *fault, "--"] if fault else []
        temporary = f"{folder}/tmp"
        os.makedirs(temporary, exist_ok=True)
        environment = dict(ENVIRONMENT, TMPDIR=temporary, **({} if scenario.ranks else ALONE))
        if scenario.ranks and not command:
            choose = f'if [ "$OMPI_COMM_WORLD_RANK" = {name[-1]} ]; then exec "$@"; fi; exec {" ".join(words)}'
            words = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(scenario.ranks), "sh", "-c", choose,
                     "sh", *fault, *words]
        else:
            words = fault + words
        with open(f"{folder}/out", "wb") as out, open(f"{folder}/err", "wb") as err:
            process = subprocess.Popen(words, cwd=f"{folder}/w", env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=err, start_new_session=True)
            try:
                code = process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
                code = None
        return Ended(code, read(f"{folder}/out"), read(f"{folder}/err"))

    def prepare(self, name):
        """The template, the clean run's state, all states that a file may be in, and the points."""
        scenario, template = SCENARIOS[name], f"{self.top}/{name}"
        os.makedirs(f"{template}/w")
        scenario.make(f"{template}/w")
        for command in scenario.before:
            must_end_well(self.run(name, template, command=command), command)
        for output in scenario.outputs:
            write(f"{template}/w/{output}", "an old file\n")
        clean = Clean(name, state(template))
        for k in (1, 2):
            folder = self.copy(name, f"clean{k}")
            log = f"{folder}/calls"
            ended = self.run(name, folder, ("--log", log))
            must_end_well(ended, scenario.command)
            final = state(folder)
            if k == 2 and (final, ended.out if clean.prints else "") != (clean.final, clean.out):
                sys.exit(f"sweep: {name}: two clean runs differ")
            clean.final, clean.out, calls = final, ended.out if clean.prints else "", log_of(log, folder)
        clean.points = points(name, calls)
        for change in ("rename", "unlink"):  # what a kill just after it leaves
            for number in range(1, sum(call == change for call, _ in calls) + 1):
                folder = self.copy(name, "versions")
                if self.run(name, folder, ("--fail", f"{change}:{number}:kill")).code == 137:
                    clean.allow(state(folder))
                shutil.rmtree(folder)
        clean.allow(clean.before)
        clean.allow(clean.final)
        return clean

    def copy(self, name, suffix):
        folder = f"{self.top}/{name}-{suffix}"
        os.makedirs(folder)
        shutil.copytree(f"{self.top}/{name}/w", f"{folder}/w", symlinks=True)
        return folder

    def attempt(self, clean, point, number):
        """Findings of one point: a list of (kind, text), and whether it was hit."""
        folder = self.copy(clean.name, number)
        try:
            log = f"{folder}/calls"
            call, glob, count, what = point
            later = "+" if what.endswith("+") else ""
            fault = f"{call}@*/{glob}:{count}{later}:{what.rstrip('+')}"
            ended = self.run(clean.name, folder, ("--log", log, "--fail", fault))
            hit = any(line.rstrip("\n").split("\t")[3] for line in open(log)) if os.path.exists(log) else False
            found = Judge(self, clean, point, folder).all(ended)
            return found, hit
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class Clean:
    """What a scenario is without faults."""

    def __init__(self, name, before):
        self.name, self.before, self.final, self.out = name, before, {}, ""
        self.versions = collections.defaultdict(set)
        self.prints = SCENARIOS[name].command.startswith(("evaluate", "verify", "inspect"))
        self.points = []

    def allow(self, found):
        for path, value in found.items():
            if not path.endswith("metrics.jsonl"):
                self.versions[path].add(value)

    def has(self, path, records):
        """Whether metrics.jsonl may hold these: some of the clean run's, or those that it began with."""
        return any(within(records, known.get(path, ())) for known in (self.final, self.before))


class Judge:
    """Looks at the folder after a run with a fault."""

    def __init__(self, sweep, clean, point, folder):
        self.sweep, self.clean, self.point, self.folder = sweep, clean, point, folder
        self.found = []

    def add(self, kind, text):
        self.found.append((kind, text))

    def all(self, ended):
        call, _, _, what = self.point
        now = state(self.folder)
        self.ending(ended, call, what)
        if ended.code is None or self.took_another(ended):
            return self.found
        self.files(now)
        complete = ended.code == 0 and self.same(now, ended, "wrong")
        if ended.code == 0 and what == "kill":
            self.add("wrong", "was killed, and ended with 0")
        if any("checkpoints" in path for path in now) and not complete:
            self.verify()
        if not complete:
            again = self.sweep.run(self.clean.name, self.folder)
            if again.code != 0:
                self.add("stuck", f"again: code {again.code}: {last_line(again.err)}")
            else:
                self.same(state(self.folder), again, "differs", warned=self.warned(ended))
        return self.found

    def ending(self, ended, call, what):
        packed = self.clean.name in ("import_csv", "import_idx")  # after an interrupted read zlib can't go on
        if ended.code is None:
            self.add("hang", f"did not end within {TIMEOUT} s: {last_line(ended.err)}")
        elif what == "kill":
            return
        elif ended.code > 128 or ended.code < 0:
            self.add("crash", f"code {ended.code}: {last_line(ended.err)}")
        elif ended.code not in CODES and not SCENARIOS[self.clean.name].ranks:
            self.add("code", f"code {ended.code}: {last_line(ended.err)}")
        elif ended.code and "lockstep: " not in ended.err and not self.clean.prints:
            self.add("code", f"code {ended.code} without a message")
        elif ended.code and what == "EINTR" and (call in INTERRUPTED or call == "read" and not packed):
            self.add("eintr", f"code {ended.code}: {last_line(ended.err)}")
        elif ended.code:
            self.blame(ended, what)

    def blame(self, ended, what):
        name = self.point[1].removesuffix(".*.tmp").rsplit("/", 1)[-1]
        said = ended.err + (ended.out if self.clean.prints else "")
        if what in DISK and ended.code != 74:
            self.add("blame", f"code {ended.code}: {last_line(said)}")
        elif name != "w" and os.path.splitext(name)[0] not in said:
            self.add("blame", f"names no {name}: {last_line(said)}")

    def files(self, now):
        clean = self.clean
        for path, value in now.items():
            if TEMPORARY.search(path):
                continue
            if path.endswith("metrics.jsonl"):
                if not clean.has(path, value):
                    self.add("half", f"{path} holds other records")
            elif path in clean.versions and value not in clean.versions[path]:  # else saved at another step: verify
                self.add("half", f"{path} is neither an old nor a whole new one")
        for path in () if "--overwrite" in SCENARIOS[clean.name].command else clean.before:
            kept = path in clean.final or path == newest(clean.before)
            if kept and path not in now and newest(now) <= newest(clean.before):
                self.add("lost", f"{path} is gone")

    def same(self, now, ended, kind, warned=False):
        """Whether the state is the clean run's; if it is not, a finding."""
        clean, before = self.clean, len(self.found)
        if clean.prints and ended.out != clean.out:
            self.add(kind, f"printed something else: {ended.out[:200]!r}")
        warned, last = warned or self.warned(ended), newest(now)
        for path in sorted(set(now) | set(clean.final)):
            a, b = now.get(path), clean.final.get(path)
            if a == b:
                continue
            if path.endswith("metrics.jsonl"):
                if not warned or (a is not None and not within(a, b or ())):
                    self.add(kind, f"{path}: " + difference(a or (), b or ()))
            elif TEMPORARY.search(path) and kind == "differs":
                self.add("litter", path)
            elif re.search(r"step-\d+\.\w+$", path) and path < last:
                self.add("older", f"{path} is {'missing' if a is None else 'there'}")
            elif not TEMPORARY.search(path):
                self.add(kind, f"{path} is {'missing' if a is None else 'more than it should be' if b is None else 'another'}")
        return len(self.found) == before and not any(TEMPORARY.search(path) for path in now)

    def took_another(self, ended):
        """Whether a checkpoint was found damaged, for its file ended early, and another taken, as a notice says."""
        name = self.point[1].rsplit("/", 1)[-1].rsplit(".", 1)[0]
        checkpoint = name == "best" or name.startswith("step-")
        return ended.code == 0 and self.point[3] == "zero" and checkpoint and f"{name}." in ended.err + ended.out

    @staticmethod
    def warned(ended):
        """Whether it was said that records were lost; training goes on without them."""
        return "metrics.jsonl: can't" in ended.out + ended.err

    def verify(self):
        run = "next" if "run=next" in SCENARIOS[self.clean.name].command else "run"
        if not os.path.isdir(f"{self.folder}/w/{run}"):
            return
        ended = self.sweep.run(self.clean.name, self.folder, command=f"verify {run}")
        damaged = re.findall(r"DOES NOT HOLD\n *(.*)", ended.out)
        none = "NEVER FINISHED" in ended.out or "holds no checkpoint to verify" in ended.err
        if ended.code != 0 and (damaged or not none):
            self.add("verify", f"code {ended.code}: {damaged[0] if damaged else last_line(ended.err)}")


def read(path):
    with open(path, errors="replace") as file:
        return file.read()


def last_line(text):
    lines = [line for line in re.split(r"[\n\r]", text) if "lockstep:" in line] or text.strip().split("\n")
    return lines[-1][:300]


def must_end_well(ended, command):
    if ended.code != 0:
        sys.exit(f"sweep: without a fault, `{command}` ended with {ended.code}: {ended.err}")


def records(text):
    """The records of metrics.jsonl without times; None for a line that is no record."""
    found = []
    for line in text.split("\n"):
        if not line:
            continue
        try:
            record = json.loads(line)
            found.append(json.dumps({key: record[key] for key in RECORD if key in record}))
        except (ValueError, TypeError):
            found.append(None)
    return tuple(found)


def state(folder):
    """Path and content of every file, but for what differs from run to run."""
    found, top = {}, f"{folder}/w"
    for where, _, names in os.walk(top):
        for name in names:
            path = os.path.join(where, name)
            inside = os.path.relpath(path, top)
            if name == "metrics.jsonl":
                found[inside] = records(read(path))
            elif name.endswith(".ok"):
                found[inside] = re.sub(r'"before": {.*?}, ', "", read(path))  # a digest that may be there, or not
            elif name != "lock":
                with open(path, "rb") as file:
                    found[inside] = hashlib.sha256(file.read()).hexdigest()
    return found


def within(some, every):
    """Whether these records are some of the others, in their order. The last may be half a line."""
    rest = iter(every)
    some = some[:-1] if some and some[-1] is None else some
    return all(record in rest for record in some)


def difference(a, b):
    counts = collections.Counter(a), collections.Counter(b)
    return f"{sum((counts[1] - counts[0]).values())} records are missing, {sum((counts[0] - counts[1]).values())} are too many"


def newest(files):
    """The newest checkpoint that is committed; "": there is none."""
    return max((path for path in files if re.search(r"step-\d+\.ok$", path)), default="")


def log_of(path, folder):
    """[(call, path)]; paths begin with w. What differs from run to run in a temporary name becomes a *."""
    calls = []
    for line in open(path):
        call, _, where, _ = line.rstrip("\n").split("\t")
        calls.append((call, TEMPORARY.sub(".*.tmp", os.path.relpath(where, folder))))
    return calls


def points(name, calls):
    found, seen = [], collections.Counter()
    for call, glob in calls:
        seen[call, glob] += 1
        if ".so" in glob:
            continue
        for what in HAPPENS[call]:
            found.append((call, glob, seen[call, glob], what))
    return found


def text_of(name, point):
    call, glob, count, what = point
    return f"{name} {call}@{glob}:{count}:{what}"


def is_known(text):
    return any(fnmatch.fnmatchcase(text, known) for known in KNOWN)


def chosen(options, clean):
    draw = random.Random(f"{options.seed} {clean.name}")
    for point in clean.points:
        text, lot = text_of(clean.name, point), draw.random()
        if options.only:
            if fnmatch.fnmatchcase(text, options.only):
                yield point
        elif lot < options.share or (options.share < 1 and is_known(text)):
            yield point


def arguments():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default=os.environ.get("BUILD", "build"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--log")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    options.build = os.path.realpath(options.build)
    options.scenarios = options.scenarios or list(SCENARIOS)
    return options


def report(found, tried, seconds):
    kinds = collections.defaultdict(list)
    for text, findings in found.items():
        for kind, what in findings:
            kinds[kind].append((text, what))
    for kind, list_of in sorted(kinds.items()):
        print(f"\n{kind}: {len(list_of)}")
        for text, what in sorted(list_of):
            print(f"  {text}: {what}")
    print(f"\n{tried} points tried in {seconds:.0f} s: " +
          (", ".join(f"{len(list_of)} {kind}" for kind, list_of in sorted(kinds.items())) or "nothing was found"))
    return 1 if set(kinds) - set(ADVICE) else 0


def main():
    options, start = arguments(), time.time()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("sweep: was stopped"))
    done = {}
    if options.log and os.path.exists(options.log):
        for line in open(options.log):
            entry = json.loads(line)
            done[entry["point"]] = [tuple(item) for item in entry["found"]]
    top = os.path.realpath(tempfile.mkdtemp(prefix="faults."))
    sweep, tried, missed = Sweep(options.build, top), 0, 0
    log = open(options.log, "a") if options.log else None
    try:
        for name in options.scenarios:
            clean = sweep.prepare(name)
            todo = [point for point in chosen(options, clean) if text_of(name, point) not in done]
            print(f"{name}: {len({point[:3] for point in clean.points})} calls, {len(clean.points)} points, "
                  f"{len(todo)} to try", flush=True)
            if options.list:
                print("\n".join("  " + text_of(name, point) for point in todo))
                continue
            with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
                results = pool.map(lambda numbered: (numbered[1], *sweep.attempt(clean, numbered[1], numbered[0])),
                                   enumerate(todo))
                for point, found, hit in results:
                    text = text_of(name, point)
                    done[text] = found
                    tried += 1
                    missed += not hit
                    if log:
                        log.write(json.dumps({"point": text, "found": found, "hit": hit}) + "\n")
                        log.flush()
    finally:
        shutil.rmtree(top, ignore_errors=True)
    if missed:
        print(f"{missed} points were not reached")
    return report(done, tried, time.time() - start)


if __name__ == "__main__":
    sys.exit(main())
