#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The examples of the manual run: every line of EXAMPLES that begins with "$ guard" or
# "# guard" is a command that guard accepts (it does not end with 125 or 2).
. "${srcdir:-.}/tests/live/tap.sh"

PATH=$builddir:$PATH
export PATH

# examples PAGE: the commands of the section, continuation lines and here-documents
# included, one per NUL.
examples()
{
	awk '
		/^\.Sh / { on = ($0 ~ /EXAMPLES/) }
		!on { next }
		{ sub(/^\.Dl /, ""); gsub(/\\(e|\\)/, "\\") }
		/^[$#] / { if (text) printf "%s%c", text, 0; text = substr($0, 3) "\n"; next }
		/^> / { text = text substr($0, 3) "\n"; next }
		/^\./ { if (text) printf "%s%c", text, 0; text = ""; next }
		text { text = text $0 "\n" }
		END { if (text) printf "%s%c", text, 0 }' "$1"
}
accepted() # COMMAND
{
	timeout 180 bash -c "$1"
	case $? in
	2 | 124 | 125 | 126 | 127) return 1 ;;
	esac
}
for page in "$srcdir"/man/*.[1-8]; do
	while IFS= read -r -d '' example; do
		name="$(basename "$page"):"
		check "$name $(head -n 1 <<<"$example" | cut -c 1-70)" accepted "$example"
	done < <(examples "$page")
done
finish
