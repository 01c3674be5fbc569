#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# curl against nginx on loopback: the allowed port works, the refused one is EPERM
# at the client and nothing at all at the server. nginx itself runs under guard, too.
. "${srcdir:-.}/tests/live/tap.sh"
PATH=$PATH:/usr/sbin
need nginx curl jq python3

free_ports() # N
{
	python3 -c "
import socket
s = [socket.socket() for _ in range($1)]
for x in s: x.bind(('127.0.0.1', 0))
print(*(x.getsockname()[1] for x in s))"
}
read -r open shut guarded_port < <(free_ports 3)

configuration() # PORTS...
{
	local port
	cat <<-END
		daemon off; master_process on; worker_processes 2;
		error_log $work/error.log; pid $work/nginx.pid;
		events { worker_connections 64; }
		http {
			client_body_temp_path $work/tmp1; proxy_temp_path $work/tmp2;
			fastcgi_temp_path $work/tmp3; uwsgi_temp_path $work/tmp4; scgi_temp_path $work/tmp5;
			root $work/www;
	END
	for port; do
		echo "server { listen 127.0.0.1:$port; access_log $work/access.$port; }"
	done
	echo "}"
}
mkdir www
head -c 100000 /dev/urandom | base64 >www/file
chmod -R a+rX "$work"
configuration "$open" "$shut" >nginx.conf
start nginx -p "$work" -c "$work/nginx.conf"
answers() { curl -s -o /dev/null "http://127.0.0.1:$1/file"; }
eventually answers "$open" || skip_all "nginx does not start: $(cat error.log)"

policy web <<END
  - id: no_port
    expression: connect.addr.port == $shut && connect.addr.ip == 127.0.0.1/32
    actions:
      - block: {errno: EPERM}
  - id: open_port
    expression: connect.addr.port == $open
    every: 1ns
END
guarded() { "$guard" run -q -p "$work/web.policy" -o "file:$work/events" -- "$@"; }
lines() { if [ -e "$1" ]; then wc -l <"$1"; else echo 0; fi; }
fetch() { "$@" | cmp - www/file; }

check "the refused port answers without guard" fetch curl -s "http://127.0.0.1:$shut/file"
noted() { [ "$(lines "access.$shut")" -eq 1 ]; }
eventually noted
before=$(lines "access.$shut")
check "the allowed port gives the whole file" fetch guarded curl -s "http://127.0.0.1:$open/file"
check "the refused port: curl cannot connect" exits 7 guarded curl -sS "http://127.0.0.1:$shut/file"
check "because it is not permitted" says "not permitted" guarded curl -vsS "http://127.0.0.1:$shut/file"
check "the server saw nothing of it" test "$(lines "access.$shut")" -eq "$before"
check "two refusals are reported" verdicts events no_port blocked 2
check "with address and port" events events \
	"map(select(.agent.rule_id == \"no_port\"))[0] | tostring | contains(\"127.0.0.1\") and contains(\"$shut\")"
check "the allowed connect is reported" verdicts events open_port detected 1
many() { guarded curl -s -Z "http://127.0.0.1:$open/file?[1-40]" -o /dev/null; }
check "forty parallel transfers" many

# the server under guard, natively asked
configuration "$guarded_port" >guarded.conf
start "$guard" run -q -p "$work/web.policy" -o "file:$work/server.events" -- \
	nginx -p "$work" -c "$work/guarded.conf"
server=$!
check "nginx under guard answers" eventually answers "$guarded_port"
check "with the whole file" fetch curl -s "http://127.0.0.1:$guarded_port/file"
kill -TERM "$server"
wait "$server"
check "SIGTERM through guard ends it with 0" test $? -eq 0
finish
