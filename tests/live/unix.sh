#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# AF_UNIX peers: refused by rule whatever they are called, reached as without guard
# otherwise, and what a server sees of its client. Exercises engine/local, kernel/peer,
# kernel/pins.
. "${srcdir:-.}/tests/live/tap.sh"
need jq
reachable_by_all

# folders whose names make one of 108 bytes
deep=$work/$(printf 'd%.0s' {1..100})
deep=${deep:0:$((108 - 5))}
mkdir -p "$work/run" "$deep" other
for type in stream dgram seqpacket; do
	for what in shut open; do
		start "$t_do" serve-unix "$type" "$work/run/$what.$type" "$what.$type.count" "$what.$type.seen"
		start "$t_do" serve-unix "$type" "@guard-$$-$what.$type" "$what.@$type.count" "$what.@$type.seen"
	done
done
start "$t_do" serve-unix stream "$deep/shut" deep.count deep.seen
for type in stream dgram seqpacket @stream @dgram @seqpacket; do
	eventually test -s "shut.$type.count" -a -s "open.$type.count" || exit 99
done
eventually test -s deep.count || exit 99

policy paths <<END
  - id: shut
    expression: >-
      connect.addr.path in ["$work/run/shut.stream", "$work/run/shut.dgram",
      "$work/run/shut.seqpacket", "$deep/shut"] || connect.addr.path =~ "@guard-$$-shut.*"
    actions:
      - block: {errno: EPERM}
  - id: seen
    expression: connect.addr.path =~ "$work/run/open.*" || connect.addr.path =~ "@guard-$$-open.*"
    every: 1ns
END
policy ports <<END
  - id: no_port
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
guarded() # POLICY COMMAND...
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/$1.policy" -o "file:$work/events" -- "${@:2}"
}
counted() { [ "$(cat "$1.count")" -eq "$2" ]; }
# reaches SERVER COMMAND...: COMMAND says ok and SERVER has counted one more.
reaches()
{
	local before
	before=$(cat "$1.count")
	"${@:2}" | grep -q 'ok$' || { echo "does not say ok"; return 1; }
	eventually counted "$1" "$((before + 1))"
}
# reaches_not SERVER COMMAND...: COMMAND is refused, and of it and of a connect that
# is not guarded and comes later only the latter is counted.
reaches_not() # SERVER TYPE NAME COMMAND...
{
	local before
	before=$(cat "$1.count")
	prints "errno EPERM" "${@:4}" || return
	"$t_do" unix-connect "$2" "$3" alone >/dev/null
	eventually not counted "$1" "$before"
	counted "$1" "$((before + 1))" || { echo "the server counted it"; return 1; }
}

# ---- every kind, alone and in company
for type in stream dgram seqpacket; do
	for server in "$type $work/run/" "@$type @guard-$$-"; do
		read -r key prefix <<<"$server"
		for company in alone thread process; do
			name="$key, $company"
			check "$name: the refused one answers without guard" reaches "shut.$key" \
				"$t_do" unix-connect "$type" "${prefix}shut.$type" "$company"
			check "$name: under guard it is EPERM and unheard" reaches_not "shut.$key" "$type" "${prefix}shut.$type" \
				guarded paths "$t_do" unix-connect "$type" "${prefix}shut.$type" "$company"
			check "$name: which is reported" events "$work/events" \
				"map(select(.guard.verdict == \"blocked\" and .guard.addr_path == \"${prefix}shut.$type\")) | length == 1"
			check "$name: the open one is reached" reaches "open.$key" \
				guarded paths "$t_do" unix-connect "$type" "${prefix}open.$type" "$company"
			check "$name: which is reported, too" verdicts "$work/events" seen detected 1
		done
	done
done

# ---- every spelling
ln -s run/shut.stream link
ln -s run other-run
mkdir -p other/folder
ln -s "$work/run" other/folder/link
ln run/shut.stream run/hard
refused() # WHAT COMMAND...: a spelling that gets there without guard
{
	check "$1: gets there without guard" reaches shut.stream "${@:2}"
	check "$1: is refused" reaches_not shut.stream stream "$work/run/shut.stream" guarded paths "${@:2}"
}
spelt() { refused "$1" "$t_do" unix-connect stream "$2" alone; }
spelt "a symbolic link" "$work/link"
spelt "a folder that is a link" "$work/other-run/shut.stream"
spelt "relative" run/shut.stream
spelt "dots and slashes" ".//other/../run/./shut.stream"
spelt "a link within relative names" other/folder/link/shut.stream
spelt "/proc/self/root" "/proc/self/root$work/run/shut.stream"
spelt "/proc/self/cwd" /proc/self/cwd/run/shut.stream
spelt "/proc/thread-self/cwd" /proc/thread-self/cwd/link
spelt "a hard link" run/hard
refused "fchdir" "$t_do" unix-connect-in stream other/folder/link shut.stream
refused "a descriptor of its folder" bash -c 'exec 7<run; exec "$0" unix-connect stream /proc/self/fd/7/shut.stream alone' "$t_do"
check "a name of 108 bytes is one" test "$(printf %s "$deep/shut" | wc -c)" -eq 108
check "108 bytes without a NUL: gets there without guard" reaches deep "$t_do" unix-connect stream "$deep/shut" alone
check "108 bytes without a NUL: is refused" reaches_not deep stream "$deep/shut" \
	guarded paths "$t_do" unix-connect stream "$deep/shut" alone
check "a hard link: the report has both names" bash -c "
	rm -f events
	'$guard' run -q -p paths.policy -o file:events -- '$t_do' unix-connect stream run/hard alone
	jq -es 'map(select(.evt)) | length == 1 and .[0].guard.addr_path == \"$work/run/hard\" and
		.[0].guard.addr_alias == \"$work/run/shut.stream\"' events"
if unshare -m true 2>/dev/null; then
	cat >bound <<'END'
#!/bin/bash
touch other/mounted && mount --bind run/shut.stream other/mounted && mkdir other/all && mount --bind run other/all &&
	exec "$@"
END
	chmod +x bound
	inside() { unshare -m ./bound "$@"; rm -rf other/mounted other/all; }
	for name in other/mounted other/all/shut.stream; do
		check "bind mount $name: gets there without guard" reaches shut.stream \
			inside "$t_do" unix-connect stream "$name" alone
		check "bind mount $name, guard inside: is refused" reaches_not shut.stream stream "$work/run/shut.stream" \
			inside "$guard" run -q -p paths.policy -- "$t_do" unix-connect stream "$name" alone
		check "bind mount $name, guard outside: is refused" reaches_not shut.stream stream "$work/run/shut.stream" \
			guarded paths unshare -m ./bound "$t_do" unix-connect stream "$name" alone
		rm -rf other/mounted other/all
	done
else
	skip "bind mounts" "no mount namespaces for this user"
fi
cat >renamed <<'END'
#!/bin/bash
mv run/shut.stream run/moved
"$t_do" unix-connect stream run/moved alone
mv run/moved run/shut.stream
END
chmod +x renamed
export t_do
refused "a new name" ./renamed

# ---- as without guard
as_native() # POLICY COMMAND...
{
	local native under
	native=$("${@:2}"; echo "status $?")
	under=$(guarded "$@"; echo "status $?")
	[ "$native" = "$under" ] || { diff <(echo "$native") <(echo "$under"); return 1; }
	echo "$native"
}
touch file
mkfifo pipe
for policy in paths ports; do
	for name in /nowhere/socket file/x pipe file "$work" "@nobody-$$"; do
		for type in stream dgram seqpacket; do
			check "$policy: $type to $name as without guard" as_native "$policy" "$t_do" unix-connect "$type" "$name" thread
		done
	done
	for name in "$work/run/open.stream" "$work/run/open.dgram" "@guard-$$-open.stream"; do
		check "$policy: wrong addresses, twice, and disconnected: ${name##*[/]}" \
			as_native "$policy" "$t_do" unix-wrong "$name"
	done
done

# ---- who it is to the server: the client's user and groups always, and its pid but for
# connections that guard makes
cat >conversations <<'END'
#!/bin/bash
# each kind of message, alone and in company, with what client and server say of it
converse() # TYPE COMPANY CALL WITH
{
	local before said pid count=1
	before=$(cat "open.$1.count")
	said=$("$t_do" unix-send "$1" "$PWD/run/open.$1" "$2" "$3" "$4")
	pid=${said#pid } pid=${pid%% *}
	[ "$1$3" = dgramsendmmsg ] && count=3
	[ "$1" = dgram ] && [[ $said != *ok ]] && count=0
	until [ "$(cat "open.$1.count")" -ge $((before + count)) ]; do sleep 0.01; done
	echo "$* ${said#pid * }"
	[ "$count" -eq 0 ] || sed "s/pid $pid /pid SELF /g" "open.$1.seen"
}
for type in stream dgram seqpacket; do
	for company in alone thread process; do
		converse "$type" "$company" sendto none
	done
	for with in none big rights many-rights too-many-rights wrong-rights credentials another\'s-pid another\'s-user \
		nonsense other-level short; do
		converse "$type" thread sendmsg "$with"
	done
	converse "$type" alone sendmsg rights
	converse "$type" process sendmmsg rights
	"$t_do" unix-send "$type" pair thread sendmsg rights | sed 's/^pid [0-9]* //'
	"$t_do" unix-send dgram /nowhere thread sendmsg wrong-rights | sed 's/^pid [0-9]* //'
done
END
chmod +x conversations
chmod 777 .
users="$(id -un)"
[ "$(id -u)" -eq 0 ] && users="root nobody"
as() # USER COMMAND...
{
	if [ "$1" = nobody ] && [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid nobody --regid "$(id -g nobody)" --groups 4,24 -- "${@:2}"
	else
		"${@:2}"
	fi
}
export -f as
any_peer()
{
	if [ "$(id -u)" -eq 0 ]; then
		sed 's/^peer pid [^ ]*/peer pid ANY/' "$1"
	else
		# without privilege guard cannot name others
		sed -E 's/^(peer|message) pid [^ ]*/\1 pid ANY/' "$1"
	fi
}
for user in $users; do
	as "$user" ./conversations >native
	check "$user: a hundred lines of conversation" test "$(wc -l <native)" -ge 100
	for policy in paths ports; do
		guarded "$policy" bash -c 'as "$@"' as "$user" ./conversations >under
		check "$user, $policy: the same is said and seen but for the pid of a connection" \
			diff <(any_peer native) <(any_peer under)
		# see guard(7): when the kernel makes it, and when guard, which without
		# privilege cannot tell who is alone
		[ "$(id -u)" -ne 0 ] || check "$user, $policy: the pid, alone" test \
			"$(grep -A1 -E '^(stream|seqpacket) alone' under | grep -c 'peer pid SELF')" -eq "$([ $policy = ports ] && echo 4 || echo 0)"
	done
done

# ---- unix_passthrough: the server sees the program itself, and rules hold all the same
ln run/open.stream run/also-open
cat >guard.conf <<END
[network]
unix_passthrough = $work/run/also-open, @guard-$$-open.stream
END
passed() # NAME: "yes" when its server sees the pid that the client has
{
	local before said pid
	before=$(cat "$1.count")
	said=$("$guard" run -q --config guard.conf -p paths.policy -- "$t_do" unix-send stream "$2" alone sendto none)
	eventually not counted "$1" "$before" || return
	pid=${said#pid } pid=${pid%% *}
	grep -q "^peer pid $pid " "$1.seen" && echo yes || echo no
}
if [ "$(id -u)" -eq 0 ]; then
	check "unix_passthrough: a file under another name" prints yes passed open.stream "$work/run/open.stream"
	check "unix_passthrough: an abstract name" prints yes passed open.@stream "@guard-$$-open.stream"
fi
check "unix_passthrough: what is refused stays so" prints "errno EPERM" \
	"$guard" run -q --config guard.conf -p paths.policy -- "$t_do" unix-connect stream "$work/run/shut.stream" alone
finish
