package opentape.bench;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The records that go in: the same, by the same rule, as in tests/bench/streamsWorkloads.ts. */
final class Inputs {
    static final long START_MS = 1_767_225_600_000L;
    static final int KEYS = 2_000;
    static final int JOINED_KEYS = 200_000;
    private static final int BLOCK = 20_000;
    private static final byte[] BODY = new byte[88];

    static {
        Arrays.fill(BODY, (byte) 'v');
    }

    private Inputs() { }

    interface Sink {
        void accept(String topic, byte[] key, byte[] value, long timestamp);
    }

    private static byte[] key(final long number) {
        final byte[] text = "key-00000000".getBytes(StandardCharsets.US_ASCII);
        long rest = number;
        for (int at = 11; rest > 0; at -= 1, rest /= 10) text[at] = (byte) ('0' + rest % 10);
        return text;
    }

    /** Hands over the records of a workload in the order of their times, one a millisecond. */
    static void write(final String workload, final int records, final Sink sink) {
        if (workload.equals("stream-table-join")) {
            for (int each = 0; each < KEYS; each += 1) sink.accept("profiles", key(each), key(each), START_MS - KEYS + each);
        }
        if (workload.equals("stream-stream-join")) {
            for (int each = 0; each < records / 2; each += 1) {
                sink.accept("left", key(each % JOINED_KEYS), BODY, START_MS + each);
                sink.accept("right", key(each % JOINED_KEYS), BODY, START_MS + each);
            }
            return;
        }
        for (int each = 0; each < records; each += 1) {
            final long spread = each * 7_919L;
            // Sessions: half of the keys take turns in being busy for 20 seconds.
            final long number = workload.equals("session-count") ? spread % (KEYS / 2) + (each / BLOCK % 2) * (KEYS / 2) : spread % KEYS;
            sink.accept("events", key(number), BODY, START_MS + each);
        }
    }

    static String[] topics(final String workload) {
        return switch (workload) {
            case "stream-table-join" -> new String[] {"events", "profiles"};
            case "stream-stream-join" -> new String[] {"left", "right"};
            default -> new String[] {"events"};
        };
    }
}
