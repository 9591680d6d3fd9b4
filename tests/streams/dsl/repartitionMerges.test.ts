import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KStream, Serdes, StreamsBuilder, TopologyTestDriver } from '../../../streams/index.ts';
import { TEXT } from './support.ts';

const SEED = 20_261_126;
const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };
const OTHER_TEXTS = { keySerde: { ...Serdes.string }, valueSerde: Serdes.string };

type Texts = KStream<string, string | null>;

function declare(merge: boolean, more: (byValue: Texts, builder: StreamsBuilder) => void): StreamsBuilder {
  const builder = new StreamsBuilder({ mergeRepartitionTopics: merge });
  more(
    builder.stream('in', TEXT).selectKey((_key, value) => value ?? 'none'),
    builder,
  );
  return builder;
}

function topicsOf(merge: boolean, more: (byValue: Texts, builder: StreamsBuilder) => void): string[] {
  return [...declare(merge, more).build().internalTopics.keys()];
}

function count(stream: Texts, name: string): void {
  stream.groupByKey(TEXTS).count({ name }).toStream().to(name);
}

const long = (_key: string, value: string | null): boolean => (value ?? '').length > 1;

test('operators of one stream share a topic over filters between, and apart from that have one each', () => {
  const direct = (byValue: Texts): void => {
    count(byValue, 'one');
    count(byValue.filter(long), 'two');
    count(
      byValue.filterNot(long).filter(() => true),
      'three',
    );
  };
  assert.deepEqual(topicsOf(true, direct), ['one-repartition']);
  assert.deepEqual(topicsOf(false, direct), ['one-repartition', 'two-repartition', 'three-repartition']);
});

test('the shared topic has the name of the first, behind a filter too, and each filter stands behind it', () => {
  const builder = declare(true, (byValue) => {
    count(byValue.filter(long, { name: 'long' }), 'one');
    count(byValue.filterNot(long, { name: 'short' }), 'two');
  });
  const topology = builder.build();
  assert.deepEqual([...topology.internalTopics.keys()], ['one-repartition']);
  const parents = (name: string) => {
    const node = topology.nodes.get(name);
    return node === undefined || node.kind === 'source' ? [] : node.parents;
  };
  assert.deepEqual(parents('long'), ['one-repartition-source']);
  assert.deepEqual(parents('short'), ['one-repartition-source']);
  assert.deepEqual(parents('one'), ['long']);
  assert.deepEqual(parents('two'), ['short']);
  assert.equal(builder.build().describe().toString(), topology.describe().toString());
});

test('topics stay apart where others read a filter, where values change between, and where serdes differ', () => {
  const each = ['one-repartition', 'two-repartition'];
  const apart: readonly ((byValue: Texts) => Texts)[] = [
    (byValue) => {
      const filtered = byValue.filter(long);
      filtered.to('out', TEXTS);
      return filtered;
    },
    (byValue) => {
      const filtered = byValue.filter(long);
      filtered.foreach(() => {});
      return filtered;
    },
    (byValue) => byValue.mapValues((value) => value),
  ];
  for (const behind of apart) {
    const topics = topicsOf(true, (byValue) => {
      count(byValue, 'one');
      count(behind(byValue), 'two');
    });
    assert.deepEqual(topics, each);
  }
  const differentSerdes = topicsOf(true, (byValue) => {
    count(byValue, 'one');
    byValue.filter(long).groupByKey(OTHER_TEXTS).count({ name: 'two' });
  });
  assert.deepEqual(differentSerdes, each);
});

test('a shared topic is partitioned as the table is that one of its readers joins', () => {
  const joined = declare(true, (byValue, own) => {
    count(byValue, 'one');
    byValue
      .filter(long)
      .join(own.table('rows', TEXT, { name: 'rows' }), (value, row) => `${value}/${row}`, {
        name: 'joined',
        ...TEXTS,
      })
      .to('joined', TEXTS);
  });
  const driver = new TopologyTestDriver(
    { applicationId: 'app', topology: joined.build() },
    { partitions: { in: 2, rows: 5 } },
  );
  const rows = driver.createInputTopic('rows', Serdes.string, Serdes.string);
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  for (const word of ['aa', 'bb', 'cc', 'dd', 'ee']) {
    rows.pipeInput(word, word.toUpperCase(), 1, []);
    input.pipeInput('k', word, 2, []);
  }
  const pairs = driver.createOutputTopic('joined', Serdes.string, Serdes.string).readKeyValuesToList();
  assert.deepEqual(pairs.map(([, pair]) => pair).sort(), ['aa/AA', 'bb/BB', 'cc/CC', 'dd/DD', 'ee/EE']);
});

test('a shared topic holds records without key where any of its readers joins them', () => {
  const builder = new StreamsBuilder({ mergeRepartitionTopics: true });
  const noKey = builder.stream('in', TEXT).selectKey((key) => key);
  noKey.groupByKey(TEXTS).count({ name: 'one' });
  noKey
    .filter(() => true)
    .leftJoin(builder.table('rows', TEXT, { name: 'rows' }), (value, row) => `${value}/${row}`, {
      name: 'joined',
      ...TEXTS,
    })
    .to('out', TEXTS);
  const driver = new TopologyTestDriver({ applicationId: 'app', topology: builder.build() });
  driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput(null, 'x', 1, []);
  const out = driver.createOutputTopic('out', Serdes.string, Serdes.string).readKeyValuesToList();
  assert.deepEqual(out, [[null, 'x/null']]);
});

/** What filters let pass, by their place in a way. */
const PASS: readonly ((key: string, value: string | null) => boolean)[] = [
  long,
  (key) => key < 'c',
  (_key, value) => value !== 'bb',
];

const WAYS = fc.array(
  fc.record({
    filters: fc.array(fc.nat({ max: PASS.length - 1 }), { maxLength: 2 }),
    alsoWritten: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);
const WORDS = fc.array(fc.constantFrom('a', 'aa', 'b', 'bb', 'c', 'dd'), { maxLength: 20 });

interface DrawnWay {
  readonly filters: readonly number[];
  readonly alsoWritten: boolean;
}

/** Every result by topic and key, in order. */
function results(merge: boolean, ways: readonly DrawnWay[], words: readonly string[]) {
  const builder = declare(merge, (byValue) => {
    ways.forEach(({ filters, alsoWritten }, at) => {
      const stream = filters.reduce((from, which) => from.filter(PASS[which]!), byValue);
      if (alsoWritten) stream.to(`written-${at}`, TEXTS);
      count(stream, `count-${at}`);
    });
  });
  const topology = builder.build();
  const driver = new TopologyTestDriver({ applicationId: 'app', topology }, { partitions: { in: 2 } });
  const input = driver.createInputTopic('in', Serdes.string, Serdes.string);
  words.forEach((word, at) => {
    input.pipeInput(`k${at}`, word, at, []);
  });
  const found = new Map<string, unknown[]>();
  for (const topic of ways.flatMap((_way, at) => [`count-${at}`, `written-${at}`]))
    for (const { key, value } of driver
      .createOutputTopic(topic, Serdes.string, Serdes.bytes)
      .readRecordsToList()) {
      const place = `${topic} ${key}`;
      found.set(place, [...(found.get(place) ?? []), value?.toString('hex')]);
    }
  return { found, topics: topology.internalTopics.size };
}

test('whichever operators share topics, each key comes to the same', () => {
  let saved = 0;
  fc.assert(
    fc.property(WAYS, WORDS, (ways, words) => {
      const [merged, apart] = [results(true, ways, words), results(false, ways, words)];
      assert.deepEqual(merged.found, apart.found);
      assert.ok(merged.topics <= apart.topics);
      saved += apart.topics - merged.topics;
    }),
    { seed: SEED, numRuns: 60 },
  );
  assert.ok(saved > 30, `${saved} topics less`);
});
