#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A supervisor that dies at a bad moment: what its workload came to is known, what
# was under way goes on. Exercises engine/children, engine/start, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
need strace jq
# it does not look for leaks under a tracer, and would say so by its status
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { exec timeout -k 1 180 "$guard" run -q -p "$work/quiet.policy" -- "$@"; }
state_is() { [ "$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)" = "$2" ]; }
child() { children "$1" | grep -oE '^[0-9]+'; }
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
guard_pid=$(child "$timeout_pid")
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

# it is killed when it has handed the listener over and not yet let the workload go
nowhere() { [ "$(readlink "/proc/$1/fd/1")" = /dev/null ]; }
parked() # COMMAND...
{
	start strace -qq -f -o /dev/null -e trace=sendmsg -e inject=sendmsg:delay_exit=500000:when=1 \
		timeout -k 1 120 "$guard" run -q -p connects.policy -- "$@"
	strace_pid=$!
	eventually handed_over && kill -KILL "$supervisor"
}
handed_over()
{
	guard_pid=$(child "$strace_pid") && guard_pid=$(child "$guard_pid") &&
		nowhere "$guard_pid" && supervisor=$(supervisor_of "$guard_pid")
}
policy connects <<END
  - id: never
    expression: connect.addr.port == 9
END
parked touch "$work/ran"
check "a parked workload is let go by the successor" ends "$strace_pid" 0
check "and has run" test -e ran
printf '#!/nowhere/at-all\n' >broken
chmod +x broken
: >.background
parked ./broken
check "one that cannot start is told by the successor" ends "$strace_pid" 127
check "with the reason" grep -q 'broken: No such file' .background

# a signal that comes when there is no workload yet is kept for it
start strace -qq -f -o /dev/null -e trace=clone -e inject=clone:delay_enter=500000:when=1 \
	timeout -k 1 20 "$guard" run -q -p connects.policy -- sleep 1000
strace_pid=$!
unborn()
{
	guard_pid=$(child "$strace_pid") && guard_pid=$(child "$guard_pid") &&
		grep -q '^SigBlk:.f' "/proc/$guard_pid/status" && supervisor_of "$guard_pid" >/dev/null
}
eventually unborn
kill -TERM "$guard_pid"
check "a signal before the birth of the workload is delivered to it" ends "$strace_pid" 143

# it dies when a refusal stands in the journal, and neither has the caller an answer nor
# was it killed
for name in refused killed slain; do
	cp "$t_do_static" "$name"
done
policy denies <<END
  - id: refused
    expression: exec.file.path == "$work/refused"
    actions:
      - block: {errno: EPERM}
  - id: refused_again
    expression: exec.file.path == "$work/refused" && exec.argv in ["status"]
    actions:
      - block: {errno: EPERM}
  - id: killed
    expression: exec.file.path == "$work/killed"
    actions:
      - kill: {signal: SIGKILL}
  - id: slain
    expression: exec.file.path == "$work/slain"
    actions:
      - kill: {signal: SIGKILL, scope: tree}
END
cat >actor <<'END'
#!/bin/bash
echo $$ >ready
until [ -e go ]; do sleep 0.02; done
"$t_do" execve "$work/$1" status 0
echo "status $?"
END
cat >caller-with-child <<'END'
#!/bin/bash
sleep 1000 & echo $! >grandchild
until [ -e go ]; do sleep 0.02; done
exec "$work/slain" status 0
END
chmod +x actor caller-with-child
export t_do work
denied() # WORKLOAD...: its output is in "out", that of guard in "told"
{
	rm -f ready go events grandchild
	start denying "$@"
	timeout_pid=$!
	eventually test -s ready || return
	guard_pid=$(child "$timeout_pid")
	supervisor=$(supervisor_of "$guard_pid")
	start strace -qq -o /dev/null -p "$supervisor" -e trace=write -e inject=write:delay_exit=1000000
	eventually traced "$supervisor" || return
	: >go
	# the keeper has heard of it by the very write that is held up
	eventually grep -q "^guard: " told || return
	kill -KILL "$supervisor"
	wait "$timeout_pid"
}
denying() { exec timeout -k 1 60 "$guard" run -p denies.policy -o "file:$work/events" -- "$@" >out 2>told; }
denied ./actor refused
check "a refusal that was written down is carried out" prints $'errno EPERM\nstatus 1' cat out
check "and logged once" verdicts events refused blocked 1
check "for each rule that refused" verdicts events refused_again blocked 1
check "it counts once" grep -q '^guard: 1 refused, 0 killed' told
check "the supervisor was replaced" internal events 'any(.agent.rule_id == "supervisor_restarted")'
check "no number is missing and none is used twice" event_filter events '[.[].guard.seq] | sort | . == [range(1; length + 1)]'
denied ./actor killed
check "a kill that was written down is carried out" grep -q 'status 137' out
check "and logged once" verdicts events killed killed 1
check "it counts once, too" grep -q '^guard: 0 refused, 1 killed' told
cat >with-child <<'END'
#!/bin/bash
./caller-with-child & caller=$!
until [ -s grandchild ]; do sleep 0.02; done
echo $$ >ready
wait $caller
echo "status $?"
END
chmod +x with-child
denied ./with-child
check "so is one of a whole tree" grep -q 'status 137' out
check "of which nobody is left" eventually gone "$(cat grandchild)"
check "and that is logged once" verdicts events slain killed 1

# it is killed between a connect and its answer: the call is not made twice as far as
# its caller can see
start "$t_do" serve-tcp 127.0.0.1 open.port open.count
start "$t_do" serve-full 127.0.0.1 full.port
eventually test -s open.port -a -s full.port
open=$(cat open.port) full=$(cat full.port)
# shellcheck disable=SC2086 # none or several words
guarded_connects() { exec timeout -k 1 60 $lacking "$guard" run -q -p connects.policy -- "$@"; }
cat >begin.py <<END
import errno, socket, sys
s = socket.socket()
s.setblocking(False)
print(errno.errorcode[s.connect_ex(("127.0.0.1", int(sys.argv[1])))])
END
waits_to_go='echo $$ >ready; while [ ! -e go ]; do sleep 0.02; done; exec "$@" >said'
half_done() # CALL DONE COMMAND...: killed in its CALL, as soon as DONE is true
{
	rm -f ready go said
	start guarded_connects bash -c "$waits_to_go" - "${@:3}"
	timeout_pid=$!
	eventually test -s ready || return
	guard_pid=$(child "$timeout_pid")
	supervisor=$(supervisor_of "$guard_pid")
	start strace -qq -f -o /dev/null -p "$supervisor" -e trace="$1" -e inject="$1":delay_exit=3000000
	eventually traced "$supervisor" || return
	: >go
	eventually "$2" || return
	kill -KILL "$supervisor"
	ends "$timeout_pid" 0
}
connected() { [ "$(cat open.count)" -gt "$before" ]; }
syns() { grep -ci "^ *[0-9]*: [^ ]* [^ ]*:$(printf %04X "$full") 02 " /proc/net/tcp; }
under_way() { [ "$(syns)" -gt "$before" ]; }
lacking=
before=$(syns)
check "killed over a connect that does not wait" half_done connect under_way python3 begin.py "$full"
check "it is in progress" grep -qx EINPROGRESS said
before=$(cat open.count)
check "killed over a connect in a thread" eval 'lacking="$t_do without io_uring"; half_done connect connected "$t_do" connect 127.0.0.1 "$open"'
check "it has connected" grep -qx ok said
lacking=
if "$guard" doctor --json | grep -q '"io_uring","available":true'; then
	before=$(cat open.count)
	check "killed over a connect in a ring" half_done io_uring_enter connected "$t_do" connect 127.0.0.1 "$open"
	check "it has connected as well" grep -qx ok said
else
	skip "killed over a connect in a ring" "no io_uring here"
fi

# nobody reads guard's standard error, which is full
mkfifo full
exec 8<>full
dd if=/dev/zero of=full bs=4096 oflag=nonblock 2>/dev/null
start_on_full() { exec "$guard" run -p connects.policy -- bash -c 'exec 2>/dev/null; echo $$ >ready; while [ ! -e go ]; do sleep 0.05; done; true 3<>/dev/tcp/127.0.0.1/9; echo >after; exit 5' 2>full; }
rm -f ready go
start start_on_full
guard_pid=$!
eventually test -s ready
kill -KILL "$(supervisor_of "$guard_pid")"
: >go
check "a standard error that nobody reads does not hold a restart up" eventually test -e after
check "nor the end" ends "$guard_pid" 5
exec 8>&-
finish
