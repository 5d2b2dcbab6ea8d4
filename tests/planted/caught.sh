#!/usr/bin/env bash
# caught.sh COMMAND SOUND CONDITION
#
# COMMAND has a bug planted in it: soak finds it within 1,000 seeds by what CONDITION says, makes it small, and says how
# to replay it. The SOUND command runs the same scenario without complaint.
set -euo pipefail
command="$1" sound="$2" condition="$3"
out="$(mktemp -d)"
trap 'rm -rf "$out"' EXIT
cd "$out"

fail() {
  echo "$*" >&2
  exit 1
}

# What `$@` exits with; what it says goes to the file `said`.
status_of() {
  local status=0
  "$@" >said 2>&1 || status=$?
  echo "$status"
}

status="$(status_of "$command" soak --seeds 1000 --jobs 1 --failures 1)"
cat said
[[ $status -eq 3 ]] || fail "soak ended with status $status, expected 3"
grep -E "^violation: .*($condition)" said || fail "expected a violation of $condition"

read -r program verb file rest < <(tail -n 1 said)
[[ $program == godwit && -z $rest && -f $file ]] || fail "expected one command that replays it: $(tail -n 1 said)"
members="$(grep -c '":' "$file")"
[[ $members -le 60 ]] || fail "expected a small scenario, got one of $members members"

status="$(status_of "$command" "$verb" "$file")"
[[ $status -ne 0 && $status -ne 2 ]] || fail "the replay ended with status $status"
status="$(status_of "$sound" soak "$file")"
[[ $status -eq 0 ]] || fail "without the bug, $file ended with status $status: $(cat said)"
