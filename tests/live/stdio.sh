#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a program can see of itself is the same with and without guard: open
# descriptors, ids, limits, signals, environment. Exercises the launch order.
. "${srcdir:-.}/tests/live/tap.sh"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { "$guard" run -q -p "$work/quiet.policy" -- "$@"; }

# the shell's own variable, numbers that are new each time, and CAP_SYS_PTRACE (bit 19),
# which guard(7) says is taken away
no_ptrace=$(printf 's/%s\\(....\\)$/%s\\1/;' 8 0 9 1 a 2 b 3 c 4 d 5 e 6 f 7)
comparable() { sed "/^env _=/d; s/pipe:\[[0-9]*\]/pipe/; /^Cap/{$no_ptrace}"; }

# same NAME SHELL-WORDS: the shell words, with @ for nothing and for guard, print the same.
same()
{
	local native under
	native=$(eval "${2//@/}" 2>&1 </dev/null | comparable)
	under=$(eval "${2//@/$guard run -q -p $work/quiet.policy --}" 2>&1 </dev/null | comparable)
	[ -n "$native" ] || { echo "printed nothing without guard"; return 1; }
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
}
export t_do
while IFS='|' read -r name words; do
	check "the same with guard: $name" same "$name" "$words"
done <<'END'
open descriptors|@ $t_do fds
standard input closed|@ $t_do fds <&-
standard error closed|@ $t_do fds 2>&-
standard input and error closed|@ $t_do fds <&- 2>&-
standard output closed|{ @ $t_do fds >&- 2>/dev/null; }; echo $?
a descriptor beyond the usual|@ $t_do fds 5</dev/null 9</dev/null
a high descriptor|@ $t_do fds 250</dev/null
ids, limits, masks, environment|@ $t_do self
of a static program|@ ${t_do}-static self
an environment of one variable|env -i FOO=bar @ $t_do self
an empty environment|env -i @ $t_do self
signals ignored|(trap '' PIPE INT HUP; @ $t_do self)
a lower limit of descriptors|(ulimit -n 300; @ $t_do self)
a limit of processes|(ulimit -u 20000; @ $t_do self)
no core dumps|(ulimit -c 0; @ $t_do self)
another umask|(umask 027; @ $t_do self)
a lower priority|nice -n 7 @ $t_do self
another directory|(cd /usr; @ $t_do self)
a directory that is gone|(mkdir gone; cd gone; rmdir ../gone; @ $t_do self)
arguments with spaces and newlines|@ printf '<%s>' 'a b' '' $'c\nd' '--' '-x'
a pipeline on both sides|seq 20000 | @ sort -rn | md5sum
END

big() { head -c 20000000 /dev/zero | "$@" cat | wc -c; }
check "twenty megabytes pass through" prints 20000000 big guarded
head -c 300000 /dev/urandom | tee sent >sent.copy
binary() { "$@" cat <sent | cmp - sent.copy; }
check "binary data passes unchanged" binary guarded

# a reader that leaves: SIGPIPE as without guard
leaves() { "$@" yes | head -n 1; echo "${PIPESTATUS[0]}"; }
check "a broken pipe ends the writer by SIGPIPE" prints $'y\n141' leaves guarded
check "as without guard" prints $'y\n141' leaves env


# who reads from the workload hears of its end, though guard goes on
mkfifo far
# not `start`, whose output goes elsewhere
start_far() { "$@" & started+=("$!"); }
let_go() # FD GUARD-ARGUMENT...
{
	local fd=$1 reader status
	shift
	timeout 60 cat far &
	reader=$!
	eval "start_far '$guard' run -q -p '$work/quiet.policy' \"\$@\" -- sh -c 'exec $fd>/dev/null; exec sleep 1000' $fd>far"
	wait "$reader"
	status=$?
	kill "${started[-1]}"
	return "$status"
}
for fd in 1 5 9; do
	check "descriptor $fd: the reader is not kept waiting" let_go "$fd"
	check "descriptor $fd: nor with a recorder" let_go "$fd" -o "file:$work/events"
done

# standard output of the workload is its own: guard says nothing there
check "guard prints nothing on standard output" prints "" guarded true
finish
