package millrace.bench;

import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** Remembers the counters of records that source operators have read, to be asked from within the same JVM. */
public final class SourceCountReporterFactory implements MetricReporterFactory {
    private static final List<Counter> COUNTERS = new CopyOnWriteArrayList<>();

    static long recordsRead() {
        long sum = 0;
        for (Counter counter : COUNTERS) sum += counter.getCount();
        return sum;
    }

    @Override
    public MetricReporter createMetricReporter(Properties properties) {
        return new Reporter();
    }

    private static final class Reporter implements MetricReporter {
        @Override
        public void open(MetricConfig config) {}

        @Override
        public void close() {}

        @Override
        public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
            String operator = group.getAllVariables().get("<operator_name>");
            if (name.equals("numRecordsIn") && operator != null && operator.startsWith("Source:")) {
                COUNTERS.add((Counter) metric);
            }
        }

        /** Counters stay: the last read is after the tasks have ended. */
        @Override
        public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {}
    }
}
