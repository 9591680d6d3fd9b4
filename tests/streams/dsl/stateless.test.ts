import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type FixedKeyProcessorContext,
  type KeyValueStore,
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
} from '../../../streams/index.ts';
import { Bench, TEXT } from './support.ts';

const RED = ['a', 'red', 1] as const;
const BLUE = ['b', 'blue', 2] as const;

test('filter and filterNot see records without key or value as well', () => {
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream.filter((_key, value) => value === null || value === 'red').to('out');
    stream.filterNot((key) => key === null).to('rest');
  });
  bench.text('in', RED, BLUE, [null, 'red', 3], ['c', null, 4]);
  assert.deepEqual(bench.readText(), [RED, [null, 'red', 3], ['c', null, 4]]);
  assert.deepEqual(bench.readText('rest'), [RED, BLUE, ['c', null, 4]]);
  assert.equal(bench.dropped, 0);
});

test('map, mapValues, selectKey, flatMap and flatMapValues keep time and headers', () => {
  const text = { keySerde: Serdes.string, valueSerde: Serdes.string };
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream.map((key, value) => ({ key: `${value}`, value: `${key}` })).to('mapped', text);
    stream.mapValues((value, key) => `${key}=${value}`).to('values', text);
    stream.selectKey((key, value) => `${key}${value}`).to('keys', text);
    stream
      .flatMap((key, value) => [1, 2].map((n) => ({ key: `${key}${n}`, value: `${value}` })))
      .to('pairs', text);
    stream.flatMapValues((value) => (value ?? '').split('e').filter((part) => part !== '')).to('parts', text);
  });
  const header = { key: 'h', value: Buffer.from('x') };
  bench.driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('a', 'red', 7, [header]);
  assert.deepEqual(bench.readText('mapped'), [['red', 'a', 7]]);
  assert.deepEqual(bench.readText('values'), [['a', 'a=red', 7]]);
  assert.deepEqual(bench.readText('keys'), [['ared', 'red', 7]]);
  assert.deepEqual(bench.readText('pairs'), [
    ['a1', 'red', 7],
    ['a2', 'red', 7],
  ]);
  assert.deepEqual(bench.readText('parts'), [
    ['a', 'r', 7],
    ['a', 'd', 7],
  ]);
  for (const topic of ['mapped', 'values', 'keys', 'pairs', 'parts']) {
    const { headers } = bench.driver.createOutputTopic(topic, Serdes.string, Serdes.string).readRecord();
    assert.deepEqual(headers, [header], topic);
  }
});

test('peek looks without changing, foreach ends the stream', () => {
  const seen: string[] = [];
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream.peek((key, value) => void seen.push(`peek ${key} ${value}`)).to('out');
    stream.foreach((key, value) => void seen.push(`foreach ${key} ${value}`));
  });
  bench.text('in', RED);
  assert.deepEqual(seen, ['peek a red', 'foreach a red']);
  assert.deepEqual(bench.readText(), [RED]);
});

test('split sends a record to the first branch that takes it, and the rest to the default branch', () => {
  const bench = new Bench((builder) => {
    const branches = builder
      .stream('in', TEXT)
      .split({ name: 'colour-' })
      .branch((_key, value) => value === 'red', { name: 'red' })
      .branch((_key, value) => value?.startsWith('r') ?? false)
      .branch((_key, value) => value === 'blue', {
        name: 'blue',
        chain: (branch) => branch.mapValues(() => 'sea'),
      })
      .branch((_key, value) => value === 'green', {
        name: 'green',
        chain: (branch) => {
          branch.to('green');
        },
      })
      .defaultBranch({ name: 'other' });
    assert.deepEqual([...branches.keys()], ['colour-red', 'colour-2', 'colour-blue', 'colour-other']);
    for (const [name, branch] of branches) branch.to(name, { valueSerde: Serdes.string });
  });
  bench.text('in', RED, BLUE, ['c', 'rose', 3], ['d', 'green', 4], ['e', null, 5]);
  assert.deepEqual(bench.readText('colour-red'), [RED]);
  assert.deepEqual(bench.readText('colour-2'), [['c', 'rose', 3]]);
  assert.deepEqual(bench.readText('colour-blue'), [['b', 'sea', 2]]);
  assert.deepEqual(bench.readText('green'), [['d', 'green', 4]]);
  assert.deepEqual(bench.readText('colour-other'), [['e', null, 5]]);
});

test('without a default branch what nobody takes is gone', () => {
  const bench = new Bench((builder) => {
    const branches = builder
      .stream('in', TEXT)
      .split()
      .branch((key) => key === 'a')
      .noDefaultBranch();
    for (const branch of branches.values()) branch.to('out');
  });
  bench.text('in', RED, BLUE);
  assert.deepEqual(bench.readText(), [RED]);
});

test('merge keeps the order in which records are processed, and a stream merged with itself doubles them not', () => {
  const bench = new Bench((builder) => {
    const left = builder.stream('left', TEXT);
    left.merge(builder.stream('right', TEXT)).to('out');
    left.merge(left).to('self');
  });
  bench.text('left', RED);
  bench.text('right', BLUE);
  bench.text('left', ['c', 'c', 3]);
  assert.deepEqual(bench.readText(), [RED, BLUE, ['c', 'c', 3]]);
  assert.deepEqual(bench.readText('self'), [RED, ['c', 'c', 3]]);
});

test('a topic read as two streams and a table has one source', () => {
  const bench = new Bench((builder) => {
    builder.stream('in', TEXT).to('first');
    builder.stream('in', TEXT).to('second');
    builder.table('in', TEXT).toStream().to('third');
    assert.equal([...builder.build().nodes.values()].filter(({ kind }) => kind === 'source').length, 1);
  });
  bench.text('in', RED);
  for (const topic of ['first', 'second', 'third']) assert.deepEqual(bench.readText(topic), [RED]);
});

test('to may choose the topic for each record and the partition by its own rule', () => {
  const bench = new Bench(
    (builder) => {
      const stream = builder.stream('in', TEXT);
      stream.to((_key, value) => `out-${value}`);
      stream.to('out', { partitioner: (_topic, _key, value) => (value === 'red' ? 1 : null) });
    },
    { partitions: { out: 2 } },
  );
  bench.text('in', RED, BLUE);
  assert.deepEqual(bench.readText('out-red'), [RED]);
  assert.deepEqual(bench.readText('out-blue'), [BLUE]);
  assert.equal(bench.driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecord().partition, 1);
});

test('process runs a processor with the stores it names and those it brings', () => {
  const own = Stores.keyValueStore({ name: 'own', keySerde: Serdes.string, valueSerde: Serdes.longNumber });
  const shared = Stores.keyValueStore({
    name: 'shared',
    keySerde: Serdes.string,
    valueSerde: Serdes.longNumber,
  });
  const supplier = {
    stores: () => [own],
    get: () => {
      let context: ProcessorContext<string, string>;
      return {
        init: (given: ProcessorContext<string, string>) => {
          context = given;
        },
        process: ({ key, value, timestamp, headers }: Record<string | null, string | null>) => {
          for (const name of ['own', 'shared']) {
            const store = context.getStateStore<KeyValueStore<string, number>>(name);
            store.put(key ?? '', (store.get(key ?? '') ?? 0) + 1);
          }
          context.forward({ key: `${value}`, value: `${key}`, timestamp, headers });
        },
      };
    },
  };
  const bench = new Bench((builder) => {
    builder.addStateStore(shared);
    builder
      .stream('in', TEXT)
      .process(supplier, { name: 'swap', stores: ['shared'] })
      .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  });
  bench.text('in', RED, RED);
  assert.deepEqual(bench.readText(), [
    ['red', 'a', 1],
    ['red', 'a', 1],
  ]);
  for (const name of ['own', 'shared'])
    assert.equal(bench.driver.getKeyValueStore<string, number>(name).get('a'), 2);
});

test('processValues keeps the key, and a processor that changes it is stopped', () => {
  const supplier = (rename: boolean) => ({
    get: () => {
      let context: FixedKeyProcessorContext<string | null, string>;
      return {
        init: (given: FixedKeyProcessorContext<string | null, string>) => {
          context = given;
        },
        process: (record: Record<string | null, string | null>) =>
          context.forward({ ...record, key: rename ? 'other' : record.key, value: `${record.value}!` }),
      };
    },
  });
  const declare = (rename: boolean): Bench =>
    new Bench((builder) => {
      builder
        .stream('in', TEXT)
        .processValues(supplier(rename), { name: 'shout' })
        .to('out', { valueSerde: Serdes.string });
    });
  const good = declare(false);
  good.text('in', RED);
  assert.deepEqual(good.readText(), [['a', 'red!', 1]]);
  assert.throws(() => declare(true).text('in', RED), { code: 'STREAMS_PROCESSING' });
});

test('nodes without a name get one after Kafka Streams’ manner, and describe shows the parts', () => {
  const bench = new Bench((builder) => {
    builder
      .stream('in', TEXT)
      .filter(() => true)
      .mapValues((value) => value)
      .to('out', { valueSerde: Serdes.string });
    assert.equal(
      builder.build().describe().toString(),
      [
        'Topologies:',
        '  Sub-topology: 0',
        '    Source: KSTREAM-SOURCE-0000000000 (topics: [in])',
        '      --> KSTREAM-FILTER-0000000001',
        '    Processor: KSTREAM-FILTER-0000000001 (stores: [])',
        '      --> KSTREAM-MAPVALUES-0000000002',
        '      <-- KSTREAM-SOURCE-0000000000',
        '    Processor: KSTREAM-MAPVALUES-0000000002 (stores: [])',
        '      --> KSTREAM-SINK-0000000003',
        '      <-- KSTREAM-FILTER-0000000001',
        '    Sink: KSTREAM-SINK-0000000003 (topic: out)',
        '      <-- KSTREAM-MAPVALUES-0000000002',
        '',
      ].join('\n'),
    );
  });
  bench.text('in', RED);
});

test('print ends a stream in lines under its label or the name of the node, in its own format or the one given', () => {
  const lines: string[] = [];
  const bench = new Bench((builder) => {
    const stream = builder.stream('in', TEXT);
    stream.print((line) => lines.push(line));
    stream
      .mapValues((text) => ({ text, long: 2n ** 60n }))
      .print((line) => lines.push(line), { label: 'objects' });
    stream.print((line) => lines.push(line), { name: 'last', format: (key, value) => `${key}=${value}` });
  });
  bench.text('in', ['a', 'x', 1], [null, null, 2]);
  assert.deepEqual(lines, [
    '[KSTREAM-PRINTER-0000000001]: a, x',
    '[objects]: a, {"text":"x","long":"1152921504606846976"}',
    '[last]: a=x',
    '[KSTREAM-PRINTER-0000000001]: null, null',
    '[objects]: null, {"text":null,"long":"1152921504606846976"}',
    '[last]: null=null',
  ]);
});
