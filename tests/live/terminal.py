#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person at a terminal: types, reads the screen, gives up after a while.

terminal.py SCENARIO PREFIX...   PREFIX is what goes before a command: `env` for
the control arm, `guard run ... --` for the other. Exit status 0 = as expected.
"""
import atexit
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import sys
import time

PATIENCE = 15
TIOCGPTN = 0x80045430


class Terminal:
    """A pseudo-terminal with a program on it, which leads a session."""

    def __init__(self, argv):
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="ready> ", TERM="dumb", HISTFILE="/dev/null")
            os.execvp(argv[0], argv)
        atexit.register(self.clean_up)

    def clean_up(self):
        """Nothing is left behind by a scenario that failed."""
        for pid in {self.pid, *pids_below(self.pid)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def type(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        self.type(text + "\n")

    def read(self, deadline):
        if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.screen += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def expect(self, pattern):
        """Reads until PATTERN shows up; what came before is forgotten."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.screen, re.M)):
            if not self.read(deadline):
                sys.exit(f"never saw {pattern!r} on:\n{self.screen}")
        self.screen = self.screen[found.end():]
        return found

    def end(self):
        """The exit status as a shell would put it."""
        deadline = time.monotonic() + PATIENCE
        while self.read(deadline):
            pass
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(f"did not end, the screen shows:\n{self.screen}")


def same(got, want, what):
    if got != want:
        sys.exit(f"{what}: {got!r} instead of {want!r}")


def name_of(fd):
    """The terminal that belongs to a master descriptor."""
    number = fcntl.ioctl(fd, TIOCGPTN, bytes(4))
    return f"/dev/pts/{int.from_bytes(number, sys.byteorder)}"


def wait_for(path):
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            sys.exit(f"{path} never appeared")
        time.sleep(0.02)


def wait_for_child(pid, name):
    """Some descendant of PID has become the program NAME."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if name in names_below(pid):
            return
        time.sleep(0.02)
    sys.exit(f"no {name} below {pid}: {names_below(pid)}")


def wait_for_foreground(pid, name):
    """The descendant NAME of PID runs in the foreground of its terminal: the shell
    says so before it is so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for below in pids_below(pid):
            with contextlib.suppress(FileNotFoundError):
                with open(f"/proc/{below}/stat", encoding="ascii") as f:
                    comm, rest = f.read().split("(", 1)[1].rsplit(") ", 1)
                state, _, group, _, _, foreground = rest.split()[:6]
                if comm == name and state != "T" and group == foreground:
                    return
        time.sleep(0.02)
    sys.exit(f"{name} never came to the foreground")


def names_below(pid):
    names = []
    for child in pids_below(pid):
        try:
            with open(f"/proc/{child}/comm", encoding="ascii") as f:
                names.append(f.read().strip())
        except FileNotFoundError:
            pass  # it ended meanwhile
    return names


def pids_below(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = [int(child) for child in f.read().split()]
    except FileNotFoundError:
        return []
    return children + [below for child in children for below in pids_below(child)]


def caught(path):
    with open(path, encoding="ascii") as f:
        return f.read().split()


def wait_caught(path, name, count):
    wait_for(path)
    deadline = time.monotonic() + PATIENCE
    while caught(path).count(name) < count:
        if time.monotonic() > deadline:
            sys.exit(f"{name} did not come {count} times: {caught(path)}")
        time.sleep(0.02)


def interrupt_once(prefix):
    """Ctrl-C is for the whole group: the program gets it from the terminal, and
    must not get it again from guard."""
    t = Terminal([*prefix, os.environ["t_do"], "catch", "ready", "log"])
    wait_for("ready")
    for n in range(1, 4):
        t.type("\x03")
        wait_caught("log", "INT", n)
    t.type("\x1c")
    wait_caught("log", "QUIT", 1)
    with open("ready", encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGUSR2)
    same(t.end(), 7, "exit status")
    same(caught("log"), ["INT", "INT", "INT", "QUIT", "USR2"], "signals")


def interrupt_ends(prefix):
    """A program that does not catch SIGINT dies of it, and guard says 130."""
    t = Terminal([*prefix, "sh", "-c", "echo started; exec sleep 1000"])
    t.expect("started")
    t.type("\x03")
    same(t.end(), 130, "exit status")


def job_of_a_shell(prefix):
    """Guard as the job of an interactive shell: Ctrl-Z, jobs, fg, Ctrl-C."""
    command = " ".join([*prefix, os.environ["t_do"], "catch", "ready", "log"])
    t = Terminal(["bash", "--norc", "--noprofile", "-i"])
    t.expect("ready> ")
    t.line(command)
    wait_for("ready")
    t.type("\x1a")
    t.expect(r"Stopped")
    t.expect("ready> ")
    t.line("jobs")
    t.expect(r"\[1\]\+\s+Stopped")
    t.expect("ready> ")
    t.line("fg")
    wait_caught("log", "CONT", 1)
    t.type("\x03")
    wait_caught("log", "INT", 1)
    t.type("\x1a")
    t.expect(r"Stopped")
    t.expect("ready> ")
    t.line("bg")
    wait_caught("log", "CONT", 2)
    t.line("kill -USR2 %1; wait %1; echo status $?")
    t.expect("status 7")
    t.line("exit")
    t.end()


def shell_inside(prefix):
    """An interactive shell under guard keeps its job control."""
    t = Terminal([*prefix, "bash", "--norc", "--noprofile", "-i"])
    t.expect("ready> ")
    t.line("echo $-")
    t.expect(r"^\w*m\w*$")
    t.expect("ready> ")
    t.line("sh -c 'echo begun; exec sleep 1000'")
    t.expect("^begun")
    t.type("\x1a")
    t.expect(r"Stopped\s+sh")
    t.expect("ready> ")
    t.line("bg; jobs -r")
    t.expect(r"Running\s+sh")
    t.expect("ready> ")
    t.line("fg")
    t.expect("^sh .*sleep 1000")
    wait_for_foreground(t.pid, "sleep")
    t.type("\x03")
    t.expect("ready> ")
    t.line("echo interrupted $?")
    t.expect("interrupted 130")
    t.expect("ready> ")
    t.line("sh -c 'echo begun; exec cat' | sort")
    wait_for_child(t.pid, "cat")
    t.line("b\na")
    t.type("\x04")
    t.expect("^a\nb\nbegun\n")
    t.expect("ready> ")
    t.line("exit 9")
    same(t.end(), 9, "exit status")


def hangup(prefix):
    """The terminal goes away: the program gets SIGHUP."""
    t = Terminal([*prefix, os.environ["t_do"], "catch", "ready", "log"])
    wait_for("ready")
    os.close(t.fd)
    wait_caught("log", "HUP", 1)
    with open("ready", encoding="ascii") as f:
        os.kill(int(f.read()), signal.SIGUSR2)
    os.waitpid(t.pid, 0)


def window_size(prefix):
    """The terminal of the program is the terminal itself."""
    t = Terminal([*prefix, "sh", "-c", "tty; stty size; test -t 1 && test -t 2 && echo all; read x"])
    same(t.expect(r"^(/dev/pts/\d+)$").group(1), name_of(t.fd), "terminal")
    t.expect(r"^\d+ \d+$")
    t.expect("all")
    t.line("")
    same(t.end(), 0, "exit status")


if __name__ == "__main__":
    for leftover in ("ready", "log"):
        if os.path.exists(leftover):
            os.unlink(leftover)
    globals()[sys.argv[1]](sys.argv[2:])
