import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EmbeddedSchemaRegistry } from '../../../schemas/registry/embedded.ts';
import type { KafkaLog } from '../../../streams/log/kafka/kafkaLog.ts';
import { openKafkaLog } from '../../streams/log/kafka/support.ts';
import { KafkaUnderTest, kafkaMissing } from '../../support/kafka.ts';

const PROCESSES = 3;
const SUBJECTS = 6;

const schema = (name: string): string =>
  JSON.stringify({ type: 'record', name, namespace: 'test', fields: [] });

describe('the schema registry on the log, on Apache Kafka', { skip: kafkaMissing() }, () => {
  let kafka: KafkaUnderTest;
  const logs: KafkaLog[] = [];
  before(async () => {
    kafka = await KafkaUnderTest.start();
    for (let process = 0; process < PROCESSES; process++) logs.push(await openKafkaLog(kafka));
  });
  after(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await kafka.stop();
  });

  test('has processes that register at the same time agree on the ids', async () => {
    const registries = await Promise.all(logs.map((log) => EmbeddedSchemaRegistry.open(log)));
    const names = Array.from({ length: SUBJECTS }, (_, index) => `S${index}`);
    const ids = await Promise.all(
      registries.map(async (registry, index) => {
        // Each in an order of its own, so that they run into one another.
        const order = [...names.slice(index), ...names.slice(0, index)];
        const own = new Map<string, number>();
        await Promise.all(
          order.map(async (name) => own.set(name, await registry.register(name, schema(name)))),
        );
        return names.map((name) => own.get(name)!);
      }),
    );
    assert.deepEqual(new Set(ids[0]).size, SUBJECTS);
    for (const own of ids) assert.deepEqual(own, ids[0]);
    const later = await EmbeddedSchemaRegistry.open(logs[0]!);
    for (const [index, name] of names.entries()) {
      assert.equal((await later.latest(name))?.id, ids[0]![index]);
      assert.equal(await later.getById(ids[0]![index]!), schema(name));
    }
  });
});
