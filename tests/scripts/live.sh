#!/usr/bin/env bash
# A guest moves from one process to another, by hand as a user does it, while a client keeps asking; one that nobody
# takes goes on where it is. Waits for what the commands say, never for a time.
set -euo pipefail
godwit="$1"
folder="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "$1"
  head -n 20 ./*.out
  exit 1
}

# says FILE TEXT: waits until the file has the text.
says() {
  for _ in $(seq 1200); do
    grep -q "$2" "$1" 2>/dev/null && return
    sleep 0.05
  done
  fail "$1 never said: $2"
}

"$godwit" live token -o token
[[ $(stat -c %a token) == 600 ]]
small=(--memory "16 MiB" --hot-memory "1 MiB" --token-file token)

status=0
"$godwit" live send --to unix:nobody "${small[@]}" --service unix:a --after "1 ms" --for "1 ms" --stall "50 ms" >alone.out 2>&1 ||
  status=$?
if grep -q "godwit live: " alone.out; then
  echo "skipped: $(cat alone.out)"
  exit 0
fi
[[ $status -eq 1 ]] || fail "nobody was there, and it ended with $status"
says alone.out "the guest goes on here"
says alone.out "every slot is whole"

for how in "" --managed; do
  rm -f ./*.out
  "$godwit" live receive --listen unix:door --token-file token --service unix:b $how >receive.out 2>&1 &
  receiver=$!
  says receive.out "waiting for a guest"
  "$godwit" live ask --at unix:a,unix:b >ask.out 2>&1 &
  client=$!
  "$godwit" live send --to unix:door "${small[@]}" --service unix:a --after "200 ms" $how >send.out 2>&1 || fail "send failed"
  says send.out "completed"
  says receive.out "the guest runs here"
  kill -INT $client
  wait $client || fail "the client ended with $?"
  says ask.out "has moved 1 times"
  says ask.out "^0 of [1-9][0-9]* acknowledged keys are lost$"
  kill -INT $receiver
  status=0
  wait $receiver || status=$?
  [[ $status -eq 130 ]] || fail "the receiver ended with $status"
  says receive.out "1 moves; every slot is whole"
done
