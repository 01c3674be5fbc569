# SPDX-License-Identifier: GPL-3.0-or-later
"""The arms of the bench: what a workload runs under, one row each."""

import os
import shutil
from dataclasses import dataclass
from typing import Callable, Optional


@dataclass
class Places:
    """Where things are: programs of the build, sources, a directory to work in."""

    build: str
    source: str
    work: str
    cpu: int  # where pinned rows run

    def built(self, name):
        return os.path.join(self.build, name)

    def policy(self, name):
        return os.path.join(self.source, name)


@dataclass
class Arm:
    name: str
    what: str
    # the words before the command, or None when the workload has no such arm
    prefix: Callable[[Places, "object"], Optional[list]]
    program: Optional[str] = None  # looked for in PATH
    # runs in few rounds of heavy workloads, and not at all in quick ones
    reference: bool = False


def guard(policy):
    def prefix(places, workload):
        return [
            places.built("guard"), "run", "-q", "-p", places.policy(policy),
            "-o", f"file:{places.work}/events", "--",
        ]

    return prefix


# What guard is notified of, under both policies and always: strace stops for the same.
CALLS = "execve,execveat,connect,kill,tkill,rt_sigqueueinfo,pidfd_send_signal,pidfd_open,ptrace,process_vm_readv,process_vm_writev"
SENDS = ",sendto,sendmsg,sendmmsg"


def strace(places, workload):
    calls = CALLS + (SENDS if workload.sends else "")
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={calls}", "-o", "/dev/null", "--"]


def floor(places, workload):
    """The mechanism alone that guard's own way is built on."""
    return [places.built("tests/bench/floor"), *workload.floor] if workload.floor else None


def other_floor(mode):
    def prefix(places, workload):
        if not workload.floor or mode not in workload.modes:
            return None
        return [places.built("tests/bench/floor"), mode, workload.floor[1]]

    return prefix


ARMS = [
    Arm("bare", "nothing around it", lambda p, w: []),
    Arm("again", "bare once more: the noise", lambda p, w: []),
    Arm("guard", "guard, its default policy", guard("conf/policies/default.policy")),
    Arm("block", "guard, a policy that refuses", guard("tests/bench/blocking.policy")),
    Arm("strace", "strace -f --seccomp-bpf, the same calls", strace, "strace"),
    Arm("proot", "proot", lambda p, w: ["proot"], "proot", reference=True),
    Arm("bwrap", "bwrap --dev-bind / /", lambda p, w: ["bwrap", "--dev-bind", "/", "/"],
        "bwrap", reference=True),
    Arm("firejail", "firejail --noprofile", lambda p, w: ["firejail", "--noprofile", "--quiet"],
        "firejail", reference=True),
    Arm("floor", "the mechanism alone", floor),
    Arm("filter", "a filter, nobody asked", other_floor("filter")),
    Arm("continue", "notify, CONTINUE", other_floor("continue")),
    Arm("read", "notify, 256 bytes read, CONTINUE", other_floor("read")),
    Arm("verify", "exec seized, its stop read, detached", other_floor("verify")),
    Arm("ptrace", "a tracer that stays", other_floor("ptrace")),
]

BY_NAME = {arm.name: arm for arm in ARMS}


def missing(arm):
    """Why ARM cannot run here, None when it can."""
    if arm.program and not shutil.which(arm.program):
        return f"{arm.program} is not installed"
    return None
