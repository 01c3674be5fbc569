#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Arguments in memory that a file server does not deliver: the call that names them waits,
# until its deadline, and nobody else. Exercises engine/fetch, engine/sentinel.
if [ -z "${STALL_NAMESPACE:-}" ] && unshare -m true 2>/dev/null; then
	STALL_NAMESPACE=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "${srcdir:-.}/tests/live/tap.sh"
[ "${STALL_NAMESPACE:-}" = own ] || skip_all "no mount namespace of one's own here"
[ -c /dev/fuse ] || skip_all "needs /dev/fuse"
need jq

mkdir mount
# what hangs in the server cannot be removed before it is gone
trap 'umount -l "$work/mount"; tap_leave' EXIT
serve()
{
	rm -f mounted
	umount -l "$work/mount" 2>/dev/null
	start "$t_do" serve-fuse "$work/mount" "$t_do_static" mounted "$work/$1"
	server=$!
	eventually mounted || exit 99
}
mounted() { [ -e mounted ] || ! kill -0 "$server" 2>/dev/null; }
cp /bin/true good
cp /bin/true evil
serve good
[ -e mounted ] || skip_all "FUSE cannot be mounted: $(tail -n 1 .background)"
# a new file each time: what waits for one cannot even be killed
number=0
fresh() { number=$((number + 1)); stalled=$work/mount/stalled$number; }

policy all <<END
  - id: evil
    expression: exec.file.path == "$work/evil" || exec.argv in ["evil"] || exec.envp in ["EVIL=1"]
    actions:
      - block: {errno: EPERM}
  - id: shut
    expression: connect.addr.port == 1
    actions:
      - block: {errno: EPERM}
  - id: low
    expression: bind.addr.port == 1
    actions:
      - block: {errno: EPERM}
END
# from the beginning on, since nobody could take over
printf '[run]\ndeadline = 300ms\non_supervisor_loss = kill\n' >careful.conf
printf '[run]\ndeadline = 300ms\n' >quick.conf
conf=quick
guarded() { rm -f events; timeout -k 5 120 "$guard" run -q --config "$conf.conf" -p all.policy -o "file:$work/events" "$@"; }

calls="connect-name bind-name sendto-name sendto-data sendmsg-head sendmsg-name sendmsg-vector
	sendmsg-data sendmsg-control sendmmsg-head execve-path execve-vector execve-string"
restarts() { jq -s 'map(select(.agent.rule_id == "supervisor_restarted")) | length' events; }
# it is still in its call when others have made many of theirs
waits_for_ever() # CALL
{
	"$t_do" stalled "$1" "$stalled" 9 >native.said &
	local pid=$!
	"$t_do" paced 20 none - >/dev/null
	kill -0 "$pid" && [ ! -s native.said ]
}
# a supervisor that is held ends slowly: not each call has one
held="connect-name sendmsg-vector execve-path execve-string"
[ "${TIER:-}" = full ] && held=$calls
for call in $calls; do
	fresh
	check "$call: without guard it waits for ever" waits_for_ever "$call"
	for conf in quick careful; do
		[ "$conf" = careful ] || grep -qw -e "$call" <<<"$held" || continue
		fresh
		check "$call, $conf: it is refused" prints "errno EPERM" guarded -- "$t_do" stalled "$call" "$stalled" 9
		check "$call, $conf: and reported with the reason" events events \
			'map(select(.guard.reason == "deadline" and .guard.verdict == "blocked")) | length == 1'
		check "$call, $conf: once" prints "$([ "$conf" = quick ] && echo 1 || echo 0)" restarts
	done
done

# others: while somebody hangs the slowest one in a hundred takes no longer than half as
# much again; of it a busy machine decides, so it gets some room there, and three tries
conf=quick rounds=2 samples=400 patience=20000
[ "${TIER:-}" = full ] && rounds=5 samples=1000 patience=0
hundredth() { sort -n "$1" | awk '{ us[NR] = $1 } END { print us[int(NR * 99 / 100)] }'; }
beside()
{
	local i
	rm -f without with
	for ((i = 0; i < rounds; i++)); do
		guarded -- "$t_do" paced "$samples" "$1" - >>without || return
		fresh
		guarded -- "$t_do" paced "$samples" "$1" "$stalled" >>with || return
		events events 'any(.guard.reason == "deadline")' || return
	done
	without=$(hundredth without) with=$(hundredth with)
	echo "# exec beside $1 that hangs: 99 % within $with µs, without $without µs" | tee -a paces
	[ "$with" -le $((without * 3 / 2 + patience)) ]
}
thrice() { "$@" || "$@" || "$@"; }
for call in connect-name execve-path; do
	check "execs keep their pace beside $call that hangs" thrice beside "$call"
done
cat paces

# memory that is there when it is looked for and not when it is read
fresh
races_on() { guarded -- "$t_do" race-stall "$stalled" 200 >slowest; }
check "where memory comes and goes others go on" races_on
echo "# the slowest of them took $(sed 's/slowest //' slowest) ms"
check "and no supervisor is held more than once" test "$(restarts)" -le 1

# rules that only watch: the call is the kernel's, and waits there
conf=careful
fresh
watched() { guarded -m monitor -- bash -c '"$t_do" stalled connect-name "$1" 9 & echo $! >caller.new; mv caller.new caller; wait' - "$stalled"; }
is_in_the_kernel() # it waits for the page itself, no longer for guard
{
	[ "$(sed 's/.*) //' "/proc/$(cat caller)/stat" | cut -c 1)" = D ]
}
export t_do
start watched
watched_pid=$!
eventually test -e caller
check "where nothing is refused the kernel goes on with it" eventually is_in_the_kernel
ls mount/release 2>/dev/null
check "and comes to its end when the page is there" wait "$watched_pid"

# what comes in time goes on as if it had always been there
sed -i 's/300ms/60s/' quick.conf careful.conf
late() # CALL
{
	rm -f said
	fresh
	start arrives_late "$1"
	late_pid=$!
	eventually is_waited_for || return
	ls mount/release 2>/dev/null
	eventually test -e said
	cat said
	wait "$late_pid"
}
arrives_late() { guarded -- bash -c '"$t_do" stalled "$1" "$2" 9 >said.new; echo "status $?" >>said.new; mv said.new said' - "$1" "$stalled"; }
# the server has been asked for the page
is_waited_for() { [ -e "mount/waited$number" ]; }
for what in good evil; do
	serve "$what"
	for conf in quick careful; do
		native=$'errno EPERM\nstatus 1'
		[ "$what" = good ] && native=$'status 0'
		check "$what, $conf: a path that comes late is judged" prints "$native" late execve-path
	done
done
finish
