package opentape.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** Reads cases as lines of JSON and answers each with a line: the records of its output topics, or what it failed with. */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int START_BYTES = 8;
    private static final Path STATE = Path.of(System.getProperty("java.io.tmpdir"), "oracle-" + ProcessHandle.current().pid());

    private Main() { }

    public static void main(final String[] args) throws Exception {
        final BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        final PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            final ObjectNode answer = JSON.createObjectNode();
            try {
                run(JSON.readTree(line), answer);
            } catch (final Exception failure) {
                answer.removeAll();
                answer.put("error", failure.toString());
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        Utils.delete(STATE.toFile());
    }

    private static Properties settings(final int partition) {
        final Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, STATE.resolve(String.valueOf(partition)).toString());
        // Unmatched records of left and outer joins are looked for with each record, not once a second of the wall clock.
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        return settings;
    }

    private static void run(final JsonNode spec, final ObjectNode answer) {
        final List<TopologyTestDriver> drivers = new ArrayList<>();
        try {
            final int partitions = spec.path("partitions").asInt(1);
            for (int partition = 0; partition < partitions; partition += 1) {
                final Declaration declaration = new Declaration(spec.get("nodes"), spec.path("persistent").asBoolean(false));
                drivers.add(new TopologyTestDriver(declaration.build(), settings(partition), Instant.EPOCH));
            }
            final Outputs outputs = new Outputs(spec, drivers, answer);
            for (final JsonNode input : spec.get("inputs")) {
                for (final int partition : partitionsOf(spec, input, partitions)) {
                    pipe(drivers.get(partition), spec.get("nodes"), input);
                    outputs.take(partition);
                }
            }
        } finally {
            for (final TopologyTestDriver driver : drivers) driver.close();
        }
    }

    /** The partitions whose driver gets a record: that of its key, and all for a global table. */
    private static int[] partitionsOf(final JsonNode spec, final JsonNode input, final int partitions) {
        if (partitions == 1) return new int[] {0};
        if (source(spec.get("nodes"), input).get("op").asText().equals("globalTable")) return IntStream.range(0, partitions).toArray();
        if (input.get("key").isNull()) return new int[] {0};
        return new int[] {BuiltInPartitioner.partitionForKey(input.get("key").asText().getBytes(StandardCharsets.UTF_8), partitions)};
    }

    private static JsonNode source(final JsonNode nodes, final JsonNode input) {
        for (final JsonNode node : nodes) {
            if (node.path("topic").asText().equals(input.get("topic").asText()) && !node.get("op").asText().equals("to")) return node;
        }
        throw new IllegalArgumentException("no source of " + input.get("topic").asText());
    }

    private static void pipe(final TopologyTestDriver driver, final JsonNode nodes, final JsonNode input) {
        final String topic = input.get("topic").asText();
        final String type = source(nodes, input).get("shape").get("value").asText();
        final JsonNode value = input.get("value");
        final Object decoded = value.isNull() ? null : type.equals("number") ? (Object) value.asLong() : value.asText();
        final Headers headers = new RecordHeaders();
        for (final JsonNode header : input.path("headers")) {
            headers.add(header.get(0).asText(), header.get(1).isNull() ? null : header.get(1).asText().getBytes(StandardCharsets.UTF_8));
        }
        final String key = input.get("key").isNull() ? null : input.get("key").asText();
        driver.createInputTopic(topic, new StringSerializer(), Declaration.serde(type).serializer())
            .pipeInput(new TestRecord<>(key, decoded, headers, input.get("timestamp").asLong()));
    }

    /** What the drivers wrote, in the order of the inputs, and the partition of each record where there are several. */
    private static final class Outputs {
        private final List<JsonNode> sinks = new ArrayList<>();
        private final List<List<TestOutputTopic<byte[], byte[]>>> read = new ArrayList<>();
        private final List<ArrayNode> records = new ArrayList<>();
        private final List<ArrayNode> places = new ArrayList<>();
        private final int partitions;

        Outputs(final JsonNode spec, final List<TopologyTestDriver> drivers, final ObjectNode answer) {
            partitions = drivers.size();
            final ObjectNode topics = answer.putObject("topics");
            final ObjectNode partitionsOf = partitions > 1 ? answer.putObject("partitions") : JSON.createObjectNode();
            for (final JsonNode node : spec.get("nodes")) {
                if (!"to".equals(node.get("op").asText())) continue;
                final String topic = node.get("topic").asText();
                sinks.add(node);
                records.add(topics.putArray(topic));
                places.add(partitionsOf.putArray(topic));
                final List<TestOutputTopic<byte[], byte[]>> ofTopic = new ArrayList<>();
                for (final TopologyTestDriver driver : drivers) {
                    ofTopic.add(driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer()));
                }
                read.add(ofTopic);
            }
        }

        void take(final int partition) {
            for (int index = 0; index < sinks.size(); index += 1) {
                final JsonNode shape = sinks.get(index).get("shape");
                for (final TestRecord<byte[], byte[]> record : read.get(index).get(partition).readRecordsToList()) {
                    write(records.get(index).addArray(), record, shape);
                    places.get(index).add(placeOf(record.key(), shape.path("windowMs")));
                }
            }
        }

        /** Kafka Streams sends records of windows by the key within; those without key go anywhere, ours to partition 0. */
        private int placeOf(final byte[] key, final JsonNode windowMs) {
            if (key == null || partitions == 1) return 0;
            final int times = windowMs.isMissingNode() ? 0 : windowMs.isTextual() ? 2 : 1;
            return BuiltInPartitioner.partitionForKey(Arrays.copyOf(key, key.length - times * START_BYTES), partitions);
        }
    }

    /** A key as text: of a window with its start, of a session with both ends. */
    private static String text(final byte[] key, final JsonNode windowMs) {
        if (windowMs.isMissingNode()) return new String(key, StandardCharsets.UTF_8);
        final int length = key.length - (windowMs.isTextual() ? 2 * START_BYTES : START_BYTES);
        final String inner = new String(key, 0, length, StandardCharsets.UTF_8);
        final long last = ByteBuffer.wrap(key, key.length - START_BYTES, START_BYTES).getLong();
        return windowMs.isTextual() ? inner + "@" + last + "-" + ByteBuffer.wrap(key, length, START_BYTES).getLong() : inner + "@" + last;
    }

    private static void write(final ArrayNode record, final TestRecord<byte[], byte[]> output, final JsonNode shape) {
        final byte[] key = output.key();
        if (key == null) record.addNull();
        else record.add(text(key, shape.path("windowMs")));
        final byte[] value = output.value();
        if (value == null) record.addNull();
        else if (shape.get("value").asText().equals("number")) record.add(ByteBuffer.wrap(value).getLong());
        else record.add(new String(value, StandardCharsets.UTF_8));
        record.add(output.timestamp());
        if (output.headers().toArray().length == 0) return;
        final ArrayNode headers = record.addArray();
        for (final Header header : output.headers()) {
            final ArrayNode pair = headers.addArray().add(header.key());
            if (header.value() == null) pair.addNull();
            else pair.add(new String(header.value(), StandardCharsets.UTF_8));
        }
    }
}
