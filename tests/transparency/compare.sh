# SPDX-License-Identifier: GPL-3.0-or-later
# compare.sh - a program run with and without guard, and the differences that guard(7)
# allows. Sourced after tap.sh.
# shellcheck shell=bash

# lines that may differ (extended regexp); who may see it; the words of guard(7) for it
exceptions='
status\.Seccomp(_filters)?:;all;.Ql Seccomp
prctl\.seccomp ;all;.Ql Seccomp
stat\.flags ;all;have used super-user privileges
call\.io_uring_setup ;all;io_uring and userfaultfd are absent
call\.userfaultfd ;all;io_uring and userfaultfd are absent
call\.listener ;all;A second listener cannot be installed
status\.Cap(Prm|Eff|Bnd):;all;Root is without
capability\.19 ;all;Root is without
status\.NoNewPrivs:;unprivileged;no new privileges
prctl\.no-new-privileges ;unprivileged;no new privileges
call\.filter ;unprivileged;no new privileges
orphan\.of-init ;orphan;of orphans: they are adopted by guard
prctl\.death-signal ;odd;the signal that was asked for by
status\.NSpgid:;leader;leads no process group or session that
status\.NSsid:;leader;leads no process group or session that
stat\.(pgrp|session) ;leader;leads no process group or session that
(pgrp|session|leader) ;leader;leads no process group or session that
file\.autogroup ;leader;leads no process group or session that
'
seen=$work/seen-exceptions
: >"$seen"

# allowed_for KINDS: the regexps of the exceptions that those KINDS ("all odd") may see
allowed_for()
{
	local pattern kind words
	while IFS=';' read -r pattern kind words; do
		[[ " $1 " != *" $kind "* ]] || echo "^$pattern"
	done <<<"$exceptions"
}

# same_but KINDS NATIVE UNDER: two files of "key value" lines, equal but for what KINDS
# allows. The exceptions that were needed are noted.
same_but()
{
	local allowed pattern
	[ -s "$2" ] || { echo "printed nothing without guard"; return 1; }
	diff "$2" "$3" | sed -n 's/^[<>] //p' >differences
	allowed=$(allowed_for "$1")
	while IFS= read -r pattern; do
		grep -Eq "$pattern" differences && echo "$pattern" >>"$seen"
	done <<<"$allowed"
	not grep -vE "$allowed" differences
}

# Every exception is one of the manual, and is one that somebody could see.
check_exceptions() # KINDS
{
	local pattern kind words
	while IFS=';' read -r pattern kind words; do
		[[ " $1 " == *" $kind "* ]] || continue
		check "in guard(7): $words" grep -Fqe "$words" "$srcdir/man/guard.7"
		check "it can be seen: $pattern" grep -Fqx "^$pattern" "$seen"
	done <<<"$exceptions"
}
