#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input and missing means: one clear line, status 125, and never a workload that
# runs unwatched. Exercises policy/load, engine/keeper, kernel/feature.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

policy good <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
run() { "$guard" run -q "$@" -- "$t_do" touch "$work/deed"; }

# refused PATTERN OPTION...: 125, a line like PATTERN, and nothing has run.
refused()
{
	rm -f "$work/deed"
	exits 125 run "${@:2}" 2>"$work/refusal" || return
	grep -Eq "^guard: .*$1|$1" "$work/refusal" || { echo "no '$1' in:"; cat "$work/refusal"; return 1; }
	[ ! -e "$work/deed" ] || { echo "the command has run"; return 1; }
}
deed_is_done() { rm -f "$work/deed"; "$@" && [ -e "$work/deed" ]; }
check "a good policy runs the command" deed_is_done run -p good.policy

: >empty.policy
printf 'version: 1.0.0\nrules: []\n' >no-rules.policy
printf 'version: 1.0.0\nrules:\n  - id: a\n    expression: exec.file.nmae == "x"\n' >unknown-field.policy
printf 'version: 1.0.0\nrules:\n  - id: a\n    expression: exec.file.name == \n' >half.policy
printf 'rules: [' >not-yaml.policy
head -c 3000 /dev/urandom >random.policy
printf 'version: 1.0.0\nrules:\n  - id: a\n    expression: "%s1 == 1%s"\n' \
	"$(printf '(%.0s' {1..5000})" "$(printf ')%.0s' {1..5000})" >deep.policy
mkdir no-policies
while read -r name pattern file; do
	check "$name" refused "$pattern" -p "$file"
done <<END
a-missing-policy no-such no-such.policy
an-empty-policy empty.policy empty.policy
a-policy-without-rules no-rules.policy no-rules.policy
an-unknown-field nmae unknown-field.policy
half-an-expression half.policy half.policy
broken-YAML not-yaml.policy not-yaml.policy
random-bytes random.policy random.policy
deep-nesting deep.policy deep.policy
a-directory-without-policies no-policies no-policies
a-device /dev/zero /dev/zero
END
check "an unknown field gets a hint" refused "exec.file.name" -p unknown-field.policy

# one broken rule leaves the others in force, and is named
policy mixed <<END
  - id: broken
    expression: exec.file.name ==
  - id: refuse_touch
    expression: exec.args in [~"touch*"]
    actions:
      - block: {errno: EPERM}
END
check "one broken rule is named" says "broken" run -p mixed.policy
check "the others hold" exits 126 run -p mixed.policy

policy typo <<END
  - id: typo
    expression: exec.file.path == "/nowhere"
    protecton: blocking
END
check "an unknown rule key is a warning with the nearest" says "protecton.*protection" \
	"$guard" run -p typo.policy -- true
rm -f deed
check "and the command runs" deed_is_done run -p typo.policy

printf '[run]\nquite = yes\n' >typo.conf
check "an unknown key of guard.conf is an error with the nearest" \
	refused "quite.*quiet" --config typo.conf -p good.policy
check "a missing --config is an error" refused "no-such.conf" --config no-such.conf -p good.policy
check "an unknown sink is an error" refused "telegraph" -o telegraph:x -p good.policy
check "a sink that cannot be opened is an error" refused "no/such" -o file:/no/such/file -p good.policy

# a second guard inside finds the listener's place taken
nested() { "$guard" run -q -p good.policy -- "$guard" run -q -p good.policy -- "$t_do" touch "$work/deed"; }
rm -f deed
check "guard inside guard is 125" exits 125 nested
check "guard inside guard says why" says "^guard: .*already" nested
check "and nothing has run" test ! -e deed

# means that are missing
few_descriptors() { (ulimit -n "$1"; rm -f "$work/deed"; run -p good.policy; status=$?; [ "$status" -eq 0 ] || [ ! -e "$work/deed" ] && exit "$status"); }
check "few descriptors: refused before the start, with one line" says "^guard: " few_descriptors 8
check "few descriptors: status 125" exits 125 few_descriptors 8
if sanitized; then
	skip "without /proc" "the sanitizers themselves need /proc"
elif ! unshare -m true 2>/dev/null; then
	skip "without /proc" "no mount namespaces here (no privilege, or a chroot)"
else
	no_proc() { unshare -m bash -c 'umount -l /proc && exec "$@"' - "$guard" run -q -p good.policy -- "$t_do" touch "$work/deed"; }
	rm -f deed
	check "without /proc: status 125" exits 125 no_proc
	check "without /proc: says so" says "^guard: .*/proc" no_proc
	check "without /proc: nothing has run" test ! -e deed
fi
no_seccomp() { "$t_do" without seccomp "$guard" run -q -p good.policy -- "$t_do" touch "$work/deed"; }
rm -f deed
check "a kernel that refuses seccomp: status 125" exits 125 no_seccomp
check "a kernel that refuses seccomp: one line" says "^guard: .*seccomp|^guard: .*notif" no_seccomp
check "a kernel that refuses seccomp: nothing has run" test ! -e deed
no_ptrace() { ASAN_OPTIONS=detect_leaks=0 "$t_do" without ptrace "$guard" run -q -p mixed.policy -- "$t_do" touch "$work/deed"; }
rm -f deed
check "a kernel that refuses ptrace under a blocking exec rule: status 125" exits 125 no_ptrace
check "a kernel that refuses ptrace: nothing has run" test ! -e deed
# a debugger has the command before guard can verify what it executes; without one it
# runs, see above
traced() { strace -f -o /dev/null "$guard" run -q "$@" -p good.policy -- "$t_do" touch "$work/deed"; }
one_line() { [ "$("$@" 2>&1 | wc -l)" -eq 1 ]; }
if ! strace -f -o /dev/null true 2>/dev/null; then
	skip "under a debugger" "no strace here, or it may not trace"
elif sanitized; then
	skip "under a debugger" "the leak checker does not work there"
else
	rm -f deed
	check "under a debugger: status 125" exits 125 traced
	check "under a debugger: one line" one_line traced
	check "under a debugger: says so" says "^guard: ptrace, needed so that" traced
	check "under a debugger: nothing has run" test ! -e deed
	check "under a debugger, --best-effort: says so" says "DEGRADED: ptrace" traced --best-effort
	check "under a debugger, --best-effort: and runs it" test -e deed
fi
finish
