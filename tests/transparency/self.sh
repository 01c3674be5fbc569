#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a program can ask the kernel about itself is the same with and without guard,
# but for the list in guard(7). Exercises kernel/launch, kernel/heritage, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
. "$srcdir/tests/transparency/compare.sh"
reachable_by_all

policy watching <<END
  - id: exec
    expression: exec.file.name == "t-do"
  - id: connect
    expression: connect.addr.port == 9
END
policy blocking <<END
  - id: exec
    expression: exec.file.path == "/nowhere" || exec.argv in ["never"]
    actions:
      - block: {errno: EPERM}
  - id: connect
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
chmod 644 ./*.policy
chmod 777 .

# both KINDS GUARD-OPTIONS NATIVE-PREFIX -- PREFIX -- COMMAND...: the command after the
# prefix, without and with guard. env stands before each, for the variable `_`.
both()
{
	local kinds=$1 options=$2 native=() prefix=()
	shift 2
	while [ "$1" != -- ]; do native+=("$1"); shift; done
	shift
	while [ "$1" != -- ]; do prefix+=("$1"); shift; done
	shift
	rm -f out native under
	timeout -k 1 --foreground 60 env "${native[@]}" env "$@" >out 2>&1 </dev/null
	mv out native
	# shellcheck disable=SC2086 # several words
	timeout -k 1 --foreground 60 env "${prefix[@]}" env "$guard" run -q $options -- "$@" >out 2>&1 </dev/null
	mv out under
	same_but "$kinds" native under
}

me="all unprivileged"
[ "$(id -u)" -ne 0 ] || me=all
probe=("$t_do" probe 'two words' '' $'a\nb')
for options in "" "-p watching.policy" "-p blocking.policy" "-p blocking.policy -m monitor" \
	"-p blocking.policy -m off" "-p blocking.policy -o file:$work/events"; do
	check "a plain start, ${options:-default policy}" both "$me" "$options" -- -- "${probe[@]}"
done
blocking="-p blocking.policy"
odd=("$t_do" odd-start)
check "a static program" both "$me" "$blocking" -- -- "$t_do_static" probe
check "every attribute unusual" both "$me odd" "$blocking" "${odd[@]}" -- "${odd[@]}" -- "${probe[@]}"
check "every attribute unusual, only watched" \
	both "$me odd" "-p watching.policy" "${odd[@]}" -- "${odd[@]}" -- "${probe[@]}"
check "guard leads a session" both "$me odd leader" "$blocking" "${odd[@]}" session -- \
	"${odd[@]}" session -- "${probe[@]}"
by_name() { PATH=$1 both "$me" "$blocking" -- -- t-do probe; }
check "found in PATH" by_name "$work/bin:$PATH"
check "found in a relative PATH" by_name "bin:$PATH"
printf '#!%s probe\n' "$t_do" >script
chmod 755 script
check "a script" both "$me" "$blocking" -- -- ./script argument
cd /usr || exit 99
check "another directory" both "$me" "-p $work/blocking.policy" -- -- "${probe[@]}"
cd "$work" || exit 99

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	nobody="all unprivileged"
	check "an ordinary user" both "$nobody" "$blocking" "${other[@]}" -- "${other[@]}" -- "${probe[@]}"
	check "an ordinary user, default policy" both "$nobody" "" "${other[@]}" -- "${other[@]}" -- "${probe[@]}"
	check "an ordinary user, every attribute unusual" both "$nobody odd" "$blocking" \
		"${other[@]}" "${odd[@]}" -- "${other[@]}" "${odd[@]}" -- "${probe[@]}"
	other=(setpriv --reuid 65534 --regid 65534 --groups 65534)
	check "--user nobody" both "all" "$blocking --user nobody" "${other[@]}" -- -- "${probe[@]}"
	other=(setpriv --regid 54322 --keep-groups)
	check "--group" both "all" "$blocking --group 54322" "${other[@]}" -- -- "${probe[@]}"
	check_exceptions "all unprivileged odd leader"
else
	skip "other users" "needs root and setpriv"
fi
finish
