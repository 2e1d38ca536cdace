#!/usr/bin/env bash
# One Apache Kafka node (KRaft, broker and controller in one) on loopback, for tests and for trying
# things out. Needs Java 17; Maven fetches the jars once (about 45 MB) and is not needed afterwards.
#
#   broker.sh start [DIR] [PORT] [NAME=VALUE...]   prints the sink's address when it takes clients
#   broker.sh stop [DIR]                           ends it; data stays and a later start goes on
#   broker.sh status [DIR]                         prints the address (exit 0) or why not (exit 3)
#
# DIR (default results/kafka) holds everything it writes. PORT (default: the one it had before, else
# 9092, else any that is free; 0: any) and the next one are used. NAME=VALUE are broker settings.
# KAFKA_JARS: where the jars lie or go (default: jars/ beside this script).
# KAFKA_CLUSTER_ID: of all nodes of one cluster, 22 letters and digits (default: this node is one by itself).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jars=${KAFKA_JARS:-$here/jars}
classes=$jars/classes.jsa
sharing=-XX:SharedArchiveFile=$classes
fail() { echo "broker.sh: $1" >&2; exit "${2:-1}"; }

fetch_jars() {
  [ -d "$jars" ] && return
  "$here/java_check.sh" || exit 1
  echo "Fetching Kafka's jars with Maven, once, into $jars" >&2
  mkdir -p "$(dirname "$jars")"
  local fresh
  fresh=$(mktemp -d "$jars.XXXXXX")
  mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$fresh" >&2 \
    || { rm -rf "$fresh"; fail "Maven could not fetch Kafka (see above); is its repository reachable?"; }
  chmod 755 "$fresh"
  mv -T "$fresh" "$jars" 2>/dev/null || mv "$fresh" "$jars" 2>/dev/null || rm -rf "$fresh"  # somebody was faster
}

java_run() {  # replaces the shell that calls it
  # A small node starts faster and on less processor time without the second compiler.
  exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$sharing" -cp "$jars/*" \
    -Dlog4j2.configurationFile="file:$dir/log4j2.properties" "$@"
}

# Once: the JVM keeps Kafka's classes as it has them in memory, and every later start takes half the time. An archive
# that is missing or of another JVM is no error: it is not used.
archive_classes() (
  [ -e "$classes" ] && return
  dir=$(mktemp -d) port=$(choose_port 0) sharing=-Xshare:auto
  trap 'rm -rf "$dir"' EXIT
  write_config
  format_data
  sharing=-XX:ArchiveClassesAtExit=$dir/classes.jsa
  java_run kafka.Kafka "$dir/server.properties" &
  wait_for "$!" && kill "$!" && wait "$!"
  mv "$dir/classes.jsa" "$classes"
) > /dev/null 2>&1 < /dev/null

in_use() { (: > "/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_pair() { ! in_use "$1" && ! in_use $(($1 + 1)); }
free_soon() {  # what was killed a moment ago may still hold its ports
  for _ in $(seq 30); do free_pair "$1" && return; sleep 0.1; done
  return 1
}

choose_port() {
  local wanted=${1:-}
  if [ -z "$wanted" ]; then
    if [ -e "$dir/port" ]; then  # where this node's clients know it
      wanted=$(cat "$dir/port")
    else
      free_pair 9092 && wanted=9092 || wanted=0
    fi
  fi
  if [ "$wanted" != 0 ]; then
    free_soon "$wanted" || fail "port $wanted or $((wanted + 1)) is taken; name another one"
    echo "$wanted"; return
  fi
  for _ in $(seq 100); do
    wanted=$((20000 + RANDOM % 12000))  # below the ports that systems give to outgoing connections
    free_pair "$wanted" && { echo "$wanted"; return; }
  done
  fail "no free pair of ports found"
}

write_config() {
  cat > "$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=CLIENT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=CLIENT://127.0.0.1:$port
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=2000
group.initial.rebalance.delay.ms=0
PROPERTIES
  printf '%s\n' "$@" >> "$dir/server.properties"  # the last one of a name counts
  cat > "$dir/log4j2.properties" <<PROPERTIES
rootLogger.level=warn
rootLogger.appenderRefs=out
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c %m%n
PROPERTIES
}

format_data() {
  local id=${KAFKA_CLUSTER_ID:-}
  [ -n "$id" ] || id=A$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | head -c 21)  # as Kafka's random-uuid, which no dash begins
  (java_run kafka.tools.StorageTool format -c "$dir/server.properties" -t "$id") > "$dir/format.log" 2>&1 \
    || { cat "$dir/format.log" >&2; rm -rf "$dir/data"; fail "the data folder could not be formatted"; }
}

wait_for() {  # until the node of this process takes clients; a failure where it ended
  for _ in $(seq 600); do
    in_use "$port" && return
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  return 1
}

ours() {  # the process is alive and is this node, not another one that got its number since
  local pid
  pid=$(cat "$dir/pid" 2>/dev/null) && ps -ww -p "$pid" -o args= 2>/dev/null | grep -qF "$dir/server.properties"
}

start() {
  ours && { echo "kafka://127.0.0.1:$(cat "$dir/port")"; return; }
  command -v java >/dev/null || "$here/java_check.sh" || exit 1
  fetch_jars
  archive_classes || true
  local port
  port=$(choose_port "${1:-}")
  shift $(($# > 0))
  write_config "$@"
  [ -d "$dir/data" ] || format_data
  java_run kafka.Kafka "$dir/server.properties" > "$dir/broker.log" 2>&1 < /dev/null &
  local pid=$!
  echo "$pid" > "$dir/pid"
  echo "$port" > "$dir/port"
  disown
  wait_for "$pid" && { echo "kafka://127.0.0.1:$port"; return; }
  tail -n 20 "$dir/broker.log" >&2
  fail "Kafka did not start; its log is $dir/broker.log"
}

stop() {
  ours || { echo "not running"; return; }
  local pid
  pid=$(cat "$dir/pid")
  kill "$pid"
  for _ in $(seq 300); do
    ours || { rm -f "$dir/pid"; return; }
    sleep 0.1
  done
  kill -9 "$pid"
  rm -f "$dir/pid"
}

case ${1:-} in
  start | stop | status) ;;
  *) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
command=$1
mkdir -p "${2:-results/kafka}"
dir=$(cd "${2:-results/kafka}" && pwd)
shift $(($# > 2 ? 2 : $#))
case $command in
  start) start "$@" ;;
  stop) stop ;;
  status) ours && echo "kafka://127.0.0.1:$(cat "$dir/port")" || fail "no Kafka runs in $dir" 3 ;;
esac
