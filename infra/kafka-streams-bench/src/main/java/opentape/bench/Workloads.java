package opentape.bench;

import java.time.Duration;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.KeyValueStore;

/** The topologies, each as Kafka Streams' guide would write it. Stores are in RocksDB. */
final class Workloads {
    private static final Serde<String> TEXT = Serdes.String();
    private static final Serde<byte[]> BYTES = Serdes.ByteArray();
    private static final Serde<Long> NUMBER = Serdes.Long();

    private Workloads() { }

    static Topology build(final String workload) {
        final StreamsBuilder builder = new StreamsBuilder();
        switch (workload) {
            case "stateless-chain" -> events(builder)
                .filter((key, value) -> !key.endsWith("0"))
                .mapValues(value -> { final byte[] copy = value.clone(); copy[0] = 'm'; return copy; })
                .map((key, value) -> KeyValue.pair(key.substring(4), value))
                .to("out", Produced.with(TEXT, BYTES));
            case "count" -> events(builder).groupByKey(Grouped.with(TEXT, BYTES))
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts").withKeySerde(TEXT).withValueSerde(NUMBER))
                .toStream().to("out", Produced.with(TEXT, NUMBER));
            case "windowed-count" -> events(builder).groupByKey(Grouped.with(TEXT, BYTES))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(1)))
                .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts").withKeySerde(TEXT).withValueSerde(NUMBER).withRetention(Duration.ofMinutes(10)))
                .toStream().to("out", Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, 60_000L), NUMBER));
            case "stream-table-join" -> events(builder)
                .leftJoin(
                    builder.table("profiles", Consumed.with(TEXT, TEXT), Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as("profiles").withKeySerde(TEXT).withValueSerde(TEXT)),
                    (value, profile) -> profile == null ? "" : profile,
                    Joined.with(TEXT, BYTES, TEXT))
                .to("out", Produced.with(TEXT, TEXT));
            case "stream-stream-join" -> builder.stream("left", Consumed.with(TEXT, BYTES))
                .join(
                    builder.stream("right", Consumed.with(TEXT, BYTES)),
                    (left, right) -> left,
                    JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(5)),
                    StreamJoined.with(TEXT, BYTES, BYTES).withName("pairs").withStoreName("pairs"))
                .to("out", Produced.with(TEXT, BYTES));
            case "session-count" -> events(builder).groupByKey(Grouped.with(TEXT, BYTES))
                .windowedBy(SessionWindows.ofInactivityGapWithNoGrace(Duration.ofSeconds(5)))
                .count(Materialized.<String, Long, SessionStore<Bytes, byte[]>>as("sessions").withKeySerde(TEXT).withValueSerde(NUMBER).withRetention(Duration.ofMinutes(10)))
                .toStream().to("out", Produced.with(WindowedSerdes.sessionWindowedSerdeFrom(String.class), NUMBER));
            default -> throw new IllegalArgumentException("no workload is called " + workload);
        }
        return builder.build();
    }

    private static KStream<String, byte[]> events(final StreamsBuilder builder) {
        return builder.stream("events", Consumed.with(TEXT, BYTES));
    }
}
