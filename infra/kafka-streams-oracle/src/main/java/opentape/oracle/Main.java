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
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
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

    private static Properties settings() {
        final Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "oracle");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, STATE.toString());
        // Unmatched records of left and outer joins are looked for with each record, not once a second of the wall clock.
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_OUTER_JOIN_SPURIOUS_RESULTS_FIX, 0L);
        settings.put(StreamsConfig.InternalConfig.EMIT_INTERVAL_MS_KSTREAMS_WINDOWED_AGGREGATION, 0L);
        return settings;
    }

    private static void run(final JsonNode spec, final ObjectNode answer) {
        final JsonNode nodes = spec.get("nodes");
        try (TopologyTestDriver driver = new TopologyTestDriver(new Declaration(nodes, spec.path("persistent").asBoolean(false)).build(), settings(), Instant.EPOCH)) {
            pipe(driver, nodes, spec.get("inputs"));
            final ObjectNode topics = answer.putObject("topics");
            for (final JsonNode node : nodes) {
                if (!"to".equals(node.get("op").asText())) continue;
                final String topic = node.get("topic").asText();
                final ArrayNode records = topics.putArray(topic);
                final var output = driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                for (final TestRecord<byte[], byte[]> record : output.readRecordsToList()) write(records.addArray(), record, node.get("shape"));
            }
        }
    }

    private static void pipe(final TopologyTestDriver driver, final JsonNode nodes, final JsonNode inputs) {
        final Map<String, TestInputTopic<String, Object>> topics = new HashMap<>();
        final Map<String, Boolean> numbers = new HashMap<>();
        for (final JsonNode node : nodes) {
            if (!node.has("topic") || node.get("op").asText().equals("to")) continue;
            final String type = node.get("shape").get("value").asText();
            final Serde<Object> serde = Declaration.serde(type);
            numbers.put(node.get("topic").asText(), type.equals("number"));
            topics.put(node.get("topic").asText(), driver.createInputTopic(node.get("topic").asText(), new StringSerializer(), serde.serializer()));
        }
        for (final JsonNode input : inputs) {
            final String topic = input.get("topic").asText();
            final JsonNode value = input.get("value");
            final Object decoded = value.isNull() ? null : numbers.get(topic) ? (Object) value.asLong() : value.asText();
            final Headers headers = new RecordHeaders();
            for (final JsonNode header : input.path("headers")) {
                headers.add(header.get(0).asText(), header.get(1).isNull() ? null : header.get(1).asText().getBytes(StandardCharsets.UTF_8));
            }
            final String key = input.get("key").isNull() ? null : input.get("key").asText();
            topics.get(topic).pipeInput(new TestRecord<>(key, decoded, headers, input.get("timestamp").asLong()));
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
