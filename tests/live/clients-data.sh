#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Clients of data bases under guard: redis-cli, redis-benchmark, psql; and the servers
# themselves. See clients.sh.
. "${srcdir:-.}/tests/live/clients.sh"
PATH=$PATH:/usr/sbin
for directory in /usr/lib/postgresql/*/bin; do
	PATH=$PATH:$directory
done

with_redis()
{
	local commands='redis.call("set", "key", ARGV[1]); redis.call("del", "list")
		for i = 1, 5 do redis.call("rpush", "list", i) end
		return {redis.call("get", "key"), redis.call("lrange", "list", 0, -1)}'

	"${under[@]}" redis-cli -h 127.0.0.1 -p "$1" eval "$commands" 0 value
}
is_complete() # FUNCTION PORT: what it measures differs, what it does not
{
	"$1" "$2" >said 2>complaint || { cat said complaint; return 1; }
	[ "$(grep -Eo '^"[A-Z]+' said | tr -d '\n')" = '"PING"PING"SET"GET"LPUSH' ] || { cat said complaint; return 1; }
}
with_benchmark()
{
	"${under[@]}" redis-benchmark -h 127.0.0.1 -p "$1" -q --csv -n 2000 -c 20 -t ping,set,get,lpush
}
redis_under() # PREFIX...: another server, by a port of its own
{
	own=$(free_port)
	start "$@" redis-server --port "$own" --bind 127.0.0.1 --save '' --dir "$work" --daemonize no
	eventually redis_answers "$own"
}
redis_answers() { redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null | grep -q PONG; }
redis()
{
	redis_under env || { skip redis "redis-server does not start"; return; }
	relays "$own"
	client redis-cli 'Could not connect to Redis at 127.0.0.1:[0-9]+: Operation not permitted' with_redis
	check "redis-benchmark, without guard" natively is_complete with_benchmark "$open"
	check "redis-benchmark, default policy" by_default is_complete with_benchmark "$open"
	check "redis-benchmark, allowed port" by_policy is_complete with_benchmark "$open"
	check "redis-benchmark, refused port" is_refused 'Operation not permitted' with_benchmark
	redis_under "$guard" run -q -p "$work/clients.policy" -o file:/dev/null --
	check "redis-server under guard answers the same" same native natively with_redis "$own"
}
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
	redis
else
	skip redis "redis-server or redis-cli is not installed"
fi

with_psql()
{
	PGCONNECT_TIMEOUT=30 "${under[@]}" psql -X -At -h 127.0.0.1 -p "$1" -U postgres -d postgres -v ON_ERROR_STOP=1 <<-END
		select sum(x), md5(string_agg(x::text, ',')) from generate_series(1, 10000) x;
		create temporary table t (a int, b text);
		\\copy t from program 'seq 1 500 | sed "s/.*/&\\t&/"'
		select count(*), sum(a) from t;
	END
}
as_postgres() { setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$work/data" "$@"; }
postgres_answers() { pg_isready -q -h 127.0.0.1 -p "$1"; }
postgres()
{
	user=postgres
	id -u postgres >/dev/null 2>&1 || user=nobody
	mkdir data && chown "$user" data || return
	user=$(id -u "$user")
	as_postgres initdb -D data/db -U postgres -A trust --no-sync -E UTF8 --locale=C >initdb.log 2>&1 ||
		{ skip psql "initdb does not work here: $(tail -n 1 initdb.log)"; return; }
	own=$(free_port)
	start as_postgres postgres -D data/db -p "$own" -h 127.0.0.1 -k '' -F
	eventually postgres_answers "$own" || { skip psql "postgres does not start"; return; }
	relays "$own"
	client psql 'connection to server at "127.0.0.1", port [0-9]+ failed: Operation not permitted' with_psql
}
if [ "$(id -u)" -ne 0 ]; then
	skip psql "needs root to become another user"
elif command -v psql >/dev/null && command -v initdb >/dev/null; then
	postgres
else
	skip psql "psql or the server is not installed"
fi
finish
