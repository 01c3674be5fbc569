#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# --user, --group, --cwd, and guard without privilege. Exercises engine/keeper
# and kernel/feature.
. "${srcdir:-.}/tests/live/tap.sh"
[ "$(id -u)" -eq 0 ] || skip_all "changing the user needs root"
need setpriv jq
reachable_by_all

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
  - id: refuse_false
    expression: exec.file.name == "false"
    actions:
      - block: {errno: EPERM}
END
chmod 644 "$work/quiet.policy"
chmod 777 "$work"
run() { "$guard" run -q -p "$work/quiet.policy" "$@"; }

check "--user by name" prints 65534 run --user nobody -- id -u
check "--user takes the user's own group" prints "$(id -g nobody)" run --user nobody -- id -g
check "--user takes the user's groups" prints "$(id -G nobody)" run --user nobody -- id -G
check "--user by number, without an account" prints 54321 run --user 54321 -- id -u
check "--group by name" prints "$(getent group daemon | cut -d: -f3)" run --group daemon -- id -g
check "--group by number" prints 54322 run --group 54322 -- id -g
check "--user and --group" prints "65534:1" run --user nobody --group 1 -- sh -c 'echo $(id -u):$(id -g)'
check "a user's files are out of reach for another" exits 1 run --user nobody -- test -r /etc/shadow
check "--cwd" prints /usr run --cwd /usr -- pwd
check "a relative command is found from --cwd" exits 0 run --cwd /usr/bin -- ./true
check "saved ids are changed, too" prints "65534 65534 65534 65534" \
	run --user nobody -- sh -c "sed -n 's/^Uid:\t//p' /proc/self/status | tr '\t' ' '"
check "no capability is left" prints 0000000000000000 \
	run --user nobody -- sh -c "sed -n 's/^CapEff:\t//p' /proc/self/status"

while read -r what option value; do
	check "$what is refused with 125" exits 125 run "$option" "$value" -- true
	check "$what is named" says "^guard: .*$value" run "$option" "$value" -- true
done <<END
an-unknown-user --user no-such-user
an-unknown-group --group no-such-group
a-missing-directory --cwd /no/such/directory
a-file-for-a-directory --cwd /etc/passwd
a-negative-user --user -5
END

# Without privilege: the rules hold, at the price of no-new-privs.
as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups -- \
		"$guard" run -q -p "$work/quiet.policy" -o "file:$work/nobody.events" -- "$@"
}
check "unprivileged guard runs a program" exits 3 as_nobody sh -c 'exit 3'
check "unprivileged guard refuses an exec" exits 126 as_nobody sh -c '/bin/false'
check "and reports it" verdicts "$work/nobody.events" refuse_false blocked 1
check "unprivileged guard sets no-new-privs" prints 1 \
	as_nobody sh -c "sed -n 's/^NoNewPrivs:\t//p' /proc/self/status"
check "privileged guard does not" prints 0 run -- sh -c "sed -n 's/^NoNewPrivs:\t//p' /proc/self/status"
unprivileged() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$guard" run -q -p "$work/quiet.policy" "$@"; }
check "without privilege --user of another is refused" exits 125 unprivileged --user root -- id
check "without privilege a policy out of reach is refused" \
	exits 125 setpriv --reuid 65534 --regid 65534 --clear-groups -- "$guard" run -p /root -- true
finish
