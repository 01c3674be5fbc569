#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Where a connect goes, in the words of rules: connect.addr.hostname from /etc/hosts
# and --resolve, connect.addr.is_public, addresses in networks. Real connects to
# addresses of a network namespace of our own, counted by a server. Exercises
# model/hosts, derive_is_public.
if [ -z "${NAMES_NAMESPACE:-}" ] && unshare -mn true 2>/dev/null; then
	NAMES_NAMESPACE=own exec unshare -mn --propagation private bash "$0" "$@"
fi
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3
[ "${NAMES_NAMESPACE:-}" = own ] || skip_all "needs namespaces of its own (root)"
command -v ip >/dev/null || skip_all "ip is not installed"

# every address there is, answers; whatever is asked for comes from lo
ip link set lo up || skip_all "no loopback in a network namespace"
ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo ||
	skip_all "no local routes here"
cat >hosts <<'END'
127.0.0.1 localhost
10.9.8.7  Db.Test. db	# the data base
not a line of hosts
10.9.8.7  alias.test
2001:db8::77 six.test
END
mount --bind hosts /etc/hosts || skip_all "no bind mounts here"

start "$t_do" serve-tcp :: port count
eventually test -s port || exit 99
port=$(cat port)
count() { cat "$work/count"; }
counted() { [ "$(count)" -eq "$1" ]; }

# The words of `t-do connect` to ADDRESS under a rule that blocks EXPRESSION.
under() # EXPRESSION ADDRESS [OPTION]...
{
	policy name <<-END
	  - id: name
	    expression: $1 && connect.addr.port == $port
	    actions:
	      - block: {errno: EACCES}
	END
	rm -f events
	"$guard" run -q -p "$work/name.policy" -o "file:$work/events" "${@:3}" -- \
		"$t_do" connect "$2" "$port"
}
passes() # EXPRESSION ADDRESS [OPTION]...
{
	local before
	before=$(count)
	prints ok under "$@" && eventually counted "$((before + 1))"
}
# The server counts in the order of the connects: the one after it shows that it
# has not arrived.
is_refused()
{
	local before
	before=$(count)
	prints "errno EACCES" under "$@" && verdicts events name blocked 1 || return
	"$t_do" connect 127.0.0.1 "$port" >/dev/null
	eventually not counted "$before"
	counted "$((before + 1))" || { echo "the server counted it"; return 1; }
}
for address in 127.0.0.1 10.9.8.7 8.8.8.8 100.64.0.1 ::1 2001:db8::77 2606:4700::1 ::ffff:10.9.8.7; do
	check "$address answers without guard" prints ok "$t_do" connect "$address" "$port"
done
eventually counted 8

# expression; an address that it refuses; one that it lets through
while IFS=';' read -r expression refused passed; do
	# an address may be followed by options
	read -ra refused <<<"$refused"
	read -ra passed <<<"$passed"
	check "refused by $expression: ${refused[*]}" is_refused "$expression" "${refused[@]}"
	check "let through by $expression: ${passed[*]}" passes "$expression" "${passed[@]}"
done <<'END'
connect.addr.hostname == "db.test"; 10.9.8.7; 10.9.8.6
connect.addr.hostname == "alias.test"; ::ffff:10.9.8.7; 127.0.0.1
connect.addr.hostname in ["db", "web"]; 10.9.8.7; 127.0.0.1
connect.addr.hostname =~ "*.test"; 2001:db8::77; 127.0.0.1
connect.addr.hostname == r"^(six|seven)\.test$"; 2001:db8::77; 10.9.8.7
connect.addr.hostname not in ["localhost"]; 10.9.8.7; 127.0.0.1
connect.addr.hostname.root_domain == "b.test"; 10.9.8.7 --resolve a.b.test:10.9.8.7; 10.9.8.7
connect.addr.hostname.length > 9; 10.9.8.7; 2001:db8::77
connect.addr.hostname == "pin.test"; 10.0.0.1 --resolve PIN.test.:10.0.0.1,10.0.0.2; 10.0.0.3 --resolve pin.test:10.0.0.1
connect.addr.hostname == "pin.test"; 2606:4700::1 --resolve pin.test:1:[::1] --resolve pin.test:[2606:4700::1]; 10.0.0.1 --resolve pin.test:1:10.0.0.1
connect.addr.is_public; 8.8.8.8; 10.9.8.7
connect.addr.is_public; 2606:4700::1; ::ffff:10.9.8.7
connect.addr.is_public; ::ffff:8.8.8.8; 127.0.0.1
connect.addr.is_public; 172.32.0.1; 172.31.255.254
connect.addr.is_public; 100.128.0.1; 100.64.0.1
connect.addr.is_public; 192.169.0.1; 192.168.0.1
connect.addr.is_public; 169.253.0.1; 169.254.169.254
connect.addr.is_public; 2606:4700::2; fd00::1
connect.addr.is_public; 9.9.9.9; ::1
connect.addr.is_public; 9.9.9.9; 2001:db8::1
not connect.addr.is_public; 10.9.8.7; 8.8.8.8
connect.addr.ip in [10.0.0.0/8, ::1/128]; 10.255.255.255; 11.0.0.0
connect.addr.ip in [10.0.0.0/8, ::1/128]; ::1; ::2
connect.addr.ip in [10.0.0.0/8, ::1/128]; ::ffff:10.1.2.3; 127.0.0.1
connect.addr.ip in 192.168.0.0/16; 192.168.255.1; 192.169.0.1
192.168.0.0/16 in connect.addr.ip; 192.168.255.1; 192.169.0.1
connect.addr.ip in 2001:db8::/32; 2001:db8:ffff::1; 2001:db9::1
connect.addr.ip not in [127.0.0.0/8, ::1/128]; 10.0.0.1; 127.1.2.3
connect.addr.ip == 10.9.8.7; 10.9.8.7; 10.9.8.8
connect.addr.ip in [0.0.0.0/0]; 1.2.3.4; 2606:4700::1
END
check "the event has the names of the address" is_refused 'connect.addr.hostname == "pin"' 10.9.8.7 \
	--resolve "pin:$port:10.9.8.7" --resolve pin:1:10.9.8.7 --resolve "later:10.9.8.7"
check "those of the port first, all without case and dot" events events \
	'.[0].connect.hostnames == ["pin", "alias.test", "db", "db.test", "later"]'
check "without a rule about names there are none" passes 'connect.addr.ip == 1.1.1.1' 10.9.8.7

# the wildcard is the loopback, or the address that the socket is bound to
while read -r address expression; do
	check "$address is refused by $expression" is_refused "$expression" "$address"
done <<'END'
0.0.0.0         connect.addr.ip == 127.0.0.1
::              connect.addr.ip == ::1
::ffff:0.0.0.0  connect.addr.ip in [127.0.0.0/8]
0.0.0.0         connect.addr.hostname == "localhost"
END
wildcards()
{
	rm -f events
	"$guard" run -q -p "$work/name.policy" -o "file:$work/events" -- python3 -c "
import socket, sys
for family, bound, to in ((socket.AF_INET, '10.9.8.7', '0.0.0.0'), (socket.AF_INET6, '::ffff:10.9.8.7', '::ffff:0.0.0.0'),
                          (socket.AF_INET, '10.9.8.6', '0.0.0.0'), (socket.AF_INET6, '::', '::')):
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        s = socket.socket(family, kind)
        s.bind((bound, 0))
        try:
            if kind == socket.SOCK_STREAM:
                s.connect((to, $port))
            else:
                s.sendto(b'x', (to, $port))
            print('ok', s.getpeername()[0] if kind == socket.SOCK_STREAM else '')
        except OSError as error:
            print(error.errno)"
}
is_refused 'connect.addr.ip == 10.9.8.7' 10.9.8.7 >/dev/null
check "an own address by way of the wildcard, too" prints "$(printf '13\n13\n13\n13\nok 10.9.8.6\nok \nok ::1\nok ')" wildcards

# who writes to /etc/hosts after the start changes no verdict
policy steer <<END
  - id: steer
    expression: connect.addr.hostname == "db.test" && connect.addr.port == $port
    actions:
      - block: {errno: EACCES}
END
steer()
{
	"$guard" run -q -p "$work/steer.policy" -o "file:$work/steer.events" -- sh -c \
		"echo '127.0.0.1 db.test' >/etc/hosts; '$t_do' connect $1 $port"
}
check "a name that the workload removes is still known" prints "errno EACCES" steer 10.9.8.7
printf '10.9.8.7 db.test\n' >hosts
check "a name that it adds is not" prints ok steer 127.0.0.1
check "though it was added" grep -q '^127.0.0.1 db.test' hosts

# guard.conf, and mistakes
printf '[network]\nresolve = conf.test:10.3.0.1, [2001:db8::5], two.test:%s:10.3.0.2,10.3.0.3\n' \
	"$port" >guard.conf
while read -r name address; do
	check "guard.conf names $address" is_refused "connect.addr.hostname == \"$name\"" "$address" \
		--config "$work/guard.conf"
done <<'END'
conf.test 10.3.0.1
conf.test 2001:db8::5
two.test  10.3.0.2
two.test  10.3.0.3
END
check "--resolve replaces those of guard.conf" passes 'connect.addr.hostname == "conf.test"' 10.3.0.1 \
	--config "$work/guard.conf" --resolve x:10.3.0.9
while read -r pin pattern; do
	check "a bad pin is refused: $pin" exits 125 "$guard" run -q --resolve "$pin" -- true
	check "and says why" says "^guard: pin '.*': .*$pattern" "$guard" run -q --resolve "$pin" -- true
done <<'END'
host it is not HOST:ADDRESS
host:name 'name' is no address
host:0:10.0.0.1 '0' is no port
host:::1 IPv6 addresses stand in brackets
END
truncate -s 17M big && mount --bind big /etc/hosts || exit 99
check "a hosts file that is too large is an error for who asks for names" \
	exits 125 "$guard" run -q -p "$work/steer.policy" -- true
check "and for nobody else" exits 0 "$guard" run -q -- true
umount /etc/hosts
finish
