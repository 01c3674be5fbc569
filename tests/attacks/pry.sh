#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A workload that runs as root, or as guard's own user, looks into guard's processes: by
# /proc in every form, by ptrace and its kin, with helpers that have more privilege,
# while guard's processes come and go. Exercises kernel/shield, record/spawn,
# record/privilege.
. "${srcdir:-.}/tests/live/tap.sh"
[ "$(id -u)" -eq 0 ] || skip_all "needs root"
need setpriv unshare
reachable_by_all
chmod 777 .
t_do=$t_do_static
"$t_do" pry $$ /proc | grep -qx ptrace || skip_all "root cannot look into processes here"

policy never <<END
  - id: never
    expression: exec.file.path == "/nowhere"
END
chmod 644 never.policy
printf '[hardening]\nptrace_capability = keep\n' >keep.conf
printf '[hardening]\nprotect_self = no\n' >calls.conf
printf '[hardening]\nprotect_self = no\nptrace_capability = keep\n' >open.conf
: >default.conf
chmod 644 ./*.conf

# guarded CONF [OPTION...] -- COMMAND...
guarded() { timeout -k 5 50 "$guard" run -q --config "$work/$1.conf" -p "$work/never.policy" -o "file:$work/events" "${@:2}"; }
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }

# inside WHOM COMMAND...: with the pid of that process of guard, by its place in the tree
cat >inside <<'END'
#!/bin/bash
keeper=$PPID
until [ "$(cat "/proc/$keeper/comm")" = guard ]; do
	supervisor=$keeper
	keeper=$(sed -n 's/^PPid:\t//p' "/proc/$keeper/status")
done
for pid in $(cat "/proc/$keeper/task/"*/children); do
	[ "$pid" = "$supervisor" ] || recorder=$pid
done
exec "${@:2:1}" "${@:3:1}" "${!1}" "${@:4}"
END
# HELPER PID: in a place of its own
cat >new-procfs <<'END'
#!/bin/bash
mkdir -p proc-there && mount -t proc proc proc-there && exec "$1" pry "$2" "$PWD/proc-there"
END
cat >user-namespace <<'END'
#!/bin/bash
exec unshare -Ur "$1" pry "$2" /proc
END
cat >user-and-pid-namespace <<'END'
#!/bin/bash
exec unshare -Urpf "$1" pry "$2" /proc
END
cat >as-nobody <<'END'
#!/bin/bash
exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$1" pry "$2" /proc
END
chmod +x as-nobody inside new-procfs user-namespace user-and-pid-namespace
cp "$t_do" helper-setuid && chmod 4755 helper-setuid
cp "$t_do" helper-capable && chmod 755 helper-capable
"$t_do" status 0 || exit 99

# in a chroot there may be none
mounts=no
unshare -m true 2>/dev/null && mounts=yes
for whom in keeper supervisor recorder; do
	kept() { guarded open -- ./inside "$whom" "$t_do" pry /proc >seen; [ "$(wc -l <seen)" -ge 20 ] && grep -qx "mem for writing" seen && grep -qx ptrace seen; }
	check "root that keeps CAP_SYS_PTRACE can look into guard's $whom" kept
	check "root that does not cannot" prints "" guarded default -- ./inside "$whom" "$t_do" pry /proc
	check "it is the kernel that says so, also to system calls" prints "" guarded calls -- ./inside "$whom" "$t_do" pry /proc
	if [ "$mounts" = no ]; then
		skip "neither by another procfs" "no mount namespace here"
	else
		check "neither by another procfs" prints "" guarded default -- unshare -m ./inside "$whom" ./new-procfs "$t_do"
	fi
	check "nor from a user namespace" prints "" guarded default -- ./inside "$whom" ./user-namespace "$t_do"
	check "nor from one with a pid namespace" prints "" guarded default -- ./inside "$whom" ./user-and-pid-namespace "$t_do"
	check "nor as the user of the recorder" prints "" guarded default -- ./inside "$whom" ./as-nobody "$t_do"
	check "nor by a set-user-ID helper" prints "" guarded default --user nobody -- ./inside "$whom" ./helper-setuid pry /proc
	check "guard without privilege is as closed to its own user" prints "" nobody "$guard" run -q --config open.conf -p never.policy -o "file:$work/nobody.events" -- ./inside "$whom" "$t_do" pry /proc
done
in_procfs() { guarded keep -- unshare -m ./inside supervisor ./new-procfs "$t_do" >seen; grep -qx "mem for writing" seen; }
if [ "$mounts" = no ]; then
	skip "(another procfs opens it to who keeps the capability" "no mount namespace here"
else
	check "(another procfs opens it to who keeps the capability" in_procfs
fi
by_helper() { guarded keep --user nobody -- ./inside supervisor ./helper-setuid pry /proc >seen; grep -qx "mem for writing" seen; }
check "and so does a set-user-ID helper)" by_helper
if setcap cap_sys_ptrace+p helper-capable 2>/dev/null; then
	capable() { guarded "$1" --user nobody -- ./inside supervisor ./helper-capable pry /proc | grep -cx process_vm_readv; }
	check "a helper with the file capability opens it to who keeps it" prints 1 capable open
	check "and to nobody else" prints 0 capable calls
else
	skip "a helper with the file capability" "setcap does not work here"
fi

# what the workload has left: its own processes
cat >own <<'END'
#!/bin/bash
sleep 1000 &
# while the exec is verified guard is the one tracer that a process can have
until grep -qx sleep "/proc/$!/comm" && grep -qx "TracerPid:	0" "/proc/$!/status"; do :; done
"$1" pry $! /proc
kill $!
END
chmod 755 own
own() { guarded default -- ./own "$t_do" >seen; grep -qx "mem for writing" seen && grep -qx ptrace seen; }
check "root looks into its own processes as before" own
for set in CapPrm CapEff CapBnd CapInh CapAmb; do
	has() { (($((0x$(sed -n "s/^$set:\t//p"))) >> 19 & 1)); }
	check "$set of the workload is without it" not has < <(guarded default -- cat /proc/self/status)
done
only_that() { [ $((0x$(sed -n "s/^CapEff:\t//p" /proc/self/status) ^ 0x$(guarded default -- sed -n "s/^CapEff:\t//p" /proc/self/status))) -eq $((1 << 19)) ]; }
check "and nothing else is missing" only_that
check "ptrace_capability = keep leaves all of them" prints "$(grep ^Cap /proc/self/status)" guarded keep -- grep ^Cap /proc/self/status

# where it could be had again by any exec, guard does not start
weak() { setpriv --bounding-set=-setpcap "$@"; }
if weak true 2>/dev/null; then
	check "without CAP_SETPCAP guard does not start" exits 125 weak "$guard" run -q --config default.conf -p never.policy -- true
	check "and says why" says '^guard: .*CAP_SETPCAP' weak "$guard" run -q --config default.conf -p never.policy -- true
	check "unless told to do what it can" exits 3 weak "$guard" run -q --best-effort --config default.conf -p never.policy -o "file:$work/weak.events" -- sh -c 'exit 3'
	check "which it says" says 'DEGRADED: .*CAP_SETPCAP' weak "$guard" run -q --best-effort --config default.conf -p never.policy -- true
	check "in an event as well" internal weak.events 'any(.degraded.reason | strings | test("CAP_SETPCAP"))'
	check "or to keep it" exits 0 weak "$guard" run -q --config keep.conf -p never.policy -- true
	check "doctor sees it" exits 1 weak "$guard" doctor
fi

# guard's processes are closed from their first instruction on, and so are those that
# follow them
comings_and_goings() # COMMAND...: guard run and so on
{
	local timeout_pid keeper _

	rm -f stop opened
	start comings_in_background "$@"
	timeout_pid=$!
	eventually grep -qs trying opened && eventually children "$timeout_pid" >pid || return
	read -r keeper <pid
	for _ in {1..20}; do
		kill -0 "$timeout_pid" || return
		eventually recorder_of "$keeper" >pid && kill -KILL "$(cat pid)"
		eventually supervisor_of "$keeper" >pid && kill -KILL "$(cat pid)"
	done
	eventually recorder_of "$keeper" >pid && eventually supervisor_of "$keeper" >pid
	: >stop
	wait "$timeout_pid"
	grep -v trying opened | sort -u
}
comings_in_background() { exec timeout -k 5 50 "$@" ./inside keeper "$t_do" pry-children "$work/stop" >opened; }
check "none of root's guard is open at any time" prints tried \
	comings_and_goings "$guard" run -q --config default.conf -p never.policy -o "file:$work/c.events" --
check "nor of nobody's to nobody" prints tried \
	comings_and_goings setpriv --reuid=65534 --regid=65534 --clear-groups -- "$guard" run -q -p never.policy -o "file:$work/d.events" --
check "nor of a root that has little privilege itself" prints tried \
	comings_and_goings setpriv --bounding-set=-sys_ptrace,-sys_admin -- "$guard" run -q -p never.policy -o "file:$work/e.events" --
seen_open() { comings_and_goings "$guard" run -q --config open.conf -p never.policy -o "file:$work/f.events" -- >said; grep -q 'mem of guard' said; }
check "where they are open this would see it" seen_open
finish
