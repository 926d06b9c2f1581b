import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own clients, driven by one JSON request on the first line of standard input, answering in JSON lines; bytes
 * are base64. `consume` reads a topic from its beginning to its end as the isolation level defines the end. `ends` tells
 * where the partitions of topics end, for committed readers and for all. `tail` reads a topic from its beginning and goes
 * on until standard input ends; each record has the time at which it was seen. `produce` carries out the operations on
 * the following lines, in order, on any number of named producers.
 */
public final class KafkaProbe {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        JsonNode request = JSON.readTree(in.readLine());
        switch (request.get("command").asText()) {
            case "consume" -> consume(request);
            case "ends" -> ends(request);
            case "tail" -> tail(request, in);
            case "produce" -> produce(request, in);
            default -> throw new IllegalArgumentException("unknown command in " + request);
        }
        OUT.flush();
    }

    private static Properties properties(JsonNode request, JsonNode... more) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", request.get("brokers").asText());
        List<JsonNode> all = new ArrayList<>(List.of(more));
        all.add(0, request.path("config"));
        for (JsonNode node : all) {
            node.fields().forEachRemaining(field -> properties.put(field.getKey(), field.getValue().asText()));
        }
        return properties;
    }

    private static String encode(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }

    private static byte[] decode(JsonNode node) {
        return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }

    private static Properties readerProperties(JsonNode request) {
        Properties properties = properties(request);
        properties.put("isolation.level", request.get("isolation").asText());
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.putIfAbsent("max.partition.fetch.bytes", "20971520");
        return properties;
    }

    private static void tail(JsonNode request, BufferedReader in) throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        Thread watcher = new Thread(() -> {
            try {
                while (in.readLine() != null) {}
            } catch (IOException error) {
                // It has ended, one way or the other.
            }
            isOver.set(true);
        });
        watcher.setDaemon(true);
        watcher.start();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                readerProperties(request), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = partitionsOf(consumer, request.get("topic").asText());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (!isOver.get()) {
                var records = consumer.poll(Duration.ofMillis(50));
                long seenAt = System.currentTimeMillis();
                for (ConsumerRecord<byte[], byte[]> record : records) write(record, seenAt);
                OUT.flush();
            }
        }
    }

    private static void consume(JsonNode request) throws Exception {
        Properties properties = readerProperties(request);
        long deadline = System.currentTimeMillis() + request.get("timeoutMs").asLong();
        long atLeast = request.get("atLeast").asLong();
        String topic = request.get("topic").asText();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = partitionsOf(consumer, topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long count = 0;
            while (true) {
                if (atEnd(consumer, partitions, ends)) {
                    if (count >= atLeast) break;
                    ends = consumer.endOffsets(partitions);
                }
                if (System.currentTimeMillis() > deadline) {
                    throw new IllegalStateException("timed out after " + count + " records; positions short of " + ends);
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    count++;
                    write(record);
                }
            }
        }
    }

    private static void ends(JsonNode request) throws Exception {
        Map<TopicPartition, Long> stable = endOffsets(request, "read_committed");
        Map<TopicPartition, Long> all = endOffsets(request, "read_uncommitted");
        for (TopicPartition partition : stable.keySet()) {
            ObjectNode node = JSON.createObjectNode();
            node.put("topic", partition.topic());
            node.put("partition", partition.partition());
            node.put("stable", stable.get(partition));
            node.put("end", all.get(partition));
            OUT.println(JSON.writeValueAsString(node));
        }
    }

    private static Map<TopicPartition, Long> endOffsets(JsonNode request, String isolation) {
        Properties properties = properties(request);
        properties.put("isolation.level", isolation);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (JsonNode topic : request.get("topics")) partitions.addAll(partitionsOf(consumer, topic.asText()));
            return consumer.endOffsets(partitions);
        }
    }

    private static List<TopicPartition> partitionsOf(KafkaConsumer<byte[], byte[]> consumer, String topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (var info : consumer.partitionsFor(topic)) partitions.add(new TopicPartition(topic, info.partition()));
        return partitions;
    }

    private static boolean atEnd(
            KafkaConsumer<byte[], byte[]> consumer, Collection<TopicPartition> partitions, Map<TopicPartition, Long> ends) {
        for (TopicPartition partition : partitions) {
            if (consumer.position(partition) < ends.get(partition)) return false;
        }
        return true;
    }

    private static void write(ConsumerRecord<byte[], byte[]> record) throws Exception {
        write(record, null);
    }

    private static void write(ConsumerRecord<byte[], byte[]> record, Long seenAt) throws Exception {
        ObjectNode node = JSON.createObjectNode();
        if (seenAt != null) node.put("seenAt", seenAt);
        node.put("partition", record.partition());
        node.put("offset", record.offset());
        node.put("timestamp", record.timestamp());
        node.put("key", encode(record.key()));
        node.put("value", encode(record.value()));
        ArrayNode headers = node.putArray("headers");
        for (Header header : record.headers()) {
            headers.addObject().put("key", header.key()).put("value", encode(header.value()));
        }
        OUT.println(JSON.writeValueAsString(node));
    }

    private static void produce(JsonNode request, BufferedReader in) throws Exception {
        Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
        JsonNode configurations = request.get("producers");
        configurations.fieldNames().forEachRemaining(name -> {
            Properties properties = properties(request, configurations.get(name));
            properties.putIfAbsent("max.request.size", "20971520");
            properties.putIfAbsent("linger.ms", "5");
            var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
            if (properties.containsKey("transactional.id")) producer.initTransactions();
            producers.put(name, producer);
        });
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode operation = JSON.readTree(line);
            KafkaProducer<byte[], byte[]> producer = producers.get(operation.path("producer").asText());
            switch (operation.get("op").asText()) {
                case "begin" -> producer.beginTransaction();
                case "send" -> sent.add(producer.send(record(operation)));
                case "flush" -> producer.flush();
                case "commit" -> producer.commitTransaction();
                case "abort" -> producer.abortTransaction();
                // Ends without closing, as a crash does: an open transaction stays open.
                case "crash" -> {
                    report(sent);
                    OUT.flush();
                    Runtime.getRuntime().halt(0);
                }
                default -> throw new IllegalArgumentException("unknown operation " + operation);
            }
        }
        producers.values().forEach(KafkaProducer::close);
        report(sent);
    }

    private static ProducerRecord<byte[], byte[]> record(JsonNode operation) {
        RecordHeaders headers = new RecordHeaders();
        for (JsonNode header : operation.path("headers")) {
            headers.add(header.get("key").asText(), decode(header.get("value")));
        }
        Integer partition = operation.hasNonNull("partition") ? operation.get("partition").asInt() : null;
        Long timestamp = operation.hasNonNull("timestamp") ? operation.get("timestamp").asLong() : null;
        return new ProducerRecord<>(
                operation.get("topic").asText(), partition, timestamp, decode(operation.get("key")),
                decode(operation.get("value")), headers);
    }

    private static void report(List<Future<RecordMetadata>> sent) throws Exception {
        for (Future<RecordMetadata> future : sent) {
            RecordMetadata metadata = future.isDone() ? metadataOf(future) : null;
            ObjectNode node = JSON.createObjectNode();
            node.put("partition", metadata == null ? -1 : metadata.partition());
            node.put("offset", metadata == null ? -1 : metadata.offset());
            OUT.println(JSON.writeValueAsString(node));
        }
    }

    /** Null for a record that its aborted transaction took with it. */
    private static RecordMetadata metadataOf(Future<RecordMetadata> future) throws Exception {
        try {
            return future.get();
        } catch (java.util.concurrent.ExecutionException failed) {
            if (failed.getCause() instanceof org.apache.kafka.common.errors.TransactionAbortedException) return null;
            throw failed;
        }
    }
}
