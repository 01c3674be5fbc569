#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The exit status of `guard run` is the workload's. Exercises engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { "$guard" run -q -p "$work/quiet.policy" -- "$@"; }

all_statuses()
{
	local n bad=0
	for n in {0..255}; do
		exits "$n" guarded "$t_do" status "$n" || { echo "for $n"; bad=1; }
	done
	return "$bad"
}
check "exit statuses 0 to 255" all_statuses

for sig in HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM XCPU VTALRM SYS; do
	number=$(kill -l "$sig")
	check "death by SIG$sig without guard is $((128 + number))" exits $((128 + number)) "$t_do" die "$number"
	check "death by SIG$sig is $((128 + number))" exits $((128 + number)) guarded "$t_do" die "$number"
done
check "death by a real-time signal" exits $((128 + 40)) guarded "$t_do" die 40

: >plain
printf '#!/nowhere/sh\n' >bad-interpreter
chmod +x bad-interpreter
ln -s loop loop
while read -r status name command; do
	check "$name is $status" exits "$status" guarded "$command"
	check "$name says so in one line" says "^guard: .*$command" guarded "$command"
	check "$name says nothing else" test "$(wc -l <"$work/.stderr")" -eq 1
done <<END
127 no-such-command-in-PATH no-such-command-in-PATH
127 no-such-file /no/such/file
126 a-file-that-is-not-executable ./plain
126 a-directory $work
127 a-missing-interpreter ./bad-interpreter
126 a-loop-of-links ./loop
END
check "no command is a usage error" exits 125 "$guard" run
check "only -- is a usage error" exits 125 "$guard" run --
check "an unknown option is a usage error" exits 125 "$guard" run --frobnicate -- true
check "an unknown option is named" says "frobnicate" "$guard" run --frobnicate -- true
check "an option without its argument is a usage error" exits 125 "$guard" run -p
check "an unknown mode is a usage error" exits 125 "$guard" run -m sometimes -- true
check "an empty command name is not found" exits 127 guarded ""
check "a command in PATH is found" exits 3 env PATH="$(dirname "$t_do"):$PATH" \
	"$guard" run -q -p "$work/quiet.policy" -- t-do status 3
check "options of the command are the command's" prints "-p x" guarded echo -p x

# the command ends before a child of it: guard waits for the child (leftover = wait)
check "who is left behind is waited for" prints "late" \
	guarded sh -c '(read -r _ <"$0"; echo late) & { sleep 0.1; echo go >"$0"; } & exit 0' \
	"$(mkfifo fifo; echo fifo)"
check "and the status is the command's" exits 5 guarded sh -c '(sleep 0.2; exit 9) & exit 5'
finish
