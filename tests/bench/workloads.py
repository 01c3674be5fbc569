# SPDX-License-Identifier: GPL-3.0-or-later
"""The workloads of the bench. Each runs once under a prefix (an arm) and returns a
figure for each of its rows."""

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass


class Failed(Exception):
    """The workload did not run under this arm: a cell with a reason."""


@dataclass
class Row:
    name: str
    unit: str  # ns, s, /s, MiB: how it is shown
    more_is_better: bool = False


class Workload:
    floor = None      # (mode, call) of tests/bench/floor, what guard's row is compared with
    modes = ()        # further modes of it that are arms of this workload
    heavy = False     # takes long: fewer rounds
    sends = False     # makes calls that send to an address
    program = None    # needed in PATH
    only = None       # the arms that make sense, None = all

    def __init__(self, name, rows):
        self.name = name
        self.rows = rows

    def missing(self):
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not installed"
        return None


def environment():
    # a plain one, the same for all arms and all who measure
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
        "LC_ALL": "C", "HOME": "/", "TMPDIR": "/tmp",
        **{f"BENCH_{i}": "a variable as there are many" for i in range(24)},
    }


def spend(command, cwd):
    """Runs COMMAND: seconds by the clock, and of CPU with all that it waited for."""
    with open(os.path.join(cwd, "said"), "w+b") as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL,
                                 stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            text = said.read().decode(errors="replace").strip()
            raise Failed(f"status {child.returncode}: {text[-200:]}")
    return took, usage.ru_utime + usage.ru_stime


class Micro(Workload):
    """One operation of tests/bench/ops, timed by itself."""

    milliseconds = 250

    def __init__(self, name, op, floor=None, modes=(), target=None, pinned=False, sends=False):
        super().__init__(name, [Row(name, "ns")])
        self.op, self.floor, self.modes, self.pinned = op, floor, modes, pinned
        self.target, self.sends = target, sends

    def run(self, places, prefix, quick):
        command = [*prefix, places.built("tests/bench/ops"), "-m", "5" if quick else str(self.milliseconds)]
        if self.pinned:
            command = ["taskset", "-c", str(places.cpu), *command]
        target = self.target
        if target == "nothing":
            target = places.built("tests/bench/nothing")
        command += ["-o", target or places.work, self.op]
        done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=places.work, timeout=120, check=False)
        try:
            return {self.name: float(done.stdout)}
        except ValueError:
            raise Failed(f"status {done.returncode}: {done.stderr.strip()[-200:]}") from None


class Start(Workload):
    """From nothing to the end of true(1)."""

    def __init__(self):
        super().__init__("start", [Row("start", "s")])

    def run(self, places, prefix, quick):
        command = [*(prefix or ["env"]), "true"]
        times = [spend(command, places.work)[0] for _ in range(2 if quick else 15)]
        return {"start": statistics.median(times)}


class Compile(Workload):
    """200 small files, make -j with as many jobs as there are processors."""

    heavy = True
    program = "make"

    def __init__(self):
        super().__init__("compile", [Row("compile", "s"), Row("compile-cpu", "s")])

    def run(self, places, prefix, quick):
        count = 4 if quick else 200
        folder = os.path.join(places.work, f"compile-{count}")
        if not os.path.isdir(folder):
            self.write(folder, count)
        jobs = len(os.sched_getaffinity(0))
        took, cpu = spend([*prefix, "make", "-s", "-B", f"-j{jobs}"], folder)
        return {"compile": took, "compile-cpu": cpu}

    @staticmethod
    def write(folder, count):
        os.mkdir(folder)
        for i in range(count):
            with open(f"{folder}/f{i}.c", "w", encoding="ascii") as file:
                file.write("#include <stdio.h>\n#include <string.h>\n")
                for k in range(8):
                    file.write(f"int f{i}_{k}(const char *a, int n);\n"
                               f"int f{i}_{k}(const char *a, int n)\n{{\n"
                               f"\tint sum = {k};\n"
                               f"\tfor (int j = 0; j < n && a[j]; j++)\n"
                               f"\t\tsum += (int)strlen(a + j) * a[j];\n"
                               f"\treturn printf(\"%d\", sum);\n}}\n")
        with open(f"{folder}/Makefile", "w", encoding="ascii") as file:
            names = " ".join(f"f{i}.o" for i in range(count))
            compiler = os.environ.get("CC", "cc").split()[0]
            file.write(f"CC = {compiler}\nCFLAGS = -O1\nall: {names}\n")


class Probes(Workload):
    """A shell script like a configure script."""

    heavy = True

    def __init__(self):
        super().__init__("configure", [Row("configure", "s"), Row("configure-cpu", "s")])

    def run(self, places, prefix, quick):
        folder = os.path.join(places.work, "configure")
        os.makedirs(folder, exist_ok=True)
        script = os.path.join(places.source, "tests/bench/probes.sh")
        took, cpu = spend([*prefix, "sh", script, "8" if quick else "120"], folder)
        return {"configure": took, "configure-cpu": cpu}


# ---- servers: they run under the arm, their clients outside ---------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    except OSError:
        pass
    return found


def descendants(pid):
    for child in children(pid):
        yield child
        yield from descendants(child)


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


class Server(Workload):
    def start(self, command, cwd, port):
        log = open(os.path.join(cwd, "server.log"), "wb")
        process = subprocess.Popen(command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, start_new_session=True)
        log.close()
        until = time.monotonic() + 20
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return process
            except OSError:
                time.sleep(0.01)
        self.stop(process)
        with open(os.path.join(cwd, "server.log"), encoding="utf-8", errors="replace") as said:
            raise Failed(f"{self.program} does not answer: {said.read().strip()[-200:]}")

    def stop(self, process):
        """Asks the server itself, wherever below PROCESS it is, then waits for all."""
        for pid in [process.pid, *descendants(process.pid)]:
            if name_of(pid).startswith(self.program):
                os.kill(pid, signal.SIGTERM)
                break
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @staticmethod
    def ask(command):
        done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False)
        if done.returncode:
            raise Failed(f"{command[0]}: {done.stderr.strip()[-200:]}")
        return done.stdout


class Redis(Server):
    heavy = True
    program = "redis-server"

    def __init__(self):
        super().__init__("redis", [Row(f"redis-{what}-{depth}", "/s", True)
                                   for depth in ("P1", "P16") for what in ("set", "get")])

    def missing(self):
        return super().missing() or (
            None if shutil.which("redis-benchmark") else "redis-benchmark is not installed")

    def run(self, places, prefix, quick):
        port = free_port()
        server = self.start([*prefix, "redis-server", "--port", str(port), "--save", "",
                             "--appendonly", "no", "--bind", "127.0.0.1"], places.work, port)
        figures = {}
        try:
            for depth, requests in ((1, 20000), (16, 200000)):
                text = self.ask(["redis-benchmark", "-p", str(port), "-t", "set,get", "--csv",
                                 "-n", str(requests // 40 if quick else requests),
                                 "-P", str(depth)])
                for what in ("set", "get"):
                    found = re.search(rf'"{what}","([0-9.]+)"', text, re.I)
                    if found:
                        figures[f"redis-{what}-P{depth}"] = float(found.group(1))
        finally:
            self.stop(server)
        return figures


class Nginx(Server):
    heavy = True
    program = "nginx"

    def __init__(self):
        super().__init__("nginx", [Row("nginx-keepalive", "/s", True), Row("nginx-new", "/s", True)])

    def missing(self):
        if not shutil.which("nginx", path=environment()["PATH"]):
            return "nginx is not installed"
        return None if shutil.which("wrk") else "wrk is not installed"

    def run(self, places, prefix, quick):
        port = free_port()
        folder = os.path.join(places.work, "nginx")
        os.makedirs(folder, exist_ok=True)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{folder}/nginx.conf", "w", encoding="ascii") as file:
            file.write(f"daemon off; worker_processes 1; error_log {folder}/error.log; "
                       f"pid {folder}/nginx.pid;\nevents {{ worker_connections 512; }}\n"
                       f"http {{ {temporary} access_log off; server {{ listen 127.0.0.1:{port}; "
                       f"location / {{ return 200 \"{'x' * 600}\"; }} }} }}\n")
        server = self.start([*prefix, "nginx", "-p", folder, "-c", f"{folder}/nginx.conf"],
                            folder, port)
        try:
            return {row: self.rate(port, more, quick) for row, more in
                    (("nginx-keepalive", []), ("nginx-new", ["-H", "Connection: close"]))}
        finally:
            self.stop(server)

    def rate(self, port, more, quick):
        text = self.ask(["wrk", "-t1", "-c16", "-d1s" if quick else "-d2s", *more,
                         f"http://127.0.0.1:{port}/"])
        return float(re.search(r"Requests/sec:\s*([0-9.]+)", text).group(1))


class Crowd(Workload):
    """What the supervisor itself takes: with 1,000 processes that it knows."""

    only = ("guard", "block")
    heavy = True
    count = 1000

    def __init__(self):
        super().__init__("supervisor", [Row("supervisor-rss", "MiB"), Row("supervisor-cpu", "ns")])

    def run(self, places, prefix, quick):
        count = 20 if quick else self.count
        command = [*prefix, places.built("tests/bench/ops"), "-c", str(count),
                   "-o", places.built("tests/bench/nothing"), "crowd"]
        with subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, cwd=places.work) as process:
            try:
                self.expect(process, "begin")
                supervisor = self.supervisor_of(process.pid)
                before = self.cpu_ns(supervisor)
                self.go_on(process)
                self.expect(process, "ready")
                with open(f"/proc/{supervisor}/status", encoding="ascii") as file:
                    kib = int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))
                spent = self.cpu_ns(supervisor) - before
                self.go_on(process)
            except OSError as error:
                raise Failed(str(error)) from None
        return {"supervisor-rss": kib / 1024, "supervisor-cpu": spent / count}

    @staticmethod
    def expect(process, word):
        line = process.stdout.readline().strip()
        if line != word:
            raise Failed(f"said '{line}' instead of '{word}'")

    @staticmethod
    def go_on(process):
        process.stdin.write("\n")
        process.stdin.flush()

    @staticmethod
    def supervisor_of(keeper):
        own = os.readlink(f"/proc/{keeper}/exe")
        for child in children(keeper):
            if os.readlink(f"/proc/{child}/exe") == own:
                return child
        raise Failed("no supervisor below guard")

    @staticmethod
    def cpu_ns(pid):
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total


CALL = ("continue", "ptrace")

WORKLOADS = [
    Micro("getppid", "getppid", ("filter", "getppid"), ("continue", "read", "ptrace")),
    Micro("open-close", "open"),
    Micro("register", "register", ("continue", "kill"), ("ptrace",)),
    Micro("register-pinned", "register", ("continue", "kill"), ("ptrace",), pinned=True),
    Micro("signal-kill", "kill"),
    Micro("signal-pipe", "sigpipe"),
    Micro("udp-connect", "udp", ("connect", "connect"), CALL),
    Micro("udp-connect-pinned", "udp", ("connect", "connect"), CALL, pinned=True),
    Micro("tcp-connect", "tcp", ("connect", "connect"), CALL),
    Micro("tcp-connect-pinned", "tcp", ("connect", "connect"), CALL, pinned=True),
    Micro("tcp-nonblocking", "tcp-nonblock", ("connect", "connect"), CALL),
    Micro("unix-connect", "unix", ("continue", "connect"), CALL),
    Micro("udp-echo", "udp-echo", ("send", "sendmsg"), CALL, sends=True),
    Micro("vfork-static", "vfork", ("continue", "execve"), ("verify", "ptrace"), "nothing"),
    Micro("vfork-static-pinned", "vfork", ("continue", "execve"), ("verify", "ptrace"), "nothing",
          pinned=True),
    Micro("vfork-dynamic", "vfork", ("continue", "execve"), ("verify", "ptrace"), "/bin/true"),
    Micro("vfork-dynamic-pinned", "vfork", ("continue", "execve"), ("verify", "ptrace"),
          "/bin/true", pinned=True),
    Micro("fork-static", "fork", ("continue", "execve"), ("verify", "ptrace"), "nothing"),
    Micro("fork-dynamic", "fork", ("continue", "execve"), ("verify", "ptrace"), "/bin/true"),
    Start(),
    Compile(),
    Probes(),
    Redis(),
    Nginx(),
    Crowd(),
]
