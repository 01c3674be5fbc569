#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who may include whom: every `#include "module/file"` below src/ is one of the
# edges listed here (design: base <- secl <- model <- policy <- kernel <- engine <- cmd;
# the recorder knows only base, secl and model).
. "${srcdir:-.}/tests/live/tap.sh"

edges="
base    base
secl    base secl
model   base secl model
policy  base secl model policy
kernel  base secl model policy kernel
engine  base secl model policy kernel engine
record  base secl model record
cmd     base secl model policy kernel engine cmd
main    base cmd
"
# A single file that must know more than its module may, with the reason here:
# the keeper opens the sinks and starts the recorder, by the recorder's own code.
exceptions="
src/engine/keeper.c record/spawn.h
"

# edges_of FILE: the files of ours that FILE includes.
edges_of()
{
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$1"
}

allowed() # FILE MODULE INCLUDED
{
	local prefix target

	[ "$3" = config.h ] && return
	while read -r prefix target; do
		[ -n "$prefix" ] && [[ $1 == "$prefix"* ]] && [ "$3" = "$target" ] && return
	done <<<"$exceptions"
	[[ $3 == */* ]] || return 1 # always by module, never by bare name
	awk -v m="$2" -v t="${3%%/*}" '$1 == m { for (i = 2; i <= NF; i++) if ($i == t) ok = 1 }
		END { exit !ok }' <<<"$edges"
}

module_is_clean() # MODULE FILE...
{
	local module=$1 file included bad=0
	shift
	for file; do
		while read -r included; do
			allowed "$file" "$module" "$included" ||
				{ echo "$file must not include \"$included\""; bad=1; }
		done < <(edges_of "$file")
	done
	return "$bad"
}

starts_with_config() # FILE...
{
	local file first bad=0
	for file; do
		first=$(sed -n 's/^#[[:space:]]*include[[:space:]]*//p' "$file" | head -n 1)
		[ "$first" = '"config.h"' ] || [ "$first" = '<config.h>' ] || { echo "$file includes $first before \"config.h\""; bad=1; }
	done
	return "$bad"
}

cd "$srcdir" || exit 99
read_files=0
for directory in src/*/; do
	module=$(basename "$directory")
	mapfile -t files < <(find "$directory" -name '*.[ch]' -o -name '*.def' | sort)
	check "$module includes only what it may" module_is_clean "$module" "${files[@]}"
	read_files=$((read_files + ${#files[@]}))
done
check "main.c includes only what it may" module_is_clean main src/main.c
check "every source file of src was read" \
	test "$((read_files + 1))" -eq "$(find src -name '*.[ch]' -o -name '*.def' | wc -l)"
mapfile -t sources < <(find src -name '*.c')
check "config.h comes first" starts_with_config "${sources[@]}"

# the check itself: an edge upwards and a bare name are refused
check "an edge upwards is refused" not allowed src/base/x.c base engine/link.h
check "the recorder may not know the engine" not allowed src/record/x.c record engine/keeper.h
check "a bare name is refused" not allowed src/base/x.c base util.h
finish
