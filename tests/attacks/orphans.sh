#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The keeper is killed: what of the workload is left dies, whatever its descent, and
# nobody who has only its numbers. Exercises engine/supervisor, engine/slay.
# The numbers of the dead are given to others here: in a namespace of its own, for in the
# host's it would happen to other tests, too, and whoever else counts on a number.
if [ -z "${OWN_PIDS:-}" ]; then
	export OWN_PIDS=no
	own_pids() # SCRIPT
	{
		unshare -mpf --kill-child --propagation unchanged sh -c \
			"mount --make-rprivate /proc && mount -t proc proc /proc && $1" "$0"
	}
	if own_pids true 2>/dev/null; then
		OWN_PIDS=yes own_pids 'bash "$0"; exit'
		exit
	fi
fi
. "${srcdir:-.}/tests/live/tap.sh"

start "$t_do" serve-tcp 127.0.0.1 port count
eventually test -s port || exit 99
port=$(cat port)
policy shut <<END
  - id: shut
    expression: connect.addr.port == $port
    actions:
      - block: {errno: EPERM}
END
gone() { [ ! -e "/proc/$1/root" ]; }
alive() { [ -e "/proc/$1/root" ]; }

# one that was never heard of, and whose parents are dead: it goes at its first call
cat >orphan <<'END'
#!/bin/bash
(
	(
		echo "$BASHPID" >orphan.pid
		read -r <wait
		# the first may be judged before the end of the keeper is heard of
		for _ in {1..50}; do
			true 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1"
		done
		echo "$BASHPID" >survived
		read -r <wait
	) &
)
while [ ! -s orphan.pid ]; do read -rt 0.02 <>pause; done
echo "$$" >root.pid
exit 3
END
chmod +x orphan
mkfifo wait pause
# its own end of the orphan's pipe: whoever is gone is not waited for
exec {gate}<>wait
start "$guard" run -q -p shut.policy -- ./orphan "$port"
guard_pid=$!
eventually test -s root.pid
root=$(cat root.pid) orphan=$(cat orphan.pid)
eventually gone "$root"
check "an orphan of the workload is left" alive "$orphan"

# the number of the first process is somebody else's by now
bystander=0
for _ in {1..200}; do
	[ "$OWN_PIDS" = yes ] && echo $((root - 1)) >/proc/sys/kernel/ns_last_pid || break
	start sleep 1000
	bystander=$!
	[ "$bystander" -eq "$root" ] && break
	# a shell that is not sleep yet would run our own trap at a SIGTERM
	kill -KILL "$bystander"
done
supervisor=$(supervisor_of "$guard_pid")
kill -KILL "$guard_pid"
wait "$guard_pid" 2>/dev/null
echo >&"$gate"
check "the keeper is killed: an orphan ends at its next call" eventually gone "$orphan"
check "and not later" test ! -e survived
check "so does the supervisor, when nobody is left" eventually gone "$supervisor"
if [ "$bystander" -eq "$root" ]; then
	check "who has the number of the first process lives" alive "$bystander"
else
	skip "who has the number of the first process lives" "that number cannot be had"
fi
finish
