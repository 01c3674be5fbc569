#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A command line like a miner's is killed before the first instruction of the program,
# a thousand times of a thousand; the default policy reports it without touching it.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

# The program's first system call makes a file; nothing of libc comes before it.
cat >miner.c <<'END'
#include <sys/syscall.h>
__attribute__((naked, noreturn)) void _start(void)
{
	__asm__("mov $83, %eax; lea name(%rip), %rdi; mov $0755, %esi; syscall\n"
		"mov $60, %eax; xor %edi, %edi; syscall\n"
		"name: .asciz \"mined\"");
}
END
gcc -nostdlib -static -o xmrig miner.c 2>said || skip_all "cannot build the program: $(head -n 1 said)"
line=(-o stratum+tcp://pool.example.org:3333 -u wallet --donate-level=1 --coin=monero)

# who starts it has no such arguments himself
cat >mine <<END
#!/bin/bash
for ((i = 0; i < \$1; i++)); do
	./xmrig ${line[*]} 2>/dev/null
	[ \$? = 137 ] || exit 1
done
exit 137
END
chmod +x mine

mines() { rm -rf mined; "$@" ./xmrig "${line[@]}"; [ -d mined ]; }
check "it mines without guard" mines env

policy miner <<END
  - id: miner
    expression: exec.args in [~"*stratum+tcp://*"]
    actions:
      - kill: {signal: SIGKILL, scope: process}
END
guarded() { "$guard" run -q -p "$work/miner.policy" -o "file:$work/events" -- "$@"; }
rm -rf mined
check "under guard it is killed" exits 137 guarded ./mine 1
check "and has done nothing" test ! -e mined
check "with an event that says so" verdicts events miner killed 1
check "whose message names the program" events events \
	'.[0].guard.message == "The malicious process xmrig has automatically been killed."'
check "as the kill action of the rule" events events '.[0].agent.rule_actions[0].type == "kill"'
check "the guarantee is named" events events '.[0].guard.guarantee == "verified"'

times=$([ "${TIER:-}" = full ] && echo 5000 || echo 500)
rm -f events
check "$times times" exits 137 guarded ./mine "$times"
check "never has it done anything" test ! -e mined
check "each is reported" verdicts events miner killed "$times"
check "other arguments run" guarded ./xmrig --help
check "and do their deed" test -d mined

# the built-in policy monitors
rm -f events
builtin() { "$guard" run -q -o "file:$work/events" -- "$@"; }
[ -d /etc/guard/policies.d ] || {
	check "the default policy lets it run" mines builtin
	check "and reports it" events events 'map(select(.guard.verdict == "detected")) | length >= 1'
}
finish
