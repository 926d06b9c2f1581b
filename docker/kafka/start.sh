# Writes the configuration out of the variables, formats the storage on the first start, and becomes a broker (and
# controller). A variable KAFKA_LOG_RETENTION_MS is the setting log.retention.ms; those that are not given:
#   KAFKA_NODE_ID                    1
#   KAFKA_BROKER_RACK                none
#   KAFKA_CONTROLLER_QUORUM_VOTERS   this node alone
#   KAFKA_ADVERTISED_LISTENERS       the name of the container, port 9092
#   CLUSTER_ID                       a fixed one; the same for all brokers of a cluster
#   JVM_OPTS                         flags of Java; JMX_PORT opens a port for metrics, on loopback
# Without KAFKA_CONTROLLER_QUORUM_VOTERS it is a cluster of one, whose own topics have one replica.
set -euo pipefail

: "${KAFKA_NODE_ID:=1}"
declare -A settings=(
  [process.roles]=broker,controller
  [controller.listener.names]=CONTROLLER
  [listeners]=PLAINTEXT://:9092,CONTROLLER://:9093
  [advertised.listeners]="PLAINTEXT://$(cat /proc/sys/kernel/hostname):9092"
  [listener.security.protocol.map]=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,EXTERNAL:PLAINTEXT
  [inter.broker.listener.name]=PLAINTEXT
  [controller.quorum.voters]="$KAFKA_NODE_ID@127.0.0.1:9093"
  [replica.selector.class]=org.apache.kafka.common.replica.RackAwareReplicaSelector
  [log.dirs]=/data/log
  [group.initial.rebalance.delay.ms]=0
  [num.network.threads]=2
  [num.io.threads]=4
  [log.cleaner.dedupe.buffer.size]=8388608
  # A broker whose container has ended leaves an address that answers nothing. Others wait for it no longer than this,
  # which is how long a transaction's end may be held up by its loss; 30 s are Kafka's own.
  [socket.connection.setup.timeout.ms]=5000
  [socket.connection.setup.timeout.max.ms]=5000
)
for topic in default offsets.topic transaction.state.log share.coordinator.state.topic; do
  settings[$topic.replication.factor]=1
  [ "$topic" = default ] || settings[$topic.num.partitions]=4
done
settings[transaction.state.log.min.isr]=1
settings[share.coordinator.state.topic.min.isr]=1
# In a cluster of several, the loss of one broker is no loss of data, and stops nobody.
if [ -n "${KAFKA_CONTROLLER_QUORUM_VOTERS:-}" ] && [[ $KAFKA_CONTROLLER_QUORUM_VOTERS == *,*,* ]]; then
  for topic in default offsets.topic transaction.state.log share.coordinator.state.topic; do
    settings[$topic.replication.factor]=3
  done
  settings[transaction.state.log.min.isr]=2
  settings[share.coordinator.state.topic.min.isr]=2
  settings[min.insync.replicas]=2
fi
for variable in "${!KAFKA_@}"; do
  key=${variable#KAFKA_}
  key=${key,,}
  settings[${key//_/.}]=${!variable}
done

configuration=/tmp/server.properties
for key in "${!settings[@]}"; do echo "$key=${settings[$key]}"; done >"$configuration"

run_java() {
  local java=(java -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.io.tmpdir=/tmp -Djava.net.preferIPv4Stack=true
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn
    -Dorg.slf4j.simpleLogger.showDateTime=true '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS')
  "$@" "${java[@]}" "${flags[@]}" -cp '/opt/kafka/*' "${main[@]}"
}

if [ ! -f /data/log/meta.properties ]; then
  flags=(-Xmx64m -XX:TieredStopAtLevel=1)
  main=(kafka.tools.StorageTool format --ignore-formatted --cluster-id "${CLUSTER_ID:-TWlsbHJhY2VDb21wb3NlMQ}"
    --config "$configuration")
  run_java command
fi

read -r -a flags <<<"${JVM_OPTS:--Xms128m -Xmx512m}"
if [ -n "${JMX_PORT:-}" ]; then
  flags+=(-Dcom.sun.management.jmxremote.port="$JMX_PORT" -Dcom.sun.management.jmxremote.rmi.port="$JMX_PORT"
    -Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false
    -Dcom.sun.management.jmxremote.host=127.0.0.1 -Djava.rmi.server.hostname=127.0.0.1)
fi
main=(kafka.Kafka "$configuration")
run_java exec
