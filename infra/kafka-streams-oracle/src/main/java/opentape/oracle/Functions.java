package opentape.oracle;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;

/** The functions that cases name: those of tests/conformance/functions.ts. */
final class Functions {
    private Functions() { }

    static String text(final Object value) {
        if (value == null) return "nil";
        if (value instanceof Windowed<?> windowed) return text(windowed.key()) + "@" + windowed.window().start();
        return String.valueOf(value);
    }

    static long code(final Object value) {
        if (value instanceof Long number) return Math.abs(number);
        return text(value).chars().asLongStream().sum();
    }

    private static String clip(final String value) {
        return value.length() <= 8 ? value : value.substring(value.length() - 8);
    }

    /** As JavaScript's Number, of null 0. */
    private static long number(final Object value) {
        return value == null ? 0 : (Long) value;
    }

    private static IllegalArgumentException unknown(final String name) {
        return new IllegalArgumentException("no function " + name);
    }

    static boolean test(final String name, final Object key, final Object value) {
        return switch (name) {
            case "valueEven" -> value != null && code(value) > 0 && code(value) % 2 == 0;
            case "valueShort" -> value != null && code(value) > 0 && text(value).length() <= 2;
            case "valuePresent" -> value != null;
            case "keyPresent" -> key != null;
            case "keyEven" -> key != null && code(key) % 2 == 0;
            default -> throw unknown(name);
        };
    }

    static Object value(final String name, final Object key, final Object value) {
        return switch (name) {
            case "mark" -> value == null ? null : clip(text(value) + "!");
            case "withKey" -> clip(text(key) + ":" + text(value));
            case "dropOdd" -> value == null || code(value) % 2 != 0 ? null : text(value);
            case "length" -> value == null ? null : (Object) (long) text(value).length();
            case "code" -> value == null ? null : (Object) code(value);
            case "codeOrZero" -> value == null ? (Object) 0L : (Object) code(value);
            case "dropOddCode" -> value == null || code(value) % 2 != 0 ? null : (Object) code(value);
            default -> throw unknown(name);
        };
    }

    static Object key(final String name, final Object key, final Object value) {
        return switch (name) {
            case "firstOfValue" -> value == null || code(value) == 0 ? null : text(value).substring(0, 1);
            case "valueBucket" -> value == null || code(value) == 0 ? null : "m" + code(value) % 3;
            case "keyBucket" -> key == null ? null : "k" + code(key) % 2;
            case "keyText" -> key == null ? null : text(key);
            case "always" -> "all";
            default -> throw unknown(name);
        };
    }

    static List<Object> expand(final String name, final Object value) {
        final List<Object> values = new ArrayList<>();
        switch (name) {
            case "letters" -> {
                final String all = value == null ? "" : text(value);
                for (int index = 0; index < Math.min(4, all.length()); index += 1) values.add(all.substring(index, index + 1));
            }
            case "twice" -> {
                values.add(clip(text(value)));
                values.add(clip(text(value) + "'"));
            }
            case "unlessOdd" -> {
                if (code(value) % 2 == 0) values.add(text(value));
            }
            default -> throw unknown(name);
        }
        return values;
    }

    static List<KeyValue<Object, Object>> expandKeys(final String name, final Object key, final Object value) {
        final List<KeyValue<Object, Object>> pairs = new ArrayList<>();
        switch (name) {
            case "letterKeys" -> {
                for (final Object letter : expand("letters", value)) pairs.add(KeyValue.pair(letter, clip(text(value))));
            }
            case "thereAndBack" -> {
                pairs.add(KeyValue.pair(text(key), text(value)));
                pairs.add(KeyValue.pair(clip(text(value)), text(key)));
            }
            default -> throw unknown(name);
        }
        return pairs;
    }

    static Object reduce(final String name, final Object aggregate, final Object value) {
        return switch (name) {
            case "concat" -> clip(text(aggregate) + text(value));
            case "latest" -> value;
            case "dropSame" -> text(aggregate).equals(text(value)) ? null : clip(text(aggregate) + text(value));
            case "unconcat" -> clip(text(aggregate) + "-" + text(value));
            case "sum" -> number(aggregate) + number(value);
            case "greatest" -> Math.max(number(aggregate), number(value));
            case "dropAboveTwenty" -> number(aggregate) + number(value) > 20 ? null : (Object) (number(aggregate) + number(value));
            case "minus" -> number(aggregate) - number(value);
            default -> throw unknown(name);
        };
    }

    static Object aggregate(final String name, final Object value, final Object aggregate) {
        return switch (name) {
            case "collect" -> clip(text(aggregate) + text(value));
            case "collectSome" -> text(aggregate).length() > 5 ? null : clip(text(aggregate) + text(value));
            case "uncollect" -> clip(text(aggregate) + "-" + text(value));
            case "total" -> number(aggregate) + code(value);
            case "totalSome" -> number(aggregate) > 300 ? null : (Object) (number(aggregate) + code(value));
            case "untotal" -> number(aggregate) - code(value);
            default -> throw unknown(name);
        };
    }

    static Object join(final String name, final Object left, final Object right) {
        return switch (name) {
            case "pair" -> clip(text(left) + "/" + text(right));
            case "pairSome" -> (code(left) + code(right)) % 3 == 0 ? null : clip(text(left) + "/" + text(right));
            default -> throw unknown(name);
        };
    }
}
