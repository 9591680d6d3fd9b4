import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ProcessorContext,
  type Record,
  Serdes,
  Stores,
  StreamsBuilder,
  StreamsError,
  Topology,
  TopologyTestDriver,
} from '../../../streams/index.ts';

const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };
const idle = { get: () => ({ process: () => {} }) };
const storeOf = (name: string) => Stores.keyValueStore({ name, ...TEXTS });

function sample(): Topology {
  return new Topology()
    .addSource('a', 'topic-a', TEXTS)
    .addSource('b', ['topic-b', 'topic-c'], TEXTS)
    .addSource('c', 'topic-d', TEXTS)
    .addProcessor('one', idle, 'a')
    .addProcessor('two', idle, 'b')
    .addProcessor('three', idle, 'c')
    .addStateStore(storeOf('shared'), 'one', 'two')
    .addSink('end', 'topic-out', TEXTS, 'three')
    .addSink('anywhere', (_key, value: string) => value, TEXTS, 'three')
    .addGlobalStore(storeOf('everywhere'), 'g', 'topic-g', TEXTS, 'fill', idle);
}

test('nodes linked by parents or by a store make a sub-topology, numbered as they were added', () => {
  const parts = sample()
    .subtopologies()
    .map(({ id, nodes, topics, stores }) => [
      id,
      nodes.map(({ name }) => name),
      topics,
      stores.map(({ name }) => name),
    ]);
  assert.deepEqual(parts, [
    [0, ['a', 'b', 'one', 'two'], ['topic-a', 'topic-b', 'topic-c'], ['shared']],
    [1, ['c', 'three', 'end', 'anywhere'], ['topic-d'], []],
  ]);
});

test('describe writes a topology as Kafka Streams does, and as a diagram', () => {
  const description = sample().describe();
  assert.equal(
    description.toString(),
    `Topologies:
  Sub-topology: 0
    Source: a (topics: [topic-a])
      --> one
    Source: b (topics: [topic-b, topic-c])
      --> two
    Processor: one (stores: [shared])
      --> none
      <-- a
    Processor: two (stores: [shared])
      --> none
      <-- b

  Sub-topology: 1
    Source: c (topics: [topic-d])
      --> three
    Processor: three (stores: [])
      --> end, anywhere
      <-- c
    Sink: end (topic: topic-out)
      <-- three
    Sink: anywhere (topic: (chosen for each record))
      <-- three

  Sub-topology: 2 for global store (will not generate tasks)
    Source: g (topics: [topic-g])
      --> fill
    Processor: fill (stores: [everywhere])
      --> none
      <-- g
`,
  );
  assert.equal(
    description.toMermaid(),
    `flowchart LR
  subgraph part0["Sub-topology 0"]
    n0("a")
    n1("b")
    n2("one")
    n3("two")
    n4[("shared")]
    n0 --> n2
    n1 --> n3
    n2 --- n4
    n3 --- n4
  end
  subgraph part1["Sub-topology 1"]
    n5("c")
    n6("three")
    n7("end")
    n8("anywhere")
    n5 --> n6
    n6 --> n7
    n6 --> n8
  end
  subgraph part2["Global store everywhere"]
    n9("g")
    n10("fill")
    n11[("everywhere")]
    n9 --> n10
    n10 --- n11
  end
  n12[/"topic-a"/]
  n13[/"topic-b"/]
  n14[/"topic-c"/]
  n15[/"topic-d"/]
  n16[/"topic-out"/]
  n17[/"(chosen for each record)"/]
  n18[/"topic-g"/]
  n12 --> n0
  n13 --> n1
  n14 --> n1
  n15 --> n5
  n7 --> n16
  n8 --> n17
  n18 --> n9`,
  );
});

test('a diagram marks repartition topics, and no name breaks it', () => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', TEXTS)
    .selectKey((key) => key, { name: 'by "value" & <`#1`>' })
    .groupByKey(TEXTS)
    .count({ name: 'counts' });
  assert.equal(
    builder.build().describe().toMermaid(),
    `flowchart LR
  subgraph part0["Sub-topology 0"]
    n0("KSTREAM-SOURCE-0000000000")
    n1("by #quot;value#quot; #amp; #lt;#96;#35;1#96;#gt;")
    n2("counts-repartition-sink")
    n0 --> n1
    n1 --> n2
  end
  subgraph part1["Sub-topology 1"]
    n3("counts-repartition-source")
    n4("counts")
    n5[("counts")]
    n3 --> n4
    n4 --- n5
  end
  n6[/"in"/]
  n7[/"counts-repartition<br/>repartition topic"/]:::repartition
  n6 --> n0
  n2 --> n7
  n7 --> n3
  classDef repartition stroke-dasharray:5 3`,
  );
});

test('what makes no sense is refused by the name of the node', () => {
  const cases: readonly (readonly [RegExp, (topology: Topology) => unknown])[] = [
    [/there is a node a already/, (t) => t.addSource('a', 'x', TEXTS).addSource('a', 'y', TEXTS)],
    [/a node needs a name/, (t) => t.addSource('', 'x', TEXTS)],
    [/source a reads no topic/, (t) => t.addSource('a', [], TEXTS)],
    [/source a: '' is no name for a topic; give 1 to 249 letters/, (t) => t.addSource('a', ['x', ''], TEXTS)],
    [/sink s: 'a b' is no name/, (t) => t.addSource('a', 'x', TEXTS).addSink('s', 'a b', TEXTS, 'a')],
    [/a topic of the application: 'of\/a-repartition' is no/, (t) => t.addInternalTopic('of/a-repartition')],
    [/a store, which names its changelog: 'my store' is no/, (t) => t.addStateStore(storeOf('my store'))],
    [/topic x is read by a and by b/, (t) => t.addSource('a', 'x', TEXTS).addSource('b', 'x', TEXTS)],
    [/node a has no serde for its value/, (t) => t.addSource('a', 'x', { keySerde: Serdes.string } as never)],
    [/node a has no serde for its key/, (t) => t.addSource('a', 'x', undefined as never)],
    [/source a reads the object given; pass the name/, (t) => t.addSource('a', {} as never, TEXTS)],
    [/source a reads a topic twice/, (t) => t.addSource('a', ['x', 'x'], TEXTS)],
    [
      /source a: its offsetReset is 'none'/,
      (t) => t.addSource('a', 'x', { ...TEXTS, offsetReset: 'none' as never }),
    ],
    [/processor p needs what makes its processor/, (t) => t.addProcessor('p', undefined as never, 'a')],
    [
      /sink s: its partitioner is 5/,
      (t) => t.addSource('a', 'x', TEXTS).addSink('s', 'y', { ...TEXTS, partitioner: 5 as never }, 'a'),
    ],
    [/sink s needs a topic/, (t) => t.addSource('a', 'x', TEXTS).addSink('s', 5 as never, TEXTS, 'a')],
    [/node s has no serde for its key/, (t) => t.addSink('s', 'y', undefined as never, 'a')],
    [/node p has no parent/, (t) => t.addProcessor('p', idle)],
    [/node p names the parent q, which is not there/, (t) => t.addProcessor('p', idle, 'q')],
    [
      /names the sink s as parent/,
      (t) => t.addSource('a', 'x', TEXTS).addSink('s', 'y', TEXTS, 'a').addProcessor('p', idle, 's'),
    ],
    [/there is a store s already/, (t) => t.addStateStore(storeOf('s')).addStateStore(storeOf('s'))],
    [
      /processor p asks for the store s, which is not there/,
      (t) =>
        t.addSource('a', 'x', TEXTS).addProcessor('p', idle, 'a').connectProcessorAndStateStores('p', 's'),
    ],
    [
      /s cannot be connected to a, which is no processor/,
      (t) => t.addSource('a', 'x', TEXTS).addStateStore(storeOf('s'), 'a'),
    ],
    [/store s is connected to no processor/, (t) => t.addStateStore(storeOf('s')).subtopologies()],
  ];
  for (const [message, build] of cases) {
    assert.throws(
      () => build(new Topology()),
      (error) =>
        error instanceof StreamsError && error.code === 'STREAMS_TOPOLOGY' && message.test(error.message),
      String(message),
    );
  }
});

function forwardingTo(child: string | undefined, store?: string): Topology {
  const supplier = {
    get: () => {
      let context: ProcessorContext<string, string>;
      return {
        init: (given: ProcessorContext<string, string>) => {
          context = given;
          if (store !== undefined) given.getStateStore(store);
        },
        process: (record: Record<string, string>) => context.forward(record, child),
      };
    },
  };
  return new Topology()
    .addSource('source', 'in', TEXTS)
    .addProcessor('p', supplier, 'source')
    .addProcessor('q', idle, 'source')
    .addStateStore(storeOf('of-q'), 'q')
    .addSink('left', 'left', TEXTS, 'p')
    .addSink('right', 'right', TEXTS, 'p');
}

test('a processor forwards to all children, or to the one it names', () => {
  const sizes = (child: string | undefined): number[] => {
    const driver = new TopologyTestDriver({ applicationId: 'app', topology: forwardingTo(child) });
    driver.createInputTopic('in', Serdes.string, Serdes.string).pipeInput('k', 'v');
    return ['left', 'right'].map(
      (topic) => driver.createOutputTopic(topic, Serdes.string, Serdes.string).queueSize,
    );
  };
  assert.deepEqual(sizes(undefined), [1, 1]);
  assert.deepEqual(sizes('right'), [0, 1]);
  assert.throws(
    () => sizes('nobody'),
    (error: Error) =>
      /forwards to nobody, which is no child of it; its children: left, right/.test(
        (error.cause as Error).message,
      ),
  );
});

test('a processor is given only stores it is connected to, and the error names both', () => {
  const start = (store: string) => () =>
    new TopologyTestDriver({ applicationId: 'app', topology: forwardingTo(undefined, store) });
  assert.throws(start('of-q'), {
    code: 'STREAMS_UNKNOWN_STORE',
    message: /processor p of app asks for the store of-q, which is not connected/,
  });
  assert.throws(start('none'), {
    code: 'STREAMS_UNKNOWN_STORE',
    message: /asks for the store none, which does not exist/,
  });
});
