# SPDX-License-Identifier: GPL-3.0-or-later
# tap.sh - a small TAP producer for shell tests, and the few assertions they share.
#
#	. "${srcdir:-.}/tests/live/tap.sh"
#	[ -c /dev/kvm ] || skip_all "needs /dev/kvm"
#	check "true is true" true
#	finish
#
# A test begins in an empty directory of its own ($work), which is removed at the
# end. Whatever was started with `start` is ended then, by process id.
# shellcheck shell=bash

set -u
srcdir=$(cd "${srcdir:-$(dirname "${BASH_SOURCE[0]}")/../..}" && pwd)
builddir=$(cd "${top_builddir:-.}" && pwd)
guard=${GUARD:-$builddir/guard}
t_do=$builddir/tests/lib/t-do
t_do_static=$builddir/tests/lib/t-do-static
LC_ALL=C.UTF-8
export LC_ALL

tap_count=0
tap_failed=0
tap_finished=no
started=()
work=$(mktemp -d "${TMPDIR:-/tmp}/guard-test.XXXXXX") || exit 99
chmod 755 "$work"
cd "$work" || exit 99

tap_leave()
{
	local status=$? pid

	# a child that has not forgotten our trap yet, because it was killed too early
	[ "$BASHPID" -eq "$$" ] || return
	for pid in "${started[@]}"; do
		tap_end "$pid"
	done
	cd / && rm -rf "$work"
	[ "$tap_finished" = yes ] || echo "Bail out! ended early with status $status"
}
trap tap_leave EXIT

# Asked first, so that a server can end its own children. The number of one that has
# ended may be a stranger's by now: only a child of ours is ours.
tap_end() # PID
{
	local tries

	grep -qs "^PPid:[[:space:]]$$\$" "/proc/$1/status" || return
	kill -TERM "$1" 2>/dev/null || return
	for tries in {1..50}; do
		[ -e "/proc/$1/root" ] || break # gone, or a zombie
		sleep 0.01
	done
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

tap_result() # ok|not-ok NAME [DIRECTIVE]
{
	local word=ok

	tap_count=$((tap_count + 1))
	[ "$1" = ok ] || { word="not ok"; tap_failed=$((tap_failed + 1)); }
	# a '#' would begin a directive
	echo "$word $tap_count - ${2//#/}${3:+ # $3}"
}

# check NAME COMMAND...: passes when COMMAND succeeds; else shows what it said.
check()
{
	local name=$1
	shift
	if "$@" >"$work/.said" 2>&1 </dev/null; then
		tap_result ok "$name"
	else
		local status=$?
		tap_result not-ok "$name"
		# a line of it that begins with "ok" would be a result
		echo "# failed with status $status: $*" | sed '2,$ s/^/#   /'
		sed 's/^/#   /' "$work/.said" | head -n 60
	fi
}

# skip NAME REASON: one check that cannot be made here.
skip()
{
	tap_result ok "$1" "SKIP $2"
}

# skip_all REASON: nothing of this file can be tested here.
skip_all()
{
	tap_finished=yes
	echo "1..0 # SKIP $*"
	exit 0
}

finish()
{
	tap_finished=yes
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}

# need PROGRAM...: the whole file is skipped where one is missing.
need()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

not()
{
	! "$@"
}

# exits STATUS COMMAND...: COMMAND ends with STATUS.
exits()
{
	local want=$1 got
	shift
	"$@"
	got=$?
	[ "$got" -eq "$want" ] || { echo "exit status $got, expected $want"; return 1; }
}

# prints TEXT COMMAND...: COMMAND's standard output is TEXT, whatever its status.
prints()
{
	local want=$1 got
	shift
	got=$("$@")
	[ "$got" = "$want" ] || { printf 'printed:\n%s\nexpected:\n%s\n' "$got" "$want"; return 1; }
}

# says PATTERN COMMAND...: standard error has a line that matches (extended regexp).
says()
{
	local pattern=$1
	shift
	"$@" 2>"$work/.stderr" >/dev/null
	grep -Eq -e "$pattern" "$work/.stderr" ||
		{ echo "no line like: $pattern"; cat "$work/.stderr"; return 1; }
}

# eventually COMMAND...: COMMAND succeeds within a minute. For conditions that another
# process brings about and that cannot be waited for otherwise.
eventually()
{
	local end=$((SECONDS + 60))
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "never came true: $*"; return 1; }
		sleep 0.02
	done
}

# sanitized: guard was built with sanitizers, which have needs of their own.
sanitized()
{
	grep -q '^#define WITH_SANITIZERS' "$builddir/config.h"
}

# reachable_by_all: puts copies of the programs where every user can execute them, for
# tests that run guard as another one; the build may lie in a closed home directory.
reachable_by_all()
{
	mkdir -p "$work/bin" && chmod 755 "$work" "$work/bin" || exit 99
	cp "$guard" "$builddir/guard-recorder" "$t_do" "$t_do_static" "$work/bin/" || exit 99
	guard=$work/bin/guard
	t_do=$work/bin/t-do
	t_do_static=$work/bin/t-do-static
}

# start COMMAND...: in the background, ended with the test; its pid is in $!. What
# it says goes to a file: who is left behind must not hold the pipe of the results.
start()
{
	"$@" >>"$work/.background" 2>&1 &
	started+=("$!")
}

# events FILE FILTER: the jq FILTER is true of the array of FILE's rule events;
# internal FILE FILTER: of those of guard itself (ruleset_loaded and the like).
events()
{
	event_filter "$1" "map(select(.evt)) | $2"
}
internal()
{
	event_filter "$1" "map(select(.evt | not)) | $2"
}
event_filter() # FILE FILTER
{
	jq -es "$2" "$1" >/dev/null && return
	echo "not so: $2; there are:"
	jq -c '[.agent.rule_id, .guard.verdict, .guard.reason, .file.path, .process.args]' "$1" |
		cut -c 1-120 | sort | uniq -c | sort -rn | head -n 20
	return 1
}

# verdicts FILE RULE VERDICT N: RULE left exactly N events with VERDICT.
verdicts()
{
	events "$1" "map(select(.agent.rule_id == \"$2\" and .guard.verdict == \"$3\")) | length == $4"
}

# policy NAME: standard input becomes the policy file $work/NAME.policy.
policy()
{
	{
		echo "version: 1.0.0"
		echo "rules:"
		cat
	} >"$work/$1.policy"
}

# children PID: the processes whose parent PID is.
children()
{
	cat "/proc/$1/task/"*/children 2>/dev/null
}

# supervisor_of PID, recorder_of PID: guard's own processes below `guard run` PID, by
# what they are: the recorder by its name, the supervisor as the same program again.
supervisor_of()
{
	local child
	for child in $(children "$1"); do
		[ "$(readlink "/proc/$child/exe")" = "$(readlink "/proc/$1/exe")" ] &&
			echo "$child" && return
	done
	return 1
}
recorder_of()
{
	local child
	for child in $(children "$1"); do
		[ "$(cat "/proc/$child/comm" 2>/dev/null)" = guard-recorder ] && echo "$child" && return
	done
	return 1
}
