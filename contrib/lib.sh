# SPDX-License-Identifier: GPL-3.0-or-later
# lib.sh - what contrib/quickstart, contrib/check and .ci/run share: installing
# what is missing on Debian, and building out of tree.
# shellcheck shell=bash

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
jobs=$(nproc 2>/dev/null || echo 2)
# most tests wait for others most of the time
test_jobs=$((2 * jobs))

# for the programs
build_packages="
gcc libc6-dev make autoconf automake pkg-config
libseccomp-dev libcap-ng-dev liburing-dev libinih-dev libyaml-dev libpcre2-dev libjansson-dev
libsystemd-dev uthash-dev libssl-dev libfuzzy-dev
"
# for the quick test tier: the harness, and the real programs that are run under guard
test_packages="
libcriterion-dev jq procps util-linux bsdutils python3 python3-jsonschema git curl nginx-light zsh fish
golang-go netcat-openbsd strace iproute2 libc6-dev-i386 socat dbus-daemon libglib2.0-bin
openssh-client tmux ssdeep
"

note()
{
	printf '%s\n' "$*" >&2
}

die()
{
	note "${0##*/}: $*"
	exit 1
}

# guard reads it, and bash needs it for what follows
[ -r /proc/self/status ] || die "/proc is not mounted here: mount -t proc proc /proc"

# what_is_missing PACKAGE...: those that are not installed.
what_is_missing()
{
	local package
	for package; do
		[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] ||
			echo "$package"
	done
}

# install_packages PACKAGE...: says what it installs; nothing when all is there.
install_packages()
{
	local missing sudo=()

	command -v dpkg-query >/dev/null ||
		die "this installs packages on Debian and its kin only; here, install by hand what configure names"
	mapfile -t missing < <(what_is_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	note "Installing from Debian: ${missing[*]}"
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "not root and no sudo; ask for: apt-get install ${missing[*]}"
		sudo=(sudo)
	fi
	"${sudo[@]}" apt-get -qq update || die "apt-get update failed"
	# RUNLEVEL: a package with a server does not start it (invoke-rc.d)
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Dpkg::Use-Pty=0 install -y \
		--no-install-recommends "${missing[@]}" >/dev/null || die "apt-get install failed"
}

# build DIRECTORY [CONFIGURE OPTION]...: configures when needed, then makes. Only what is
# wrong is said here; the rest is in build.log.
build()
{
	local directory=$1
	shift
	prepare_configure
	mkdir -p "$directory" || die "cannot create $directory"
	(
		cd "$directory" || exit 1
		# again when configure or its options have changed
		if [ ! -e config.status ] || [ "$top/configure" -nt config.status ] ||
			[ "$(cat .options 2>/dev/null)" != "$*" ]; then
			"$top/configure" --quiet "$@" >build.log || exit 1
			echo "$*" >.options
		fi
		make -s -j"$jobs" all >>build.log
	) || die "the build failed"
}

# Makes ./configure where it is missing or older than its sources.
prepare_configure()
{
	local source
	for source in configure.ac Makefile.am src/*/Makemodule.am */Makemodule.am tests/*/Makemodule.am; do
		[ configure -nt "$source" ] && [ Makefile.in -nt "$source" ] && continue
		autoreconf -fi >/dev/null 2>autoreconf.log ||
			{ cat autoreconf.log >&2; die "autoreconf failed"; }
		rm -f autoreconf.log
		return
	done
}

# run_tests DIRECTORY [MAKE ARGUMENT]...: `make check`; its words go to check.log, and
# what failed is said with its diagnostics.
run_tests()
{
	local directory=$1 status
	shift
	make -C "$directory" -j"$test_jobs" check "$@" >"$directory/check.log" 2>&1
	status=$?
	if [ "$status" -ne 0 ]; then
		failures "$directory" >&2
		# a build that broke has no results to show
		grep -q '^# TOTAL' "$directory/check.log" ||
			grep -Ev '^ +(CC|CCLD|AR|GEN) ' "$directory/check.log" | tail -n 60 >&2
		note "details: $directory/check.log and the .log files beside the tests"
	fi
	return "$status"
}

# failed_tests DIRECTORY...: the log of each test program with a bad result.
failed_tests()
{
	find "$@" -name '*.trs' -exec grep -lE '^:test-result: (FAIL|ERROR|XPASS)' {} + 2>/dev/null |
		sed 's/trs$/log/' | sort
}

# failed_checks DIRECTORY...: each bad result in one line, "failed: TEST NUMBER - CHECK".
failed_checks()
{
	local log
	while read -r log; do
		sed -nE 's/^(FAIL|ERROR|XPASS): /failed: /p' "$log"
	done < <(failed_tests "$@")
}

# failures DIRECTORY...: the same, then what each of these tests said about it: the lines
# of the check and the comments that follow; of one that ended too early, the last lines.
failures()
{
	local log said
	failed_checks "$@"
	while read -r log; do
		said=$(awk '
			/^(not ok|Bail out!)/ { shown = 40 }
			/^ok|^1\.\./ { shown = 0 }
			shown-- > 0 && !/^(PASS|FAIL|ERROR|SKIP): /' "$log" | head -n 200)
		echo "--- $log"
		[ -z "$said" ] || printf '%s\n' "$said"
		if [ -z "$said" ] || grep -q '^ERROR: ' "$log"; then
			echo "... and its end:"
			tail -n 25 "$log"
		fi
	done < <(failed_tests "$@")
}

# results DIRECTORY...: "PASSED FAILED SKIPPED", summed over every result of every test.
results()
{
	find "$@" -name '*.trs' -exec cat {} + | awk '
		/^:test-result: (PASS|XFAIL)/ { passed++ }
		/^:test-result: (FAIL|ERROR|XPASS)/ { failed++ }
		/^:test-result: SKIP/ { skipped++ }
		END { print passed + 0, failed + 0, skipped + 0 }'
}

# skips DIRECTORY...: what was skipped, and why.
skips()
{
	find "$@" -name '*.log' -path '*/tests/*' -exec grep -H '# SKIP' {} + |
		sed -n 's|^.*/\(tests/.*\)\.log:[^#]*# SKIP|skipped: \1:|p' | sort -u
}

# say_results PASSED FAILED SKIPPED
say_results()
{
	echo "$1 passed, $2 failed, $3 skipped"
}
