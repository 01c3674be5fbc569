#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# configure without one of the libraries or headers: one line that names the Debian
# package, which is also one that contrib installs. Exercises configure.ac.
. "${srcdir:-.}/tests/live/tap.sh"
need pkg-config gcc
[ ! -e "$srcdir/config.status" ] || skip_all "the source directory is configured itself"

# a pkg-config that does not know $hidden
cat >pkg-config <<'E2'
#!/bin/sh
for word; do
	case $word in "$hidden" | "$hidden "*) exit 1 ;; esac
done
exec "$real" "$@"
E2
chmod +x pkg-config
real=$(command -v pkg-config)
export real hidden=none
# what does not depend on the libraries is found out once
configure() { "$srcdir/configure" --cache-file="$work/cache" "$@"; }
mkdir all && cd all || exit 99
check "with everything there it succeeds" configure PKG_CONFIG="$work/pkg-config"
cd ..

lacks() # LINE OPTION...
{
	rm -rf one && mkdir one && cd one || return
	if configure PKG_CONFIG="$work/pkg-config" "${@:2}" >said 2>&1; then
		echo "it succeeded"
		cd ..
		return 1
	fi
	cd ..
	grep -Eq "^configure: error: $1" one/said || { tail -n 5 one/said; return 1; }
}
packages=$(. "$srcdir/contrib/lib.sh" && echo "$build_packages $test_packages")
installed() { grep -qw -e "$1" <<<"$packages"; }
rows=$(sed -n 's/^[[:space:]]*\(\[\]*, *\)*GUARD_LIBRARY(\[[A-Z0-9_]*\], *\[\([^]]*\)\], *\[\([^]]*\)\]).*/\2 \3/p' "$srcdir/configure.ac")
check "the libraries are found in configure.ac" test "$(wc -l <<<"$rows")" -ge 7
while read -r library rest; do
	package=${rest##* }
	hidden=$library
	check "without $library: says to install $package" lacks "library $library.* is missing: apt-get install $package\$"
	check "contrib installs $package" installed "$package"
done <<<"$rows"
hidden=none
sed -i '/ac_cv_header_uthash_h/d' cache
check "without uthash.h: says so" lacks "header uthash.h is missing: apt-get install uthash-dev\$" ac_cv_header_uthash_h=no
finish
