#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# git clones a local repository under guard, and cannot where a part of it is refused.
. "${srcdir:-.}/tests/live/tap.sh"
need git jq

policy git <<END
  - id: watch
    expression: exec.file.name == "git" && exec.args in [~"*index-pack*", ~"*upload-pack*"]
END
policy no-upload <<END
  - id: no_upload
    expression: exec.file.name in ["git", "git-upload-pack"] && exec.args in [~"*upload-pack*"]
    actions:
      - block: {errno: EPERM}
  - id: no_upload_by_name
    expression: process.argv0 == "git-upload-pack" && exec.file.name =~ "git*"
    actions:
      - block: {errno: EPERM}
END
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
git config --global user.email test@example.org
git config --global user.name test
git config --global init.defaultBranch main
git init -q origin
for n in {1..30}; do
	seq "$n" 500 >"origin/file$n"
	git -C origin add . && git -C origin commit -q -m "commit $n"
done

clone() { "$@" git clone -q --no-local "$work/origin" "$work/clone"; }
under() { "$guard" run -q -p "$work/$1.policy" -o "file:$work/events" -- "${@:2}"; }
is_whole()
{
	git -C clone fsck --strict && [ -z "$(git -C clone status --porcelain)" ] &&
		[ "$(git -C clone log --format=%H)" = "$(git -C origin log --format=%H)" ]
}
check "clones without guard" clone env
check "the native clone is whole" is_whole
rm -rf clone
check "clones under guard" clone under git
check "the clone is whole" is_whole
check "the pack programs were seen" events events 'map(select(.agent.rule_id == "watch")) | length >= 1'
rm -rf clone
rm -f events
check "gc and repack under guard" under git git -C origin gc -q --aggressive --prune=now
check "the origin is whole after it" git -C origin fsck --strict
check "a refused upload-pack: the clone fails" not clone under no-upload
check "and leaves nothing behind" test ! -e clone
check "with an event" events events 'map(select(.guard.verdict == "blocked")) | length >= 1'
finish
