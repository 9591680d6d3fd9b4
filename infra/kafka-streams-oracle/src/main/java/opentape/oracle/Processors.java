package opentape.oracle;

import java.time.Duration;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The processors that cases name: those of tests/conformance/processors.ts. */
final class Processors {
    private Processors() { }

    private static Set<StoreBuilder<?>> stores(final String store) {
        return store == null ? null : Set.of(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(store), Serdes.String(), Serdes.Long()));
    }

    private static long next(final KeyValueStore<String, Long> store, final Object key) {
        final Long before = store.get(Functions.text(key));
        final long now = before == null ? 1 : before + 1;
        store.put(Functions.text(key), now);
        return now;
    }

    static ProcessorSupplier<Object, Object, Object, Object> supplier(final String name, final String store) {
        return new ProcessorSupplier<>() {
            @Override
            public Set<StoreBuilder<?>> stores() {
                return Processors.stores(store);
            }

            @Override
            public Processor<Object, Object, Object, Object> get() {
                return switch (name) {
                    case "number" -> new Numbering(store);
                    case "everyTen" -> new EveryTen(store);
                    case "later" -> new Later();
                    default -> throw new IllegalArgumentException("no processor " + name);
                };
            }
        };
    }

    /** Numbers the records of a key. */
    private static final class Numbering implements Processor<Object, Object, Object, Object> {
        private final String storeName;
        private ProcessorContext<Object, Object> context;
        private KeyValueStore<String, Long> store;

        Numbering(final String storeName) {
            this.storeName = storeName;
        }

        @Override
        public void init(final ProcessorContext<Object, Object> made) {
            context = made;
            store = made.getStateStore(storeName);
        }

        @Override
        public void process(final Record<Object, Object> record) {
            context.forward(record.withValue(Functions.text(record.value()) + "#" + next(store, record.key())));
        }
    }

    /** Counts, and every ten milliseconds of stream time tells of every count. */
    private static final class EveryTen implements Processor<Object, Object, Object, Object> {
        private final String storeName;
        private ProcessorContext<Object, Object> context;
        private KeyValueStore<String, Long> store;

        EveryTen(final String storeName) {
            this.storeName = storeName;
        }

        @Override
        public void init(final ProcessorContext<Object, Object> made) {
            context = made;
            store = made.getStateStore(storeName);
            made.schedule(Duration.ofMillis(10), PunctuationType.STREAM_TIME, this::tell);
        }

        private void tell(final long timestamp) {
            try (KeyValueIterator<String, Long> all = store.all()) {
                while (all.hasNext()) {
                    final var row = all.next();
                    context.forward(new Record<>(row.key, String.valueOf(row.value), timestamp));
                }
            }
        }

        @Override
        public void process(final Record<Object, Object> record) {
            next(store, record.key());
        }
    }

    /** Puts records off by five milliseconds and marks them in a header. */
    private static final class Later implements Processor<Object, Object, Object, Object> {
        private ProcessorContext<Object, Object> context;

        @Override
        public void init(final ProcessorContext<Object, Object> made) {
            context = made;
        }

        @Override
        public void process(final Record<Object, Object> record) {
            final Record<Object, Object> later = record.withTimestamp(record.timestamp() + 5).withValue(Functions.text(record.value()));
            later.headers().add("later", new byte[] {'5'});
            context.forward(later);
        }
    }

    static FixedKeyProcessorSupplier<Object, Object, Object> fixedKeySupplier(final String name, final String store) {
        return new FixedKeyProcessorSupplier<>() {
            @Override
            public Set<StoreBuilder<?>> stores() {
                return Processors.stores(store);
            }

            @Override
            public FixedKeyProcessor<Object, Object, Object> get() {
                if (!"number".equals(name)) throw new IllegalArgumentException("no processor of values " + name);
                return new FixedKeyProcessor<>() {
                    private FixedKeyProcessorContext<Object, Object> context;
                    private KeyValueStore<String, Long> counts;

                    @Override
                    public void init(final FixedKeyProcessorContext<Object, Object> made) {
                        context = made;
                        counts = made.getStateStore(store);
                    }

                    @Override
                    public void process(final FixedKeyRecord<Object, Object> record) {
                        context.forward(record.withValue(Functions.text(record.value()) + "#" + next(counts, record.key())));
                    }
                };
            }
        };
    }

    /** Makes a value of key and value, of a deletion too. */
    record ValueTransformer(String fn) implements ValueTransformerWithKey<Object, Object, Object> {
        @Override
        public void init(final org.apache.kafka.streams.processor.ProcessorContext context) {}

        @Override
        public Object transform(final Object key, final Object value) {
            return Functions.value(fn, key, value);
        }

        @Override
        public void close() {}
    }
}
