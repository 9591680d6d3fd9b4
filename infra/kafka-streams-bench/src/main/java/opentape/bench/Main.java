package opentape.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;

/**
 * Runs a workload once and prints a line of JSON: `driver WORKLOAD RECORDS`, or `broker WORKLOAD RECORDS BOOTSTRAP`. Every update is emitted
 * (no record cache), commits are exactly once and each 100 ms on a broker.
 */
public final class Main {
    private static final int READ_EVERY = 10_000;
    private static final long WAIT_MS = 10;

    private Main() { }

    public static void main(final String[] args) throws Exception {
        final String workload = args[1];
        final int records = Integer.parseInt(args[2]);
        final Path state = Files.createTempDirectory("kafka-streams-bench-");
        try {
            if (args[0].equals("driver")) driver(workload, records, state);
            else broker(workload, records, args[3], state);
        } finally {
            Utils.delete(state.toFile());
        }
        System.exit(0);
    }

    private static Properties settings(final String application, final String bootstrap, final Path state) {
        final Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        return settings;
    }

    private static void print(final int records, final double seconds, final long outputs) throws IOException {
        final String resident = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmHWM")).findFirst().orElse("VmHWM: 0 kB");
        System.out.printf("{\"recordsPerSecond\": %.0f, \"outputs\": %d, \"residentMiB\": %d}%n", records / seconds, outputs, Long.parseLong(resident.replaceAll("\\D", "")) / 1024);
    }

    private static void driver(final String workload, final int records, final Path state) throws IOException {
        try (TopologyTestDriver driver = new TopologyTestDriver(Workloads.build(workload), settings("bench", "none:1", state), Instant.ofEpochMilli(Inputs.START_MS))) {
            final Map<String, TestInputTopic<byte[], byte[]>> topics = Arrays.stream(Inputs.topics(workload))
                .collect(Collectors.toMap(topic -> topic, topic -> driver.createInputTopic(topic, new ByteArraySerializer(), new ByteArraySerializer())));
            final var output = driver.createOutputTopic("out", new ByteArrayDeserializer(), new ByteArrayDeserializer());
            final long[] counts = new long[2];
            final long start = System.nanoTime();
            Inputs.write(workload, records, (topic, key, value, timestamp) -> {
                topics.get(topic).pipeInput(key, value, timestamp);
                counts[0] += 1;
                if (counts[0] % READ_EVERY == 0) counts[1] += output.readRecordsToList().size();
            });
            counts[1] += output.readRecordsToList().size();
            print(records, (System.nanoTime() - start) / 1e9, counts[1]);
        }
    }

    private static void broker(final String workload, final int records, final String bootstrap, final Path state) throws Exception {
        final String application = "bench-" + UUID.randomUUID();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            final List<String> inputs = List.of(Inputs.topics(workload));
            final List<String> all = java.util.stream.Stream.concat(inputs.stream(), java.util.stream.Stream.of("out")).toList();
            final var there = admin.listTopics().names().get();
            admin.deleteTopics(all.stream().filter(there::contains).toList()).all().get();
            create(admin, all);
            produce(workload, records, bootstrap);
            final double seconds = run(workload, application, bootstrap, state, admin, inputs);
            print(records, seconds, outputs(bootstrap));
        }
    }

    /** A topic that was just deleted may stay for a moment. */
    private static void create(final Admin admin, final List<String> topics) throws Exception {
        for (int attempt = 0; ; attempt += 1) {
            try {
                admin.createTopics(topics.stream().map(topic -> new NewTopic(topic, 1, (short) 1).configs(Map.of("retention.ms", "-1"))).toList()).all().get();
                return;
            } catch (final java.util.concurrent.ExecutionException exists) {
                if (attempt == 50) throw exists;
                Thread.sleep(100);
            }
        }
    }

    private static void produce(final String workload, final int records, final String bootstrap) {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(Map.of("bootstrap.servers", bootstrap, "linger.ms", "20", "batch.size", "262144"), new ByteArraySerializer(), new ByteArraySerializer())) {
            Inputs.write(workload, records, (topic, key, value, timestamp) -> producer.send(new ProducerRecord<>(topic, 0, timestamp, key, value)));
        }
    }

    /** From the moment all tasks run to the commit of the last position, in seconds. */
    private static double run(final String workload, final String application, final String bootstrap, final Path state, final Admin admin, final List<String> inputs) throws Exception {
        final Properties settings = settings(application, bootstrap, state);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put("auto.offset.reset", "earliest");
        final Map<TopicPartition, Long> ends = admin.listOffsets(inputs.stream().collect(Collectors.toMap(topic -> new TopicPartition(topic, 0), topic -> OffsetSpec.latest())))
            .all().get().entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().offset()));
        final CountDownLatch running = new CountDownLatch(1);
        try (KafkaStreams streams = new KafkaStreams(Workloads.build(workload), settings)) {
            streams.setStateListener((now, before) -> { if (now == KafkaStreams.State.RUNNING) running.countDown(); });
            streams.start();
            running.await();
            final long start = System.nanoTime();
            while (!reached(admin, application, ends)) Thread.sleep(WAIT_MS);
            return (System.nanoTime() - start) / 1e9;
        }
    }

    private static boolean reached(final Admin admin, final String application, final Map<TopicPartition, Long> ends) throws Exception {
        final var committed = admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get();
        return ends.entrySet().stream().allMatch(end -> committed.get(end.getKey()) != null && committed.get(end.getKey()).offset() >= end.getValue());
    }

    private static long outputs(final String bootstrap) {
        final TopicPartition out = new TopicPartition("out", 0);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed", "max.poll.records", "10000"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(out));
            consumer.seekToBeginning(List.of(out));
            final long end = consumer.endOffsets(List.of(out)).get(out);
            long count = 0;
            while (consumer.position(out) < end) count += consumer.poll(Duration.ofSeconds(1)).count();
            return count;
        }
    }
}
