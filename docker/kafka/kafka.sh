#!/bin/bash
# Kafka's own tools, by the names of their scripts: kafka topics --list. Those that ask brokers ask this one.
set -euo pipefail

tool=${1:?topics, configs, console-consumer, console-producer, consumer-groups, get-offsets or jmx}
shift
server=(--bootstrap-server localhost:9092)
[[ " $* " == *" --bootstrap-server "* ]] && server=()
case $tool in
  topics) class=org.apache.kafka.tools.TopicCommand ;;
  configs) class=kafka.admin.ConfigCommand ;;
  console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
  console-producer) class=org.apache.kafka.tools.ConsoleProducer ;;
  consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
  get-offsets) class=org.apache.kafka.tools.GetOffsetShell ;;
  jmx) class=org.apache.kafka.tools.JmxTool server=() ;;
  *) class=$tool server=() ;;
esac
exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  -cp '/opt/kafka/*' "$class" "${server[@]}" "$@"
