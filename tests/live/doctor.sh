#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What guard doctor reports with everything there, with calls taken away and
# without privilege. Exercises src/cmd/doctor.c, src/kernel/feature.c.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

doctor() { "$guard" doctor "$@"; }
json() # FILTER COMMAND...: true of the JSON that COMMAND prints, whatever its status
{
	local filter=$1
	shift
	"$@" >"$work/report.json"
	jq -e "$filter" "$work/report.json" >/dev/null || { cat "$work/report.json"; return 1; }
}
missing='(.features[] | select(.name == $name) | .available) == false'
lacks() { json "\"$1\" as \$name | $missing" "${@:2}"; }

status=0
doctor >/dev/null || status=$?
check "the status is 0 or 1" test "$status" -le 1
check "text and JSON agree in the status" exits "$status" doctor --json
check "one line of JSON" test "$(doctor --json | wc -l)" -eq 1
check "the members are those of the contract" json \
	'keys == ["degraded", "events", "features", "kernel", "privilege", "version"]' doctor --json
check "features have name, available and reason" json \
	'[.features[] | keys == ["available", "name", "reason"]] | all' doctor --json
check "events have their five members" json \
	'[.events[] | keys == ["available", "event", "guarantee", "reason", "source"]] | all' doctor --json
check "what is missing has a reason" json \
	'[.features[], .events[] | select(.available | not) | .reason != ""] | all' doctor --json
check "the kernel is this one" json ".kernel == \"$(uname -r)\"" doctor --json
check "the user is this one" json ".privilege.euid == $(id -u)" doctor --json
check "degraded is what the status says" json ".degraded == ($status == 1)" doctor --json
check "exec is verified" json \
	'.events[] | select(.event == "exec") | .guarantee == "verified"' doctor --json

no_ptrace() { "$t_do" without ptrace "$guard" doctor "$@"; }
no_seccomp() { "$t_do" without seccomp "$guard" doctor "$@"; }
check "no ptrace: status 1" exits 1 no_ptrace --json
check "no ptrace: the feature is missing" lacks ptrace no_ptrace --json
check "no ptrace: exec is not available, and why" json \
	'.events[] | select(.event == "exec") | (.available | not) and (.reason | test("ptrace"))' \
	no_ptrace --json
check "no ptrace: connect is what it is with it" json \
	".events[] | select(.event == \"connect\") | .available == $(doctor --json |
		jq '.events[] | select(.event == "connect") | .available')" no_ptrace --json
check "no seccomp: status 1" exits 1 no_seccomp
check "no seccomp: the feature is missing" lacks user_notification no_seccomp --json
check "no seccomp: the text says that guard cannot start" \
	eval 'no_seccomp | grep -q "cannot start"'

if [ "$(id -u)" -eq 0 ]; then
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
	cp "$guard" "$work/guard" && chmod 755 "$work/guard"
	check "nobody: status 1" exits 1 as_nobody "$work/guard" doctor
	check "nobody: set-user-id programs are missing" \
		lacks setuid_programs as_nobody "$work/guard" doctor --json
	check "nobody: exec is available all the same" json \
		'.events[] | select(.event == "exec") | .available' as_nobody "$work/guard" doctor --json
	no_proc() { unshare -m bash -c 'umount -l /proc && exec "$@"' - "$guard" doctor "$@"; }
	check "without /proc: the feature is missing" lacks proc no_proc --json
fi

check "an argument is an error" exits 2 doctor now
check "an unknown option is an error" says "^guard: .*--jason.*" doctor --jason
check "a full disk is an error" eval 'exits 1 doctor >/dev/full'
check "the manual has each feature" eval \
	'for f in $(doctor --json | jq -r ".features[].name"); do
		grep -q "^.It Sy $f\$" "$srcdir/man/guard-doctor.1" || { echo "$f"; exit 1; }
	done'
finish
