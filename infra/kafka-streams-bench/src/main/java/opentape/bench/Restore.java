package opentape.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Restores a table from a changelog that is there already, and prints a line of JSON: `APPLICATION PARTITIONS BOOTSTRAP`. The changelog is
 * `APPLICATION-table-changelog`. The time is that from the first store's beginning to the last one's end.
 */
public final class Restore {
    private Restore() { }

    public static void main(final String[] args) throws Exception {
        final Path state = Files.createTempDirectory("kafka-streams-bench-");
        try {
            restore(args[0], Integer.parseInt(args[1]), args[2], state);
        } finally {
            Utils.delete(state.toFile());
        }
        System.exit(0);
    }

    private static void restore(final String application, final int partitions, final String bootstrap, final Path state) throws Exception {
        final String input = application + "-input";
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            if (!admin.listTopics().names().get().contains(input)) admin.createTopics(java.util.List.of(new NewTopic(input, partitions, (short) 1))).all().get();
        }
        final StreamsBuilder builder = new StreamsBuilder();
        builder.table(input, Consumed.with(Serdes.Bytes(), Serdes.Bytes()), Materialized.<Bytes, Bytes, KeyValueStore<Bytes, byte[]>>as("table"));
        final Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put("auto.offset.reset", "earliest");
        final AtomicLong began = new AtomicLong();
        final AtomicLong ended = new AtomicLong();
        final AtomicLong records = new AtomicLong();
        final CountDownLatch left = new CountDownLatch(partitions);
        try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
            streams.setGlobalStateRestoreListener(new StateRestoreListener() {
                @Override
                public void onRestoreStart(final TopicPartition partition, final String store, final long start, final long end) {
                    began.compareAndSet(0, System.nanoTime());
                }

                @Override
                public void onBatchRestored(final TopicPartition partition, final String store, final long end, final long count) { }

                @Override
                public void onRestoreEnd(final TopicPartition partition, final String store, final long total) {
                    records.addAndGet(total);
                    ended.set(System.nanoTime());
                    left.countDown();
                }
            });
            streams.start();
            left.await();
        }
        System.out.printf("{\"records\": %d, \"seconds\": %.3f}%n", records.get(), (ended.get() - began.get()) / 1e9);
    }
}
