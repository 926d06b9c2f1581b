# Writes the configuration out of the variables, and becomes ZooKeeper.
#   ZOO_SERVERS      hosts of the ensemble with blanks between them, in the same order everywhere; empty for one server
#   ZOO_MY_ID        the place of this one in ZOO_SERVERS, from 1
#   ZOO_TICK_TIME    milliseconds (500); sessions last from 2 ticks to a minute
#   JVM_OPTS         flags of Java
#   ZOO_CFG_EXTRA    further lines of zoo.cfg, with blanks between them
set -euo pipefail

configuration=/tmp/zoo.cfg
{
  echo "dataDir=/data"
  echo "clientPort=2181"
  echo "tickTime=${ZOO_TICK_TIME:-500}"
  echo "initLimit=20"
  echo "syncLimit=10"
  echo "minSessionTimeout=1000"
  echo "maxSessionTimeout=60000"
  echo "maxClientCnxns=0"
  echo "admin.enableServer=false"
  echo "autopurge.purgeInterval=1"
  echo "4lw.commands.whitelist=srvr,ruok,stat,mntr,cons,dump"
  for line in ${ZOO_CFG_EXTRA:-}; do echo "$line"; done
} >"$configuration"
if [ -n "${ZOO_SERVERS:-}" ]; then
  id=0
  for host in $ZOO_SERVERS; do
    id=$((id + 1))
    # The server's own name need not be known yet: it binds everywhere.
    [ "$id" = "$ZOO_MY_ID" ] && host=0.0.0.0
    echo "server.$id=$host:2888:3888" >>"$configuration"
  done
  echo "$ZOO_MY_ID" >/data/myid
fi

# shellcheck disable=SC2086 # several flags
exec java ${JVM_OPTS:--Xms32m -Xmx128m} -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.io.tmpdir=/tmp \
  -Djava.net.preferIPv4Stack=true -Dorg.slf4j.simpleLogger.showDateTime=true \
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS' \
  -cp '/opt/zookeeper/*' org.apache.zookeeper.server.quorum.QuorumPeerMain "$configuration"
