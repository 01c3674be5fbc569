#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""bench.py - the yardstick of guard: what it costs, side by side with other ways.

    make bench                        all rows: a table, and bench.json
    make bench-floor                  the kernel's mechanism alone, on this machine
    make bench BENCH_ROWS='tcp*,start' BENCH_ROUNDS=9 BENCH_ARMS=bare,again,guard
    make bench BENCH_ROWS='*-pinned' BENCH_FIFO=1

Every round runs every workload under every arm, in an order drawn anew, so that
what else goes on in the machine meets all alike; each figure is divided by the bare
one of its own round, and the median of the rounds counts, with the quartiles as its
spread. "A/A" is bare against bare: differences below its spread say nothing.

On a machine that others use as well, BENCH_FIFO=1 runs everything in the real-time
class (SCHED_FIFO, as root). Nothing else then gets between the steps of a call, and
the spread shrinks to a few per cent; but that class spreads wakers and wakees over
the processors, so that it suits the pinned rows, and says little about the others.

Needed are python3, make and a C compiler; the rows of strace, proot, bubblewrap,
firejail, redis-server with redis-tools, nginx-light and wrk (Debian's names) are
skipped, with the reason, where these are not installed.
"""

import argparse
import fnmatch
import json
import os
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import report
from arms import ARMS, BY_NAME, Places, missing
from workloads import WORKLOADS, Crowd, Failed, Micro, Server

BENCH_ARMS = ["bare", "again", "guard", "block", "strace", "proot", "bwrap", "firejail", "floor",
              "ptrace"]
FLOOR_ARMS = ["bare", "again", "filter", "continue", "read", "floor", "verify", "ptrace"]
# of a heavy workload, and of the arms that are there for reference only
HEAVY_SHARE = 2
REFERENCE_ROUNDS = 3


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def cpu_times():
    """(busy, stolen, all) of all processors, in ticks."""
    fields = [int(word) for word in read("/proc/stat").splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], fields[7], sum(fields)


def version_of(places):
    done = subprocess.run([places.built("guard"), "version"], stdout=subprocess.PIPE, text=True,
                          check=False)
    head = subprocess.run(["git", "-C", places.source, "rev-parse", "--short", "HEAD"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return (done.stdout.splitlines() or ["?"])[0], head.stdout.strip() or None


def machine():
    info = read("/proc/cpuinfo") or ""
    model = re.search(r"model name\s*:\s*(.*)", info)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "virtual": "hypervisor" in info,
        "kernel": platform.release(),
        "governor": read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "none",
        "load_before": list(os.getloadavg()),
    }


class Bench:
    def __init__(self, options, places):
        self.options, self.places = options, places
        self.arms = [BY_NAME[name] for name in options.arms]
        self.workloads = [w for w in WORKLOADS if self.wanted(w)]
        self.rows = [row for w in self.workloads for row in w.rows]
        self.floors = {row.name: w.floor for w in self.workloads if w.floor for row in w.rows}
        self.samples = {row.name: {} for row in self.rows}
        self.skipped = {}  # (workload, arm) -> reason
        self.random = random.Random(options.seed)

    def wanted(self, workload):
        if self.options.floor and not (isinstance(workload, Micro) and workload.floor):
            return False
        names = [workload.name, *(row.name for row in workload.rows)]
        return any(fnmatch.fnmatch(name, pattern) for name in names
                   for pattern in self.options.rows)

    def cell(self, workload, arm, number):
        """The prefix to run it with; None = not in this round, or not at all."""
        if workload.only and arm.name not in workload.only:
            return None
        prefix = arm.prefix(self.places, workload)
        if prefix is None:
            return None
        reason = workload.missing() or missing(arm)
        if reason:
            self.skipped.setdefault((workload.name, arm.name), reason)
        if (workload.name, arm.name) in self.skipped:
            return None
        if self.options.quick:
            # that every row and every arm runs, not their product
            few = isinstance(workload, (Server, Crowd)) and arm.name not in ("bare", "guard")
            many = arm.reference and workload.name not in ("getppid", "compile")
            return None if few or many else prefix
        limit = self.options.rounds
        if workload.heavy:
            limit = max(REFERENCE_ROUNDS, -(-limit // HEAVY_SHARE))
        if arm.reference:
            limit = min(limit, 1 if workload.heavy else REFERENCE_ROUNDS)
        return prefix if number < limit else None

    def once(self, workload, arm, prefix, number):
        try:
            figures = workload.run(self.places, prefix, self.options.quick)
        except (Failed, subprocess.TimeoutExpired) as error:
            self.skipped[(workload.name, arm.name)] = f"failed: {error}"
            return
        for row, value in figures.items():
            self.samples[row].setdefault(arm.name, {})[number] = value

    def round(self, number):
        began = time.monotonic()
        order = self.workloads[:]
        self.random.shuffle(order)
        for workload in order:
            cells = [(arm, self.cell(workload, arm, number)) for arm in self.arms]
            cells = [(arm, prefix) for arm, prefix in cells if prefix is not None]
            self.random.shuffle(cells)
            for arm, prefix in cells:
                self.once(workload, arm, prefix, number)
        print(f"round {number + 1} of {self.options.rounds}: {time.monotonic() - began:.0f} s",
              file=sys.stderr, flush=True)


def parts(places):
    """Single steps of a supervisor, in µs."""
    done = subprocess.run([places.built("tests/bench/floor"), "parts"], stdout=subprocess.PIPE,
                          text=True, check=False)
    return {name: float(us) for name, us in
            (line.split() for line in done.stdout.splitlines())}


def show(bench, host, steps, rounds):
    print(f"{host['guard']} ({host['commit'] or 'no commit'}) on {host['cpu']}, "
          f"{host['processors']} processors{', virtual' if host['virtual'] else ''}, "
          f"Linux {host['kernel']}, governor {host['governor']}")
    print(f"{rounds} rounds; load {host['load_before'][0]:.1f} before, "
          f"{host['load_after'][0]:.1f} after; processors {host['busy']:.0%} busy, "
          f"{host['stolen']:.0%} stolen"
          f"{'; real-time class' if bench.options.fifo else ''}\n")
    arms = [arm.name for arm in bench.arms]
    print("Ratio to bare: the median of the rounds, ± half the distance between quartiles")
    print("\n".join(report.ratio_table(bench.rows, bench.samples, arms)))
    distance = report.floor_table(bench.rows, bench.samples, bench.floors)
    if distance:
        print("\nDistance to the floor: the kernel's mechanism alone (floor -l), in time")
        print("\n".join(distance))
    if steps:
        print("\nSingle steps of a supervisor, µs")
        print("\n".join(report.lines_of([[name, f"{us:.2f}"] for name, us in steps.items()])))
    if not bench.options.floor:
        print("\nTargets: median [quartiles]")
        print("\n".join(report.target_table(bench.rows, bench.samples)))
    for (workload, arm), reason in sorted(bench.skipped.items()):
        print(f"SKIP {workload} under {arm}: {reason}")
    print("\nArms: " + "; ".join(f"{arm.name} = {arm.what}" for arm in bench.arms))


def options_of(argv):
    env = os.environ.get
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default=env("top_builddir", "."), help="where guard is built")
    parser.add_argument("--rounds", type=int, default=int(env("BENCH_ROUNDS") or 7))
    parser.add_argument("--rows", default=env("BENCH_ROWS") or "*",
                        help="names or patterns, separated by commas")
    parser.add_argument("--arms", default=env("BENCH_ARMS"), help="names, separated by commas")
    parser.add_argument("--floor", action="store_true", help="the mechanism alone")
    parser.add_argument("--quick", action="store_true", default=bool(env("BENCH_QUICK")),
                        help="one round of tiny counts: whether everything runs")
    parser.add_argument("--fifo", action="store_true", default=bool(env("BENCH_FIFO")),
                        help="all in the real-time class, which other load does not disturb")
    parser.add_argument("--json", default=env("BENCH_JSON") or "bench.json")
    parser.add_argument("--seed", type=int, default=None, help="of the order")
    parser.add_argument("--list", action="store_true", help="rows and arms")
    options = parser.parse_args(argv)
    options.rows = options.rows.split(",")
    default = FLOOR_ARMS if options.floor else BENCH_ARMS
    options.arms = options.arms.split(",") if options.arms else default
    unknown = [name for name in options.arms if name not in BY_NAME]
    if unknown:
        parser.error(f"no such arm: {', '.join(unknown)}")
    if options.quick:
        options.rounds = 1
    return options


def measure(options, work):
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    places = Places(build=os.path.abspath(options.build), source=source, work=work,
                    cpu=max(os.sched_getaffinity(0)))
    # ignored in the background of a shell; ends the bench with what there is
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if options.fifo:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    bench = Bench(options, places)
    host, before, done = machine(), cpu_times(), 0
    host["guard"], host["commit"] = version_of(places)
    steps = parts(places) if options.floor and not options.quick else {}
    try:
        for number in range(options.rounds):
            bench.round(number)
            done += 1
    except KeyboardInterrupt:
        print("interrupted: what there is so far", file=sys.stderr)
    busy, stolen, total = (b - a for a, b in zip(before, cpu_times()))
    host.update(load_after=list(os.getloadavg()), busy=busy / max(total, 1),
                stolen=stolen / max(total, 1))
    show(bench, host, steps, done)
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump({"machine": host, "rounds": done, "quick": options.quick,
                   "fifo": options.fifo, "parts_us": steps,
                   "rows": report.as_json(bench.rows, bench.samples, bench.floors),
                   "targets": report.targets_json(bench.samples),
                   "skipped": [{"workload": w, "arm": a, "reason": r}
                               for (w, a), r in sorted(bench.skipped.items())]}, file, indent=1)
        file.write("\n")


def main(argv):
    options = options_of(argv)
    if options.list:
        for workload in WORKLOADS:
            print(*(row.name for row in workload.rows), sep="\n")
        print("\n".join(f"arm {arm.name}: {arm.what}" for arm in ARMS))
        return 0
    work = tempfile.mkdtemp(prefix="guard-bench.")
    try:
        measure(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
