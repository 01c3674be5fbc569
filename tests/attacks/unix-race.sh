#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# connect: an AF_UNIX socket is no door for TCP, and programs of many threads reach
# their AF_UNIX servers as themselves. Exercises kernel/connect, kernel/become,
# kernel/alone.
. "${srcdir:-.}/tests/live/tap.sh"
# one that every user may run
python=/usr/bin/python3
need "$python"
. "$srcdir/tests/attacks/contest.sh"
quota 1 20

start "$t_do" serve-tcp 127.0.0.1 shut.port shut.count
eventually test -s shut.port || exit 99
shut=$(cat shut.port)
policy race <<END
  - id: shut
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
END
chmod 644 race.policy
guarded() { contest_timeout "$guard" run -q -p race.policy "$@"; }
reached() { cat shut.count; }

# the descriptor is now an AF_UNIX socket, now a TCP one
watching_loses() # what the kernel carries out is done to whatever is there by then
{
	timeout 20 "$guard" run -q -m monitor -p race.policy -- "$t_do" race-descriptor 0.5 unix "$shut" >/dev/null
	control=$(reached)
	[ "$control" -gt 0 ]
}
# the server hangs up when it has counted
knock() { timeout 20 bash -c "cat </dev/tcp/127.0.0.1/$shut"; }
check "a supervisor that only looks is made to reach the shut port" eventually watching_loses
quiet knock
before=$(reached)
guarded -- "$t_do" race-descriptor "$quota" unix "$shut" >score
quiet knock
said "race-descriptor unix" $(($(reached) - before - knocks))
check "guard is not" test $(($(reached) - before)) -eq "$knocks"
check "and was tried often enough" test "$(field caught)" -ge "$wanted" -a "$(field refused)" -gt 10

# servers of ours, and what they see of their clients
cat >serve.py <<'END'
import os, socket, struct, sys
name = sys.argv[1]
s = socket.socket(socket.AF_UNIX)
s.bind("\0" + name[1:] if name[0] == "@" else name)
if name[0] != "@":
    os.chmod(name, int(sys.argv[2], 8))
s.listen(64)
open(sys.argv[3], "w").close()
while True:
    c, _ = s.accept()
    pid, uid, gid = struct.unpack("3i", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    c.sendall(f"uid {uid} gid {gid}".encode())
    c.close()
END
cat >client.py <<'END'
import errno, socket, sys, threading
name, threads = sys.argv[1], sys.argv[2] == "many"
def once():
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect("\0" + name[1:] if name[0] == "@" else name)
        print(s.recv(100).decode())
    except OSError as e:
        print(errno.errorcode[e.errno])
gate = threading.Event()
if threads:
    threading.Thread(target=gate.wait, daemon=True).start()
once()
gate.set()
END
start "$python" serve.py "$work/open.socket" 777 open.ready
start "$python" serve.py "$work/own.socket" 700 own.ready
start "$python" serve.py "@guard-test-$$" 0 abstract.ready
mkdir shut-folder && chmod 700 shut-folder
start "$python" serve.py "$work/shut-folder/socket" 777 folder.ready
for ready in open own abstract folder; do
	eventually test -e "$ready.ready" || exit 99
done
ln -s open.socket link.socket
cat >rows <<END
a-socket $work/open.socket
a-link link.socket
another's $work/own.socket
behind-a-shut-folder $work/shut-folder/socket
abstract @guard-test-$$
a-file /etc/passwd
nothing $work/nothing
END
native() # USER ARGS...
{
	local user=$1
	shift
	if [ "$user" = nobody ] && [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid nobody --regid "$(id -g nobody)" --init-groups -- "$@"
	else
		"$@"
	fi
}
users=$(id -un)
[ "$(id -u)" -eq 0 ] && users="root nobody"
for user in $users; do
	option=()
	[ "$user" = nobody ] && option=(--user nobody)
	for threads in one many; do
		while read -r what name; do
			check "$user, $threads thread(s), $what: as without guard" \
				prints "$(native "$user" "$python" client.py "$name" "$threads")" \
				guarded "${option[@]}" -- "$python" client.py "$name" "$threads"
		done <rows
	done
done
if [ "$(id -u)" -eq 0 ]; then
	check "the server sees the caller's user" prints "uid 65534 gid $(id -g nobody)" \
		guarded --user nobody -- "$python" client.py "$work/open.socket" many
	check "another user's socket stays shut" prints EACCES \
		guarded --user nobody -- "$python" client.py "$work/own.socket" many
fi

# what a name means: its bytes, the links that it leads through, the files themselves
mkdir -m 755 run links
declare -A server
for what in good evil; do
	for type in stream dgram; do
		start "$t_do" serve-unix "$type" "$work/run/$type-$what" "$type-$what.count" -
		server[$type-$what]=$!
		eventually test -s "$type-$what.count" || exit 99
		ln -s "$work/run/$type-$what" "links/$type-$what"
	done
done
policy names <<END
  - id: evil
    expression: connect.addr.path in ["$work/run/stream-evil", "$work/run/dgram-evil"]
    actions:
      - block: {errno: EPERM}
END
counted() { [ "$(cat "$1.count")" -eq "$2" ]; }
# Waiting for the next one (accept, of datagrams recvmsg; x86-64, aarch64) the server has
# counted all that came before.
idle() # FILE
{
	local call
	read -r call _ <"/proc/${server[$1]}/syscall" || return
	case $1:$call in
	stream*:43 | stream*:202 | dgram*:47 | dgram*:212) ;;
	*) return 1 ;;
	esac
}
# settled FILE TYPE NAME: what came before is counted as well; itself is not.
settled()
{
	"$t_do" unix-connect "$2" "$3" alone >/dev/null || return
	eventually idle "$1" || return
	echo "$(($(cat "$1.count") - 1))"
}
# the two may have changed names an odd number of times
inode=$(stat -c %i run/stream-good)
restore()
{
	[ "$(stat -c %i run/stream-good)" = "$inode" ] ||
		{ mv run/stream-good run/x && mv run/stream-evil run/stream-good && mv run/x run/stream-evil; }
	for link in links/*; do
		ln -sfn "$work/run/${link#links/}" "$link"
	done
}
evil() { settled "$1-evil" "$1" "$work/run/$1-evil"; }
while read -r how what type folder; do
	good=$folder/$type-good evil=$folder/$type-evil
	naive_wins()
	{
		local before
		before=$(evil "$type")
		"$t_do" naive 1 "$t_do" race-unix "$how" "$what" "$type" 0.3 "$good" "$evil" >/dev/null
		restore
		control=$(($(evil "$type") - before - 1))
		[ "$control" -gt 0 ]
	}
	name="$how, $type $what, $(basename "$folder")"
	check "$name: a naive supervisor is made to reach the evil one" eventually naive_wins
	# of files that change names both are the forbidden one's before long, and refused
	exchanged=no asked=$quota
	[ "$how $folder" = "process-names run" ] && exchanged=yes asked=${quota%:*}
	[ "$exchanged" = yes ] && [ "${TIER:-}" = full ] && asked=60
	before=$(evil "$type")
	contest_timeout "$guard" run -q -p names.policy -- "$t_do" race-unix "$how" "$what" "$type" "$asked" \
		"$good" "$evil" >score
	restore
	after=$(evil "$type")
	said "$name" $((after - before - 1))
	check "$name: guard is not" test "$after" -eq $((before + 1))
	tries=$(field caught)
	[ "$exchanged" = no ] || tries=$(field refused)
	check "$name: and was tried often enough" test "$tries" -ge "$wanted" -a "$(field refused)" -gt 10
done <<END
thread-address connect stream $work/run
process-address connect stream $work/run
process-names connect stream links
process-names connect stream run
process-address connect dgram $work/run
thread-address sendto dgram $work/run
process-address sendmsg dgram $work/run
process-address sendmmsg dgram $work/run
process-names sendmsg dgram links
END

# datagrams on a descriptor that is now an AF_UNIX socket, now a UDP one
start "$t_do" serve-udp 127.0.0.1 udp.port udp.count
eventually test -s udp.port || exit 99
policy udp <<END
  - id: shut
    expression: connect.addr.port == $(cat udp.port)
    actions:
      - block: {errno: EPERM}
END
knock() { timeout 5 "$t_do" connect-udp 127.0.0.1 "$(cat udp.port)" >/dev/null; }
naive_sends()
{
	"$t_do" naive "$(cat udp.port)" "$t_do" race-unix-send 0.5 "$(cat udp.port)" >/dev/null
	control=$(cat udp.count)
	[ "$control" -gt 0 ]
}
check "datagrams: a naive supervisor is made to reach the shut port" eventually naive_sends
quiet knock
before=$(cat udp.count)
contest_timeout "$guard" run -q -p udp.policy -- "$t_do" race-unix-send "$quota" "$(cat udp.port)" >score
quiet knock
said "race-unix-send" $(($(cat udp.count) - before - knocks))
check "datagrams: guard is not" test $(($(cat udp.count) - before)) -eq "$knocks"
check "datagrams: and was tried often enough" test "$(field caught)" -ge "$wanted" -a "$(field refused)" -gt 10
finish
