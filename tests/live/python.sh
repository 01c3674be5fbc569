#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# python3: subprocess (vfork or fork), posix_spawn, threads that start programs at
# the same time, process pools. Exercises one exec in flight per process, and execs
# of many threads.
. "${srcdir:-.}/tests/live/tap.sh"
need python3 jq

policy python <<END
  - id: watch
    expression: exec.file.name == "echo"
    every: 1ns
  - id: refuse
    expression: exec.args in [~"*forbidden*"]
    actions:
      - block: {errno: EPERM}
  - id: doom
    expression: exec.args in [~"*doomed*"]
    actions:
      - kill: {signal: SIGKILL, scope: process}
END
guarded() { rm -f events; "$guard" run -q -p "$work/python.policy" -o "file:$work/events" -- "$@"; }

cat >spawn.py <<'END'
import multiprocessing, os, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor

def one(n):
    return subprocess.run(["/bin/echo", str(n)], capture_output=True, text=True).stdout.strip()

def square(n):
    return n * n

def attempt(word):
    try:
        return subprocess.run(["/bin/echo", word], capture_output=True, text=True).returncode
    except PermissionError as error:
        return f"PermissionError {error.errno}"

def mixed(n):
    return attempt(("fine", "forbidden", "doomed")[n % 3])

if __name__ == "__main__":
    print(one(1), subprocess.call(["sh", "-c", "exit 7"]))
    with ThreadPoolExecutor(8) as pool:
        print(sorted(map(int, pool.map(one, range(80)))) == list(range(80)))
    pid = os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(sum(pool.map(square, range(100))))
    print(subprocess.run("echo a | tr a b; exit 4", shell=True, capture_output=True).stdout)
    print(subprocess.run(["/bin/echo"], close_fds=False, start_new_session=True).returncode)
    if len(sys.argv) > 1:
        with ThreadPoolExecutor(6) as pool:
            got = list(pool.map(mixed, range(90)))
        print([got[i::3].count(w) for i, w in enumerate((0, "PermissionError 1", -9))])
END
native=$(python3 spawn.py)
check "spawn.py does the same under guard" prints "$native" guarded python3 spawn.py
check "each echo is reported" verdicts events watch detected 83

mixed() { "$@" python3 spawn.py mixed | tail -n 1; }
check "six threads: 30 run, 30 refused, 30 killed" prints "[30, 30, 30]" mixed guarded
check "30 refusals are reported" verdicts events refuse blocked 30
check "30 kills are reported" verdicts events doom killed 30
check "without guard all run" prints "[30, 0, 0]" mixed env
finish
