package millrace.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Asks Flink SQL, in batch mode, and writes its answers: {"ddl": [SQL…], "configuration": {…},
 * "queries": [{"id", "sql"}…]} in one file, {"flinkVersion", "answers": [{"id", "sql", "columns": [{"name", "type"}],
 * "rows": [[value…]…]} or {"id", "sql", "error"}]} to another. A scalar is a string, or null; an array and a row are
 * arrays, a map is an array of pairs. A query that fails is an answer too, and does not disturb the others.
 */
public final class FlinkAnswers {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JSON.getNodeFactory();

    public static void main(String[] args) throws Exception {
        JsonNode input = JSON.readTree(new File(args[0]));
        // One cluster for all queries: starting one takes longer than answering.
        Configuration clusterConfiguration = new Configuration();
        clusterConfiguration.setString("rest.port", "0");
        clusterConfiguration.setString("rest.bind-port", "0");
        MiniClusterConfiguration cluster = new MiniClusterConfiguration.Builder()
                .setConfiguration(clusterConfiguration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(2)
                .build();
        ObjectNode output = JSON.createObjectNode();
        try (MiniCluster running = new MiniCluster(cluster)) {
            running.start();
            TableEnvironment tables = connect(running, input);
            output.put("flinkVersion", EnvironmentInformation.getVersion());
            for (JsonNode statement : input.path("ddl")) tables.executeSql(statement.asText());
            ArrayNode answers = output.putArray("answers");
            int done = 0;
            for (JsonNode query : input.get("queries")) {
                answers.add(answer(tables, query));
                if (++done % 50 == 0) System.err.println(done + " answered");
            }
            JSON.writerWithDefaultPrettyPrinter().writeValue(new File(args[1]), output);
        }
        Runtime.getRuntime().halt(0);
    }

    private static TableEnvironment connect(MiniCluster cluster, JsonNode input) throws Exception {
        var address = cluster.getRestAddress().get();
        Configuration configuration = new Configuration();
        configuration.setString("execution.target", "remote");
        configuration.setString("rest.address", address.getHost());
        configuration.setString("rest.port", String.valueOf(address.getPort()));
        configuration.setString("parallelism.default", "1");
        configuration.setString("table.local-time-zone", "UTC");
        configuration.setString("execution.runtime-mode", "BATCH");
        // The client asks again and again whether a job has ended.
        configuration.setString("client.job-status.polling-interval", "10 ms");
        input.path("configuration").fields().forEachRemaining(
                field -> configuration.setString(field.getKey(), field.getValue().asText()));
        return TableEnvironment.create(
                EnvironmentSettings.newInstance().inBatchMode().withConfiguration(configuration).build());
    }

    private static ObjectNode answer(TableEnvironment tables, JsonNode query) {
        String sql = query.get("sql").asText();
        ObjectNode answer = JSON.createObjectNode();
        answer.set("id", query.get("id"));
        answer.put("sql", sql);
        try {
            TableResult result = tables.executeSql(sql);
            ArrayNode columns = JSON.createArrayNode();
            for (Column column : result.getResolvedSchema().getColumns()) {
                columns.addObject()
                        .put("name", column.getName())
                        .put("type", column.getDataType().getLogicalType().asSerializableString());
            }
            ArrayNode rows = JSON.createArrayNode();
            try (CloseableIterator<Row> iterator = result.collect()) {
                while (iterator.hasNext()) rows.add(encode(iterator.next()));
            }
            answer.set("columns", columns);
            answer.set("rows", rows);
        } catch (Throwable failure) {
            answer.put("error", rootMessage(failure));
        }
        return answer;
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && root.getCause() != root) root = root.getCause();
        return root.getClass().getSimpleName() + ": " + String.valueOf(root.getMessage()).lines().findFirst().orElse("");
    }

    private static JsonNode encode(Object value) {
        if (value == null) return NODES.nullNode();
        if (value instanceof byte[] bytes) return NODES.textNode(HexFormat.of().formatHex(bytes));
        if (value instanceof BigDecimal decimal) return NODES.textNode(decimal.toPlainString());
        // Their toString leaves out seconds that are zero.
        if (value instanceof LocalTime time) return NODES.textNode(DateTimeFormatter.ISO_LOCAL_TIME.format(time));
        if (value instanceof LocalDateTime timestamp) {
            return NODES.textNode(DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(timestamp));
        }
        if (value instanceof Row row) {
            ArrayNode fields = NODES.arrayNode();
            for (int field = 0; field < row.getArity(); field++) fields.add(encode(row.getField(field)));
            return fields;
        }
        if (value instanceof Map<?, ?> map) {
            ArrayNode pairs = NODES.arrayNode();
            map.forEach((key, each) -> pairs.addArray().add(encode(key)).add(encode(each)));
            return pairs;
        }
        if (value instanceof List<?> list) {
            ArrayNode items = NODES.arrayNode();
            list.forEach(item -> items.add(encode(item)));
            return items;
        }
        if (value.getClass().isArray()) {
            ArrayNode items = NODES.arrayNode();
            for (int index = 0; index < Array.getLength(value); index++) items.add(encode(Array.get(value, index)));
            return items;
        }
        return NODES.textNode(value.toString());
    }
}
