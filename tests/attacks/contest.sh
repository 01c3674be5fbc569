# SPDX-License-Identifier: GPL-3.0-or-later
# contest.sh - what the races of this folder share: how long, and what was counted. See
# contest.h for what "caught" means.
# shellcheck shell=bash

control=0 # wins against the naive supervisor, in the same run

# quota SECONDS CAUGHT: what a race must have seen; in the full tier ten thousand.
quota()
{
	wanted=$2
	quota=$1:$2
	[ "${TIER:-}" = full ] || return 0
	wanted=10000
	quota=$1:$wanted
}

# A race that does not come to its end fails by its counts, not by being killed.
contest_timeout()
{
	timeout -k 5 $((150 + wanted / 10)) "$@"
}

# field NAME: its count in the last line of a race.
field()
{
	sed -n "s/.*\\b$1 \\([0-9]*\\).*/\\1/p" score
}

# said RACE WINS: the line of the table.
said()
{
	echo "# $1: caught $(field caught) wins $2 control's wins $control (attempts $(field attempts)" \
		"refused $(field refused) done $(field done))"
}

# lines TEXT: how many events have it. The file may be too long for jq.
lines()
{
	grep -c "$1" events
}

# How many events no sink got; guard says so with later ones.
lost()
{
	grep -o '"lost":[0-9]*' events | sort -t : -k 2 -n | tail -n 1 | grep -o '[0-9]*$' || echo 0
}

# accounted REPORTED SEEN: what a racer saw is in the log, and nothing else; less only by
# what is counted as lost.
accounted()
{
	[ "$1" -le "$2" ] && [ $(($1 + $(lost))) -ge "$2" ]
}

# Each refusal that the racer saw is in the log.
all_reported()
{
	echo "reported $(lines '"verdict":"blocked"'), lost $(lost)"
	accounted "$(lines '"verdict":"blocked"')" "$(field refused)"
}

# quiet KNOCK: until all that the server had in its queue is counted. It serves in order,
# and KNOCK is through when it was served; how often it was tried: $knocks.
quiet()
{
	knocks=1
	until "$1"; do
		[ "$knocks" -lt 20 ] || return
		knocks=$((knocks + 1))
	done
}
