#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A supervisor that dies at a bad moment: what its workload came to is known, what
# was under way goes on. Exercises engine/children, engine/start, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
need strace

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { exec timeout -k 1 60 "$guard" run -q -p "$work/quiet.policy" -- "$@"; }
state_is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = "$2" ]; }
gone() { [ ! -e "/proc/$1/root" ]; }
ends() { wait "$1"; exits "$2" returns $?; }
returns() { return "$1"; }
traced() { grep -q '^TracerPid:.[1-9]' "/proc/$1/status"; }

# the first process ends while the supervisor looks at its stop, and the supervisor is
# killed just when it has waited for it
rm -f ready
start guarded sh -c 'echo $$ >ready; exec sleep 1000'
timeout_pid=$!
eventually test -s ready
root=$(cat ready)
guard_pid=$(children "$timeout_pid")
guard_pid=${guard_pid% }
supervisor=$(supervisor_of "$guard_pid")
start strace -qq -o /dev/null -p "$supervisor" -e trace=wait4,waitid -e inject=wait4,waitid:delay_exit=700000
eventually traced "$supervisor"
kill -STOP "$root"
eventually state_is "$root" T
kill -TERM "$root"
kill -CONT "$root"
reaped() { [ ! -e "/proc/$root" ]; }
eventually reaped
kill -KILL "$supervisor"
check "the status of a workload outlives who waited for it" ends "$timeout_pid" 143
finish
