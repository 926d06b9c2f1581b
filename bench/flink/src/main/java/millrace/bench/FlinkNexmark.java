package millrace.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/**
 * Runs one Nexmark query, as SQL from Kafka to Kafka, in a cluster inside this JVM, and prints one JSON line.
 *
 * <p>How it is measured: a thread notes, every 10 ms, the records that the source operators have read (their
 * numRecordsIn), the CPU time of this process and the clock. Cold is the whole process, from the start of the JVM to
 * the end of the job. Warm begins at the first note with at least a fifth of all records read, and ends with the job.
 */
public final class FlinkNexmark {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long SAMPLE_INTERVAL_MS = 10;
    private static final double WARM_UP_SHARE = 0.2;
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private record Sample(long records, long cpuNanos, long wallMillis) {
        static Sample now() {
            return new Sample(
                    SourceCountReporterFactory.recordsRead(), SYSTEM.getProcessCpuTime(), System.currentTimeMillis());
        }
    }

    /** Columns of the tables; %1$s is the type of dateTime and expires. */
    private static final Map<String, String> COLUMNS = Map.of(
            "bid",
            "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` %1$s, extra STRING",
            "person",
            "id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, "
                    + "`dateTime` %1$s, extra STRING",
            "auction",
            "id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, `dateTime` %1$s, "
                    + "expires %1$s, seller BIGINT, category BIGINT, extra STRING");

    public static void main(String[] args) throws Exception {
        JsonNode options = JSON.readTree(args[0]);
        NexmarkQuery query = NexmarkQuery.named(options.get("query").asText());
        int parallelism = options.get("parallelism").asInt();

        Configuration configuration = new Configuration();
        configuration.setString("metrics.reporters", "count");
        configuration.setString("metrics.reporter.count.factory.class", SourceCountReporterFactory.class.getName());
        configuration.setString("metrics.reporter.count.interval", "1 h");
        configuration.setString("pipeline.object-reuse", "true");
        configuration.setString("table.local-time-zone", "UTC");
        configuration.setString("restart-strategy.type", "none");
        long checkpointIntervalMs = options.get("checkpointIntervalMs").asLong();
        if (checkpointIntervalMs > 0) {
            configuration.setString("execution.checkpointing.interval", checkpointIntervalMs + " ms");
        }
        options.path("configuration").fields().forEachRemaining(
                field -> configuration.setString(field.getKey(), field.getValue().asText()));

        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.createLocalEnvironment(parallelism, configuration);
        StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
        String timestampType = options.get("timestampType").asText();
        for (String table : query.tables()) tables.executeSql(sourceTable(options, query, table, timestampType));
        tables.executeSql(sinkTable(options, query, timestampType));

        List<Sample> samples = new ArrayList<>();
        Thread sampler = startSampler(samples);
        TableResult result = tables.executeSql("INSERT INTO answer " + query.sql());
        result.await();
        Sample end = Sample.now();
        sampler.interrupt();
        sampler.join();
        System.out.println(JSON.writeValueAsString(report(options, parallelism, checkpointIntervalMs, samples, end)));
        System.out.flush();
        // Whatever still winds down has done its work.
        Runtime.getRuntime().halt(0);
    }

    private static Thread startSampler(List<Sample> samples) {
        Thread sampler = new Thread(() -> {
            try {
                while (true) {
                    samples.add(Sample.now());
                    Thread.sleep(SAMPLE_INTERVAL_MS);
                }
            } catch (InterruptedException done) {
                // The job has ended.
            }
        }, "sampler");
        sampler.setDaemon(true);
        sampler.start();
        return sampler;
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static String properties(JsonNode properties) {
        StringBuilder text = new StringBuilder();
        properties.fields().forEachRemaining(field -> text.append(",\n  ")
                .append(literal("properties." + field.getKey()))
                .append(" = ")
                .append(literal(field.getValue().asText())));
        return text.toString();
    }

    private static String sourceTable(JsonNode options, NexmarkQuery query, String table, String timestampType) {
        String watermark = query.hasEventTime()
                ? ",\n  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND"
                : "";
        return """
                CREATE TEMPORARY TABLE %s (
                  %s%s
                ) WITH (
                  'connector' = 'kafka',
                  'topic' = %s,
                  'properties.bootstrap.servers' = %s,
                  'scan.startup.mode' = 'earliest-offset',
                  'scan.bounded.mode' = 'latest-offset',
                  'format' = 'json',
                  'json.timestamp-format.standard' = 'ISO-8601'%s
                )"""
                .formatted(
                        table,
                        COLUMNS.get(table).formatted(timestampType),
                        watermark,
                        literal(options.get("inputTopics").get(table).asText()),
                        literal(options.get("brokers").asText()),
                        properties(options.path("sourceProperties")));
    }

    private static String sinkTable(JsonNode options, NexmarkQuery query, String timestampType) {
        String columns = query.sinkColumns().formatted(timestampType);
        boolean isUpsert = query.primaryKey() != null;
        String guarantee = options.get("guarantee").asText();
        String exactlyOnce = guarantee.equals("exactly-once")
                ? ",\n  'sink.transactional-id-prefix' = " + literal(options.get("outputTopic").asText())
                        + ",\n  'properties.transaction.timeout.ms' = '600000'"
                : "";
        String formats = isUpsert
                ? """
                  'connector' = 'upsert-kafka',
                  'key.format' = 'json',
                  'value.format' = 'json',
                  'value.json.timestamp-format.standard' = 'ISO-8601',"""
                : """
                  'connector' = 'kafka',
                  'format' = 'json',
                  'json.timestamp-format.standard' = 'ISO-8601',""";
        return """
                CREATE TEMPORARY TABLE answer (%s%s) WITH (
                  %s
                  'topic' = %s,
                  'properties.bootstrap.servers' = %s,
                  'sink.delivery-guarantee' = %s%s%s
                )"""
                .formatted(
                        columns,
                        isUpsert ? ", PRIMARY KEY (" + query.primaryKey() + ") NOT ENFORCED" : "",
                        formats,
                        literal(options.get("outputTopic").asText()),
                        literal(options.get("brokers").asText()),
                        literal(guarantee),
                        exactlyOnce,
                        properties(options.path("sinkProperties")));
    }

    private static ObjectNode figures(long records, long wallMillis, long cpuNanos) {
        return JSON.createObjectNode()
                .put("records", records)
                .put("wallSeconds", wallMillis / 1e3)
                .put("cpuSeconds", cpuNanos / 1e9);
    }

    private static ObjectNode report(
            JsonNode options, int parallelism, long checkpointIntervalMs, List<Sample> samples, Sample end) {
        long total = end.records();
        Sample warm = samples.stream()
                .filter(sample -> sample.records() > 0 && sample.records() >= total * WARM_UP_SHARE)
                .findFirst()
                .orElse(end);
        var runtime = ManagementFactory.getRuntimeMXBean();
        ObjectNode report = JSON.createObjectNode();
        report.put("query", options.get("query").asText());
        report.put("records", total);
        report.set("cold", figures(total, end.wallMillis() - runtime.getStartTime(), end.cpuNanos()));
        report.set("warm", figures(
                total - warm.records(), end.wallMillis() - warm.wallMillis(), end.cpuNanos() - warm.cpuNanos()));
        report.put("flinkVersion", EnvironmentInformation.getVersion());
        report.put("javaVersion", System.getProperty("java.version"));
        report.put("parallelism", parallelism);
        report.put("guarantee", options.get("guarantee").asText());
        report.put("checkpointIntervalMs", checkpointIntervalMs);
        report.put("objectReuse", true);
        report.put("heapMaxBytes", Runtime.getRuntime().maxMemory());
        report.put("heapUsedBytes", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        long collectionMillis = 0;
        var collectors = report.putArray("collectors");
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            collectors.add(collector.getName());
            collectionMillis += collector.getCollectionTime();
        }
        report.put("collectionSeconds", collectionMillis / 1e3);
        return report;
    }
}
