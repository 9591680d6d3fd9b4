package opentape.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Branched;
import org.apache.kafka.streams.kstream.BranchedKStream;
import org.apache.kafka.streams.kstream.CogroupedKStream;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KGroupedTable;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** Declares the topology of a case with the DSL, node by node; tests/conformance/declare.ts does the same with ours. */
@SuppressWarnings({"unchecked", "rawtypes"})
final class Declaration {
    private final StreamsBuilder builder = new StreamsBuilder();
    private final JsonNode nodes;
    private final boolean persistent;
    private final List<Object> made = new ArrayList<>();

    Declaration(final JsonNode nodes, final boolean persistent) {
        this.nodes = nodes;
        this.persistent = persistent;
    }

    Topology build() {
        for (final JsonNode node : nodes) made.add(declare(node));
        return builder.build();
    }

    static Serde<Object> serde(final String type) {
        return (Serde<Object>) (Serde) ("number".equals(type) ? Serdes.Long() : Serdes.String());
    }

    private static Serde<Object> keySerde(final JsonNode shape) {
        if (!shape.has("windowMs")) return serde("text");
        if (shape.get("windowMs").isTextual()) return (Serde<Object>) (Serde) WindowedSerdes.sessionWindowedSerdeFrom(String.class);
        return (Serde<Object>) (Serde) WindowedSerdes.timeWindowedSerdeFrom(String.class, shape.get("windowMs").asLong());
    }

    private static Serde<Object> valueSerde(final JsonNode shape) {
        return serde(shape.get("value").asText());
    }

    private JsonNode shapeOf(final JsonNode node, final String side) {
        return nodes.get(node.get(side).asInt()).get("shape");
    }

    private Object input(final JsonNode node, final String side) {
        return made.get(node.get(side).asInt());
    }

    private KStream<Object, Object> stream(final JsonNode node) {
        return (KStream<Object, Object>) input(node, "of");
    }

    private KTable<Object, Object> table(final JsonNode node) {
        return (KTable<Object, Object>) input(node, "of");
    }

    private static String string(final JsonNode node, final String field) {
        return node.has(field) ? node.get(field).asText() : null;
    }


    /** The store of a node with its serdes, or only serdes where it keeps nothing under a name. */
    private Materialized materialized(final JsonNode node, final Serde<Object> keys) {
        if (node.has("historyMs")) {
            return Materialized
                .<Object, Object>as(Stores.persistentVersionedKeyValueStore(string(node, "store"), Duration.ofMillis(node.get("historyMs").asLong())))
                .withKeySerde(keys).withValueSerde(valueSerde(node.get("shape"))).withCachingDisabled();
        }
        final Materialized made = node.has("store") ? Materialized.as(string(node, "store")) : Materialized.with(null, null);
        made.withKeySerde(keys).withValueSerde(valueSerde(node.get("shape")));
        made.withStoreType(persistent ? BuiltInDslStoreSuppliers.ROCKS_DB : BuiltInDslStoreSuppliers.IN_MEMORY);
        return node.path("cached").asBoolean(false) ? made.withCachingEnabled() : made.withCachingDisabled();
    }

    private Materialized materialized(final JsonNode node) {
        return materialized(node, keySerde(node.get("shape")));
    }

    private static Object initial(final JsonNode node) {
        return "number".equals(node.get("shape").get("value").asText()) ? (Object) 0L : "";
    }

    private Object declare(final JsonNode node) {
        final JsonNode shape = node.get("shape");
        final String fn = string(node, "fn");
        final Consumed<Object, Object> consumed = Consumed.with(serde("text"), valueSerde(shape));
        return switch (node.get("op").asText()) {
            case "stream" -> builder.stream(node.get("topic").asText(), consumed);
            case "table" -> node.has("store")
                ? builder.table(node.get("topic").asText(), consumed, materialized(node))
                : builder.table(node.get("topic").asText(), consumed);
            case "globalTable" -> builder.globalTable(node.get("topic").asText(), consumed, materialized(node));
            case "filter" -> stream(node).filter((key, value) -> Functions.test(fn, key, value));
            case "filterNot" -> stream(node).filterNot((key, value) -> Functions.test(fn, key, value));
            case "map" -> stream(node).map((key, value) ->
                KeyValue.pair(Functions.key(string(node, "keyFn"), key, value), Functions.value(fn, key, value)));
            case "mapValues" -> stream(node).mapValues((key, value) -> Functions.value(fn, key, value));
            case "flatMap" -> stream(node).flatMap((key, value) -> Functions.expandKeys(fn, key, value));
            case "flatMapValues" -> stream(node).flatMapValues(value -> Functions.expand(fn, value));
            case "selectKey" -> stream(node).selectKey((key, value) -> Functions.key(fn, key, value));
            case "split" -> split(node);
            case "branch" -> ((List<?>) input(node, "of")).get(node.get("branch").asInt());
            case "merge" -> stream(node).merge((KStream<Object, Object>) input(node, "other"));
            case "repartition" -> stream(node).repartition(
                Repartitioned.<Object, Object>as(string(node, "name")).withKeySerde(keySerde(shape)).withValueSerde(valueSerde(shape)));
            case "process" -> stream(node).process(Processors.supplier(fn, string(node, "store")));
            case "processValues" -> stream(node).processValues(Processors.fixedKeySupplier(fn, string(node, "store")));
            case "groupByKey" -> stream(node).groupByKey(grouped(node));
            case "groupBy" -> stream(node).groupBy((key, value) -> Functions.key(fn, key, value), grouped(node));
            case "count", "reduce", "aggregate" -> aggregation(node);
            case "cogroup" -> cogroup(node);
            case "toTable" -> stream(node).toTable(materialized(node));
            case "joinStream" -> joinStream(node);
            case "joinTable" -> joinTable(node);
            case "joinGlobal" -> joinGlobal(node);
            case "toStream" -> node.has("keyFn")
                ? table(node).toStream((key, value) -> Functions.key(string(node, "keyFn"), key, value))
                : table(node).toStream();
            case "to" -> to(node);
            default -> declareTable(node);
        };
    }

    private Object to(final JsonNode node) {
        stream(node).to(string(node, "topic"), Produced.with(keySerde(node.get("shape")), valueSerde(node.get("shape"))));
        return null;
    }

    private Grouped<Object, Object> grouped(final JsonNode node) {
        final Grouped<Object, Object> grouped = Grouped.with(keySerde(node.get("shape")), valueSerde(node.get("shape")));
        return node.has("name") ? grouped.withName(string(node, "name")) : grouped;
    }

    private List<KStream<Object, Object>> split(final JsonNode node) {
        BranchedKStream<Object, Object> branched = stream(node).split(Named.as(string(node, "name")));
        int number = 0;
        for (final JsonNode predicate : node.get("branches")) {
            branched = branched.branch((key, value) -> Functions.test(predicate.asText(), key, value), Branched.as("-" + number));
            number += 1;
        }
        final Map<String, KStream<Object, Object>> all =
            node.path("hasDefault").asBoolean(false) ? branched.defaultBranch(Branched.as("-" + number)) : branched.noDefaultBranch();
        final List<KStream<Object, Object>> list = new ArrayList<>();
        for (int index = 0; all.containsKey(string(node, "name") + "-" + index); index += 1) list.add(all.get(string(node, "name") + "-" + index));
        return list;
    }

    private Object aggregation(final JsonNode node) {
        final KGroupedStream<Object, Object> grouped = (KGroupedStream<Object, Object>) input(node, "of");
        final String fn = string(node, "fn");
        if (node.has("windows")) return windowed(node, grouped);
        final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> store = materialized(node);
        return switch (node.get("op").asText()) {
            case "count" -> grouped.count((Materialized) store);
            case "reduce" -> grouped.reduce((aggregate, value) -> Functions.reduce(fn, aggregate, value), store);
            default -> grouped.aggregate(
                () -> initial(node), (key, value, aggregate) -> Functions.aggregate(fn, value, aggregate), store);
        };
    }

    private Object windowed(final JsonNode node, final KGroupedStream<Object, Object> grouped) {
        final String fn = string(node, "fn");
        if (node.get("windows").has("gapMs")) return sessions(node, grouped);
        final TimeWindowedKStream<Object, Object> stream = timeWindowed(node.get("windows"), grouped).emitStrategy(emit(node));
        final Materialized<Object, Object, WindowStore<Bytes, byte[]>> store = materialized(node, serde("text"));
        if (node.has("retentionMs")) store.withRetention(Duration.ofMillis(node.get("retentionMs").asLong()));
        return switch (node.get("op").asText()) {
            case "count" -> stream.count((Materialized) store);
            case "reduce" -> stream.reduce((aggregate, value) -> Functions.reduce(fn, aggregate, value), store);
            default -> stream.aggregate(
                () -> initial(node), (key, value, aggregate) -> Functions.aggregate(fn, value, aggregate), store);
        };
    }

    private static EmitStrategy emit(final JsonNode node) {
        return node.path("onClose").asBoolean(false) ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
    }

    private static TimeWindowedKStream<Object, Object> timeWindowed(final JsonNode windows, final KGroupedStream<Object, Object> grouped) {
        return windows.has("differenceMs") ? grouped.windowedBy(slidingWindows(windows)) : grouped.windowedBy(timeWindows(windows));
    }

    private static Duration duration(final JsonNode windows, final String field) {
        return Duration.ofMillis(windows.get(field).asLong());
    }

    private static SlidingWindows slidingWindows(final JsonNode windows) {
        return SlidingWindows.ofTimeDifferenceAndGrace(duration(windows, "differenceMs"), duration(windows, "graceMs"));
    }

    private static TimeWindows timeWindows(final JsonNode windows) {
        return TimeWindows.ofSizeAndGrace(duration(windows, "sizeMs"), duration(windows, "graceMs")).advanceBy(duration(windows, "advanceMs"));
    }

    private static SessionWindows sessionWindows(final JsonNode windows) {
        return SessionWindows.ofInactivityGapAndGrace(duration(windows, "gapMs"), duration(windows, "graceMs"));
    }

    private Object sessions(final JsonNode node, final KGroupedStream<Object, Object> grouped) {
        final JsonNode windows = node.get("windows");
        final String fn = string(node, "fn");
        final SessionWindowedKStream<Object, Object> stream = grouped.windowedBy(sessionWindows(windows)).emitStrategy(emit(node));
        final Materialized<Object, Object, SessionStore<Bytes, byte[]>> store = materialized(node, serde("text"));
        if (node.has("retentionMs")) store.withRetention(Duration.ofMillis(node.get("retentionMs").asLong()));
        return switch (node.get("op").asText()) {
            case "count" -> stream.count((Materialized) store);
            case "reduce" -> stream.reduce((aggregate, value) -> Functions.reduce(fn, aggregate, value), store);
            default -> stream.aggregate(
                () -> initial(node), (key, value, aggregate) -> Functions.aggregate(fn, value, aggregate),
                (key, one, two) -> Functions.reduce(string(node, "merge"), one, two), store);
        };
    }

    private Object cogroup(final JsonNode node) {
        final KGroupedStream<Object, Object> one = (KGroupedStream<Object, Object>) input(node, "of");
        final KGroupedStream<Object, Object> two = (KGroupedStream<Object, Object>) input(node, "other");
        final CogroupedKStream<Object, Object> cogrouped = one
            .<Object>cogroup((key, value, aggregate) -> Functions.aggregate(string(node, "fn"), value, aggregate))
            .cogroup(two, (key, value, aggregate) -> Functions.aggregate(string(node, "otherFn"), value, aggregate));
        if (!node.has("windows")) return cogrouped.aggregate(() -> initial(node), materialized(node));
        final JsonNode windows = node.get("windows");
        final Materialized store = materialized(node, serde("text")).withRetention(Duration.ofMillis(node.get("retentionMs").asLong()));
        if (windows.has("gapMs")) {
            return cogrouped.windowedBy(sessionWindows(windows)).aggregate(
                () -> initial(node), (key, value, other) -> Functions.reduce(string(node, "merge"), value, other), store);
        }
        return windows.has("differenceMs")
            ? cogrouped.windowedBy(slidingWindows(windows)).aggregate(() -> initial(node), store)
            : cogrouped.windowedBy(timeWindows(windows)).aggregate(() -> initial(node), store);
    }

    private Object joinStream(final JsonNode node) {
        final KStream<Object, Object> left = stream(node);
        final KStream<Object, Object> right = (KStream<Object, Object>) input(node, "other");
        final String fn = string(node, "fn");
        final JsonNode times = node.get("joinWindows");
        final JoinWindows windows = JoinWindows
            .ofTimeDifferenceAndGrace(Duration.ofMillis(50), Duration.ofMillis(times.get("graceMs").asLong()))
            .before(Duration.ofMillis(times.get("beforeMs").asLong()))
            .after(Duration.ofMillis(times.get("afterMs").asLong()));
        final StreamJoined<Object, Object, Object> joined = StreamJoined
            .with(keySerde(node.get("shape")), serde(string(node, "leftValue")), serde(string(node, "rightValue")))
            .withName(string(node, "name")).withStoreName(string(node, "name"))
            .withDslStoreSuppliers(persistent ? BuiltInDslStoreSuppliers.ROCKS_DB : BuiltInDslStoreSuppliers.IN_MEMORY);
        return switch (string(node, "kind")) {
            case "inner" -> left.join(right, (value, other) -> Functions.join(fn, value, other), windows, joined);
            case "left" -> left.leftJoin(right, (value, other) -> Functions.join(fn, value, other), windows, joined);
            default -> left.outerJoin(right, (value, other) -> Functions.join(fn, value, other), windows, joined);
        };
    }

    private Object joinTable(final JsonNode node) {
        final KTable<Object, Object> other = (KTable<Object, Object>) input(node, "other");
        final String fn = string(node, "fn");
        final JsonNode left = shapeOf(node, "of");
        final Joined<Object, Object, Object> plain = Joined.with(
            keySerde(left), valueSerde(left), valueSerde(shapeOf(node, "other")), string(node, "name"));
        final Joined<Object, Object, Object> joined = node.has("joinGraceMs")
            ? plain.withGracePeriod(Duration.ofMillis(node.get("joinGraceMs").asLong()))
            : plain;
        return "left".equals(string(node, "kind"))
            ? stream(node).leftJoin(other, (value, row) -> Functions.join(fn, value, row), joined)
            : stream(node).join(other, (value, row) -> Functions.join(fn, value, row), joined);
    }

    private Object joinGlobal(final JsonNode node) {
        final GlobalKTable<Object, Object> other = (GlobalKTable<Object, Object>) input(node, "other");
        final String fn = string(node, "fn");
        final String keyFn = string(node, "keyFn");
        return "left".equals(string(node, "kind"))
            ? stream(node).leftJoin(other, (key, value) -> Functions.key(keyFn, key, value), (value, row) -> Functions.join(fn, value, row))
            : stream(node).join(other, (key, value) -> Functions.key(keyFn, key, value), (value, row) -> Functions.join(fn, value, row));
    }

    private Object declareTable(final JsonNode node) {
        final String fn = string(node, "fn");
        final boolean kept = node.has("store");
        return switch (node.get("op").asText()) {
            case "tableFilter" -> kept
                ? table(node).filter((key, value) -> Functions.test(fn, key, value), materialized(node))
                : table(node).filter((key, value) -> Functions.test(fn, key, value));
            case "tableFilterNot" -> kept
                ? table(node).filterNot((key, value) -> Functions.test(fn, key, value), materialized(node))
                : table(node).filterNot((key, value) -> Functions.test(fn, key, value));
            case "tableMapValues" -> kept
                ? table(node).mapValues((key, value) -> Functions.value(fn, key, value), materialized(node))
                : table(node).mapValues((key, value) -> Functions.value(fn, key, value));
            case "tableTransformValues" -> kept
                ? table(node).transformValues(() -> new Processors.ValueTransformer(fn), materialized(node))
                : table(node).transformValues(() -> new Processors.ValueTransformer(fn));
            case "tableGroupBy" -> table(node).groupBy(
                (key, value) -> KeyValue.pair(Functions.key(fn, key, value), value), grouped(node));
            case "tableCount", "tableReduce", "tableAggregate" -> tableAggregation(node);
            case "tableJoin" -> tableJoin(node);
            case "foreignKeyJoin" -> foreignKeyJoin(node);
            case "suppressClosed" -> ((KTable) table(node)).suppress(
                Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()).withName(string(node, "name")));
            case "suppressTime" -> table(node).suppress(Suppressed.untilTimeLimit(
                Duration.ofMillis(node.get("limitMs").asLong()),
                node.has("maxRecords")
                    ? Suppressed.BufferConfig.maxRecords(node.get("maxRecords").asLong())
                    : (Suppressed.BufferConfig) Suppressed.BufferConfig.unbounded()).withName(string(node, "name")));
            default -> throw new IllegalArgumentException("no operator " + node.get("op").asText());
        };
    }

    private Object tableAggregation(final JsonNode node) {
        final KGroupedTable<Object, Object> grouped = (KGroupedTable<Object, Object>) input(node, "of");
        final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> store = materialized(node);
        final String fn = string(node, "fn");
        final String subtract = string(node, "subtract");
        return switch (node.get("op").asText()) {
            case "tableCount" -> grouped.count((Materialized) store);
            case "tableReduce" -> grouped.reduce(
                (aggregate, value) -> Functions.reduce(fn, aggregate, value),
                (aggregate, value) -> Functions.reduce(subtract, aggregate, value), store);
            default -> grouped.aggregate(
                () -> initial(node),
                (key, value, aggregate) -> Functions.aggregate(fn, value, aggregate),
                (key, value, aggregate) -> Functions.aggregate(subtract, value, aggregate), store);
        };
    }

    private Object foreignKeyJoin(final JsonNode node) {
        final KTable<Object, Object> left = table(node);
        final KTable<Object, Object> right = (KTable<Object, Object>) input(node, "other");
        final BiFunction<Object, Object, Object> keyOf = (key, value) -> Functions.key(string(node, "keyFn"), key, value);
        final ValueJoiner<Object, Object, Object> joiner = (value, row) -> Functions.join(string(node, "fn"), value, row);
        final TableJoined<Object, Object> joined = TableJoined.as(string(node, "name"));
        final Materialized<Object, Object, KeyValueStore<Bytes, byte[]>> store = materialized(node);
        if ("left".equals(string(node, "kind"))) {
            return node.has("store") ? left.leftJoin(right, keyOf, joiner, joined, store) : left.leftJoin(right, keyOf, joiner, joined);
        }
        return node.has("store") ? left.join(right, keyOf, joiner, joined, store) : left.join(right, keyOf, joiner, joined);
    }

    private Object tableJoin(final JsonNode node) {
        final KTable<Object, Object> left = table(node);
        final KTable<Object, Object> right = (KTable<Object, Object>) input(node, "other");
        final String fn = string(node, "fn");
        final boolean kept = node.has("store");
        return switch (string(node, "kind")) {
            case "inner" -> kept
                ? left.join(right, (value, row) -> Functions.join(fn, value, row), materialized(node))
                : left.join(right, (value, row) -> Functions.join(fn, value, row));
            case "left" -> kept
                ? left.leftJoin(right, (value, row) -> Functions.join(fn, value, row), materialized(node))
                : left.leftJoin(right, (value, row) -> Functions.join(fn, value, row));
            default -> kept
                ? left.outerJoin(right, (value, row) -> Functions.join(fn, value, row), materialized(node))
                : left.outerJoin(right, (value, row) -> Functions.join(fn, value, row));
        };
    }
}
