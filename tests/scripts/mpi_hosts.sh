#!/usr/bin/env bash
# mpi_hosts.sh COMMAND SOURCES: a sweep that mpirun spreads over three hosts comes to what it comes to on one, also where a
# rank on another host was killed and the sweep resumed. The hosts are network namespaces in a namespace of this script's
# own, so that nothing is left of them however it ends.
set -euo pipefail

skip() {
  echo "skipped: $1"
  exit 0
}

if [[ ${3:-} != inside ]]; then
  [[ $("$1" version) == *"MPI: yes"* ]] || skip "this godwit was built without MPI"
  for needed in mpirun ip unshare; do
    type -P $needed >/dev/null || skip "there is no $needed here"
  done
  [[ $(id -u) == 0 ]] || skip "only root makes network namespaces"
  unshare --mount --net --uts true 2>/dev/null || skip "namespaces may not be made here"
  ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS=ignore_noninstrumented_modules=1 \
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    exec unshare --mount --net --uts bash "$0" "$1" "$2" inside
fi

godwit="$1"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Three hosts at a switch, which know each other's names.
mount -t tmpfs none /run
ip link add switch type bridge
ip link set switch up
echo "127.0.0.1 localhost" >hosts
for i in 0 1 2; do
  ip netns add "host$i"
  ip link add "port$i" type veth peer name eth0 netns "host$i"
  ip link set "port$i" master switch up
  ip -n "host$i" link set lo up
  ip -n "host$i" link set eth0 up
  ip -n "host$i" address add "10.123.0.1$i/24" dev eth0
  echo "10.123.0.1$i host$i" >>hosts
done
mount --bind hosts /etc/hosts

# agent HOST COMMAND...: what mpirun starts its daemons with, in place of ssh.
cat >agent <<'END'
#!/usr/bin/env bash
host="$1"
shift
exec ip netns exec "$host" unshare --uts bash -c 'hostname "$0"; eval "$@"' "$host" "$*"
END
# Each rank says where it runs, and as which process.
cat >rank <<'END'
#!/usr/bin/env bash
hostname >"host.$OMPI_COMM_WORLD_RANK"
echo $$ >"pid.$OMPI_COMM_WORLD_RANK"
exec "$@"
END
chmod +x agent rank

over_hosts() {
  ./agent host0 mpirun --mca plm_rsh_agent "$folder/agent" --host host0:1,host1:1,host2:1 -n 3 "$folder/rank" \
    "'$godwit'" sweep s.json "$@"
}

cat >s.json <<'END'
{
  "base": {
    "hosts": [{"name": "a"}, {"name": "b"}], "links": [{"between": ["a", "b"]}],
    "guests": [{"name": "g", "memory": "64 MiB", "workload": {"kind": "uniform", "write_rate": "1000 pages/s"}}],
    "migrations": [{"to": "b", "strategy": "pre-copy"}]
  },
  "vary": {"/guests/0/workload/write_rate": {"from": "100 pages/s", "to": "2000 pages/s", "steps": 10}},
  "seeds": 1000
}
END
expected="$("$godwit" sweep s.json --out one.sqlite | grep content)"

[[ $(over_hosts --out hosts.sqlite | grep content) == "$expected" ]]
[[ $(sort -u host.0 host.1 host.2 | tr '\n' ' ') == "host0 host1 host2 " ]]

over_hosts --out killed.sqlite >killed.out 2>&1 &
until [[ -s killed.sqlite-wal ]] || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
kill -KILL "$(cat pid.2)" || true
wait || true
cat killed.out # in which rank 0 mostly says what is missing; but Open MPI ends it, too, if it has just sent to rank 2
[[ $(over_hosts --resume --out killed.sqlite | grep content) == "$expected" ]]
