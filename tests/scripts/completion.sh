#!/usr/bin/env bash
# completion.sh COMMAND SOURCES: what bash completes, and that zsh's and fish's scripts and the manual name every command.
set -euo pipefail
command="$1"

fail() {
  echo "$*" >&2
  exit 1
}

eval "$("$command" completion bash)"

# What is offered for the last of the words.
offered() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  _godwit
  printf '%s\n' "${COMPREPLY[@]}"
}
expect() {
  local expected="$1"
  shift
  [[ $(offered "$@") == "$expected" ]] || fail "expected $expected for: $*; got $(offered "$@")"
}

expect sweep godwit sw
expect --resume godwit sweep x.json --res
expect calibrate godwit live cal
expect --minutes godwit soak --min
expect nomadbios godwit strategies nomad
expect xen-legacy godwit compare x.json --strategies xen-l
expect "" godwit run scenarios/li

manual="$("$command" manual)"
for name in $(offered godwit "" | grep -v '^-'); do
  grep -q "^\.SS godwit $name$" <<<"$manual" || fail "the manual does not know $name"
  grep -q -- "-a $name " <<<"$("$command" completion fish)" || fail "fish does not know $name"
done
# Every line that begins with a dot is one of the requests that are meant; -ww lets groff say what it does not understand.
if grep -vE '^\.(TH|SH|SS|TP|B|PP|nf|fi)( |$)' <<<"$manual" | grep '^[.'"'"']'; then
  fail "requests in the manual that are none"
fi
if type -P groff >/dev/null; then
  said="$(groff -man -ww -Tascii 2>&1 >/dev/null <<<"$manual")"
  [[ -z $said ]] || fail "groff: $said"
fi
