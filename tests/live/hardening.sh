#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What holds whatever the policy says: no io_uring, no userfaultfd, no foreign ABI,
# no second listener, and hands off guard's own processes.
. "${srcdir:-.}/tests/live/tap.sh"

policy quiet <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
guarded() { "$guard" run -q -p "$work/quiet.policy" -- "$@"; }
works() { [[ $("$@") =~ ^(ok|errno (EINVAL|EFAULT))$ ]]; }

native_or_skip() # DEED: its control arm; fails where the kernel lacks it
{
	works "$t_do" "$@" || { skip "$1" "the kernel here says $("$t_do" "$@")"; return 1; }
}
while read -r want deed; do
	native_or_skip "$deed" || continue
	check "$deed works without guard" works "$t_do" "$deed"
	check "$deed is $want" prints "errno $want" guarded "$t_do" "$deed"
	check "$deed is $want in -m off" prints "errno $want" \
		"$guard" run -q -m off -p "$work/quiet.policy" -- "$t_do" "$deed"
done <<END
ENOSYS io-uring
ENOSYS userfaultfd
ENOSYS int80-getpid
EBUSY new-listener
END
check "x32 numbers are refused" prints "errno ENOSYS" guarded "$t_do" x32-getpid

# the old gate is no way round a rule
cp "$t_do" "$work/refused"
policy no-refused <<END
  - id: no_refused
    expression: exec.file.path == "$work/refused"
    actions:
      - block: {errno: EPERM}
END
if [ "$("$t_do" int80-getpid)" = ok ]; then
	check "int 0x80 execve works without guard" exits 2 "$t_do" int80-execve "$work/refused"
	check "int 0x80 execve is refused" prints "errno ENOSYS" \
		"$guard" run -q -p "$work/no-refused.policy" -- "$t_do" int80-execve "$work/refused"
fi
# no library: those for 32 bits are not everywhere
cat >program32.c <<'END'
void _start(void) { __asm__("int $0x80" : : "a"(1), "b"(3)); }
END
if gcc -m32 -static -nostdlib program32.c -o program32 2>/dev/null && { ./program32; [ $? -eq 3 ]; }; then
	check "a 32-bit program does not run" not exits 3 guarded ./program32
else
	skip "a 32-bit program does not run" "no 32-bit compiler or kernel support here"
fi

# The workload finds guard's processes above itself and must not get at them.
cat >finder <<'END'
#!/bin/bash
# finder keeper|supervisor T-DO DEED [ARG]: does DEED to that process of guard
parent() { sed -n 's/^PPid:\t//p' "/proc/$1/status"; }
supervisor=$PPID
until [ "$(cat "/proc/$supervisor/comm")" = guard-super ]; do
	supervisor=$(parent "$supervisor")
done
keeper=$(parent "$supervisor")
"$2" "$3" "${!1}" "${@:4}"
END
chmod +x finder
# the control arm is a process of the same kind that is not guard's
sleep 1000 &
other=$!
started+=("$other")
for whom in keeper supervisor; do
	while read -r deed argument; do
		# shellcheck disable=SC2086 # none or one
		check "$deed $argument on another process works" works "$t_do" "$deed" "$other" $argument
		# shellcheck disable=SC2086
		check "$deed $argument on guard's $whom is EPERM" prints "errno EPERM" \
			guarded ./finder "$whom" "$t_do" "$deed" $argument
	done <<-END
		kill 0
		kill-pidfd 0
		kill-tgkill 0
		kill-sigqueue 0
		ptrace
		vm-read
		vm-write
		pidfd-getfd
	END
done
survives() # SIGNAL: the whole of guard outlives it, and still judges
{
	"$guard" run -q -p "$work/no-refused.policy" -- bash -c \
		"./finder supervisor '$t_do' kill $1; ./finder keeper '$t_do' kill $1; '$t_do' execve '$work/refused'"
}
for sig in 9 15 19; do
	check "signal $sig does not get at guard" prints $'errno EPERM\nerrno EPERM\nerrno EPERM' survives "$sig"
done

# and has given up calls of its own, see kernel/confine.h
if sanitized; then
	skip "the supervisor is confined" "the sanitizers need calls at any time"
else
	# shellcheck disable=SC2016 # for the inner shell
	check "the supervisor is confined" prints 2 \
		guarded sh -c 'sed -n "s/^Seccomp:\t//p" "/proc/$PPID/status"'
fi

# kill(-1) and the own group: everybody but guard
in_own_pidns() { unshare -pf --mount-proc "$@"; }
if in_own_pidns true 2>/dev/null; then
	export guard t_do work
	check "kill(-1) inside does not end guard" exits 0 in_own_pidns bash -c \
		"\"\$guard\" run -q -p \"\$work/quiet.policy\" -- bash -c 'trap \"\" TERM; kill -TERM -- -1; exit 0'"
else
	skip "kill(-1) inside does not end guard" "no process namespaces here"
fi
finish
