import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../serving/config.ts';
import { ServingError } from '../../serving/errors.ts';

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    assert.ok(error instanceof ServingError);
    assert.equal(error.code, 'SERVING_CONFIG');
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  throw new Error('the settings were taken');
}

test('without settings it binds loopback on 8080 and simulates a dozen symbols', () => {
  const config = readConfig({ PATH: '/usr/bin' });
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.port, 8080);
  assert.deepEqual(config.source, { kind: 'simulator', seed: 1, symbols: 12, quotesPerSecond: null });
});

test('names the setting and the value that is wrong', () => {
  assert.match(refusal({ PORT: 'eighty' }), /^PORT: "eighty" is not valid/);
  assert.match(refusal({ PORT: '70000' }), /^PORT/);
  assert.match(refusal({ OPENTAPE_SOURCE: 'csv' }), /^OPENTAPE_SOURCE: "csv"/);
});

test('suggests the setting a misspelt one was meant for', () => {
  assert.match(refusal({ OPENTAPE_DATADIR: '/tmp/x' }), /did you mean OPENTAPE_DATA_DIR\?/);
});

test('never shows a secret', () => {
  assert.doesNotMatch(
    refusal({ OPENTAPE_DEMO_KEY: 'DEMO-KEY-1', OPENTAPE_DEMO_SECRET: 'hunter2' }),
    /hunter2/,
  );
});

test('asks for key and secret together, and for the folder of a Lean replay', () => {
  assert.match(refusal({ OPENTAPE_DEMO_KEY: 'DEMO-KEY-1' }), /set both or neither/);
  assert.match(refusal({ OPENTAPE_SOURCE: 'lean' }), /OPENTAPE_LEAN_DIR/);
});

test('a Lean replay keeps exchange hours unless told otherwise', () => {
  const config = readConfig({
    OPENTAPE_SOURCE: 'lean',
    OPENTAPE_LEAN_DIR: 'data',
    OPENTAPE_LEAN_SPEED: 'max',
  });
  assert.equal(config.session, 'us-equities');
  assert.ok(config.source.kind === 'lean' && config.source.speed === 'max');
});

test('says what would be right, in words', () => {
  assert.match(refusal({ PORT: 'eighty' }), /; a whole number from 0 to 65535 is expected$/);
  assert.match(refusal({ OPENTAPE_SIMULATOR_SYMBOLS: '0' }), /; a whole number .*, or tickers in capitals/);
  assert.match(refusal({ OPENTAPE_LEAN_SPEED: 'fast' }), /; max, or a number above 0 .* is expected$/);
  assert.match(
    refusal({ OPENTAPE_LOG_LEVEL: 'loud' }),
    /; one of debug, info, warn, error, silent is expected$/,
  );
  assert.match(refusal({ SCHEMA_REGISTRY_URL: 'ftp://x' }), /; an http or https URL is expected$/);
  assert.doesNotMatch(refusal({ SCHEMA_REGISTRY_URL: 'ftp://reader:hunter2@x' }), /hunter2/);
});

test('refuses a key or secret that no header could carry, and takes a pass phrase', () => {
  const demo = (key: string, secret: string) => ({ OPENTAPE_DEMO_KEY: key, OPENTAPE_DEMO_SECRET: secret });
  assert.match(refusal(demo('schlüssel', 'a-long-enough-secret')), /OPENTAPE_DEMO_KEY: .* printable ASCII/);
  assert.match(refusal(demo('DEMO-KEY-1', 'a-long-enough-secret ')), /OPENTAPE_DEMO_SECRET: .* no space at/);
  const { demo: taken } = readConfig(demo('DEMO-KEY-1', 'a pass phrase of words'));
  assert.equal(taken?.secret, 'a pass phrase of words');
});

const KAFKA = {
  OPENTAPE_ENGINE: 'kafka',
  KAFKA_BROKERS: 'one:9092, two:9092',
  OPENTAPE_CLUSTER_SECRET: 'known-to-all-our-processes',
  OPENTAPE_DEMO_KEY: 'DEMO-KEY-1',
  OPENTAPE_DEMO_SECRET: 'choose-a-long-secret',
};

test('on Kafka a process does everything but the market source, unless it is told its roles', () => {
  const { engine, roles } = readConfig(KAFKA);
  assert.ok(engine.kind === 'kafka');
  assert.deepEqual(engine.brokers, ['one:9092', 'two:9092']);
  assert.deepEqual(engine.security, {});
  assert.ok(roles.serving && !roles.source && roles.applications.includes('matching'));
  const some = readConfig({ ...KAFKA, OPENTAPE_ROLES: 'source,orders' }).roles;
  assert.deepEqual(some, { serving: false, source: true, applications: ['orders'] });
  assert.deepEqual(readConfig({}).roles.source, true);
});

test('on Kafka what all processes share must be set, and secrets are not shown', () => {
  const without = (name: string): string => refusal({ ...KAFKA, [name]: '' });
  assert.match(without('KAFKA_BROKERS'), /needs KAFKA_BROKERS/);
  assert.match(without('OPENTAPE_CLUSTER_SECRET'), /needs OPENTAPE_CLUSTER_SECRET/);
  assert.match(
    refusal({ ...KAFKA, OPENTAPE_DEMO_KEY: '', OPENTAPE_DEMO_SECRET: '' }),
    /needs OPENTAPE_DEMO_KEY and OPENTAPE_DEMO_SECRET/,
  );
  assert.doesNotMatch(refusal({ ...KAFKA, OPENTAPE_CLUSTER_SECRET: 'too short' }), /too short/);
  assert.match(refusal({ ...KAFKA, KAFKA_SASL_USERNAME: 'me' }), /go together/);
  assert.match(refusal({ ...KAFKA, KAFKA_TLS_CA_FILE: '/nowhere' }), /needs KAFKA_TLS=on/);
  assert.match(refusal({ ...KAFKA, KAFKA_TLS: 'on', KAFKA_TLS_CA_FILE: '/nowhere' }), /cannot be read/);
  assert.match(refusal({ ...KAFKA, OPENTAPE_ROLES: 'trading' }), /"trading" is no role; name some of all, /);
  assert.match(refusal({ KAFKA_BROKERS: 'one:9092' }), /set OPENTAPE_ENGINE=kafka/);
  assert.match(refusal({ OPENTAPE_ROLES: 'serving' }), /one process does everything/);
});

test('on Kafka TLS and a login are passed on', () => {
  const { engine } = readConfig({
    ...KAFKA,
    KAFKA_TLS: 'on',
    KAFKA_SASL_USERNAME: 'me',
    KAFKA_SASL_PASSWORD: 'mine',
    OPENTAPE_ADVERTISED_URL: 'http://10.0.0.5:8080/',
  });
  assert.ok(engine.kind === 'kafka');
  assert.deepEqual(engine.security, {
    tls: {},
    sasl: { mechanism: 'scram-sha-512', username: 'me', password: 'mine' },
  });
  assert.equal(engine.advertisedUrl, 'http://10.0.0.5:8080');
});
