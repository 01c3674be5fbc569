#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ssh on loopback: the client under guard, and a server of our own under guard, whose
# separated part loads a seccomp filter of its own above that of guard. See
# clients.sh.
. "${srcdir:-.}/tests/live/clients.sh"
PATH=$PATH:/usr/sbin
need ssh sshd ssh-keygen
[ "$(id -u)" -eq 0 ] || skip_all "the server needs root"
sshd=$(command -v sshd)

# the directory that it separates into must be there
if [ ! -d /run/sshd ]; then
	mkdir /run/sshd || skip_all "no /run/sshd"
	made=yes
fi
ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f key || exit 99
chmod 700 "$work" && cp key.pub authorized_keys && chmod 600 authorized_keys
configuration() # PORT
{
	cat <<-END
		Port $1
		ListenAddress 127.0.0.1
		HostKey $work/host_key
		PidFile none
		AuthorizedKeysFile $work/authorized_keys
		PermitRootLogin yes
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		StrictModes no
		UsePAM no
		PrintMotd no
		Subsystem sftp internal-sftp
	END
}
options=(-F none -i "$work/key" -o BatchMode=yes -o IdentitiesOnly=yes -o LogLevel=ERROR
	-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20)
with_ssh()
{
	"${under[@]}" ssh "${options[@]}" -p "$1" root@127.0.0.1 'seq 1 20000; exec cat; exit 3' <"$work/input"
}
with_status() { "${under[@]}" ssh "${options[@]}" -p "$1" root@127.0.0.1 'exit 7' </dev/null; }
ssh_answers() { natively with_status "$1" 2>>complaints; [ $? -eq 7 ]; }
sshd_under() # PREFIX...
{
	own=$(free_port)
	configuration "$own" >"sshd.$own"
	start "$@" "$sshd" -D -e -f "$work/sshd.$own"
	eventually ssh_answers "$own"
}
head -c 500000 /dev/urandom | base64 >input
if sshd_under env; then
	relays "$own"
	client ssh 'connect to host 127.0.0.1 port [0-9]+: Operation not permitted' with_ssh
	check "ssh: the status of the command, default policy" exits 7 by_default with_status "$open"
	check "ssh: the status of the command, allowed port" exits 7 by_policy with_status "$open"
	with_sftp()
	{
		echo "get $work/input fetched" | "${under[@]}" sftp -b - "${options[@]}" -P "$1" root@127.0.0.1 >/dev/null &&
			cat fetched && rm fetched
	}
	client sftp 'connect to host 127.0.0.1 port [0-9]+: Operation not permitted' with_sftp
	policy server <<-END
	  - id: no_port
	    expression: connect.addr.port == 1
	    actions:
	      - block: {errno: EPERM}
	  - id: no_program
	    expression: exec.file.name == "never"
	    actions:
	      - block: {errno: EPERM}
	END
	natively with_ssh "$open" >native
	check "sshd under guard, default policy" sshd_under "$guard" run -q -o file:/dev/null --
	check "answers the same" same native natively with_ssh "$own"
	check "sshd under guard, a blocking policy" \
		sshd_under "$guard" run -q -p "$work/server.policy" -o file:/dev/null --
	check "answers the same, too" same native natively with_ssh "$own"
else
	skip ssh "sshd does not let us in: $(tail -n 1 complaints .background | tr '\n' ' ')"
fi
[ "${made:-}" = yes ] && rmdir /run/sshd
finish
