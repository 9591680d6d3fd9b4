import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '../../../schemas/ids.ts';
import { DEMO_ACCOUNT_ID } from '../../../serving/platform.ts';
import { numberedUuid } from '../../support/commands.ts';
import { KEY, RestExchange, SECRET } from './exchange.ts';

const UNAUTHORIZED = { code: 40110000, message: 'request is not authorized' };

test('only who has a key and its secret gets in, by headers, Basic or a session', () =>
  RestExchange.run(async (exchange) => {
    const as = (headers: Record<string, string>) => exchange.call('GET', '/v2/account', undefined, headers);
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    assert.equal((await as({ 'apca-api-key-id': KEY, 'apca-api-secret-key': SECRET })).status, 200);
    assert.equal((await as(basic(`${KEY}:${SECRET}`))).status, 200);
    const wrong: readonly Record<string, string>[] = [
      {},
      { 'apca-api-key-id': KEY },
      { 'apca-api-key-id': KEY, 'apca-api-secret-key': `${SECRET}x` },
      { 'apca-api-key-id': 'NOBODY', 'apca-api-secret-key': SECRET },
      basic(KEY),
      basic(`${KEY}:wrong`),
      { authorization: 'Bearer nonsense' },
      { authorization: 'Bearer' },
      { authorization: 'Magic x' },
    ];
    for (const headers of wrong) {
      const { status, body } = await as(headers);
      assert.deepEqual([status, body], [401, UNAUTHORIZED], JSON.stringify(headers));
    }
  }));

test('a session stands for its account for an hour', () =>
  RestExchange.run(async (exchange) => {
    const open = (body: unknown) => exchange.call('POST', '/app/session', body, {});
    assert.deepEqual((await open({ key: KEY, secret: 'wrong' })).body, UNAUTHORIZED);
    for (const body of [{ key: KEY }, {}, [], { key: KEY, secret: 7 }])
      assert.equal((await open(body)).status, 422, JSON.stringify(body));
    const { status, body, headers } = await open({ key: KEY, secret: SECRET });
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(body.expires_at, new Date(exchange.nowMs + 3_600_000).toISOString());
    const bearer = { authorization: `Bearer ${body.token}` };
    assert.equal((await exchange.call('GET', '/v2/account', undefined, bearer)).status, 200);
    exchange.advance(3_600_000);
    assert.equal((await exchange.call('GET', '/v2/account', undefined, bearer)).status, 401);
  }));

test('more requests a minute than allowed are turned away until the next', () =>
  RestExchange.run(
    async (exchange) => {
      for (const left of ['2', '1', '0']) {
        const { status, headers } = await exchange.call('GET', '/v2/clock');
        assert.equal(status, 200);
        assert.equal(headers['x-ratelimit-limit'], '3');
        assert.equal(headers['x-ratelimit-remaining'], left);
      }
      const { status, body, headers } = await exchange.call('GET', '/v2/clock');
      assert.deepEqual([status, body], [429, { code: 42910000, message: 'rate limit exceeded' }]);
      assert.equal(headers['retry-after'], '60');
      exchange.advance(60_000);
      assert.equal((await exchange.call('GET', '/v2/clock')).status, 200);
    },
    { rateLimitPerMinute: 3 },
  ));

test('an account has one allowance for its key and its sessions, and takes none of another account', () =>
  RestExchange.run(
    async (exchange) => {
      const { credentials } = exchange.context;
      const use = async (token?: string) =>
        (
          await exchange.call(
            'GET',
            '/v2/clock',
            undefined,
            token === undefined ? undefined : { authorization: `Bearer ${token}` },
          )
        ).status;
      const own = credentials.openSession(DEMO_ACCOUNT_ID).token;
      const other = credentials.openSession(numberedUuid(9, 1) as AccountId).token;
      assert.deepEqual([await use(), await use(own), await use(own), await use()], [200, 200, 429, 429]);
      assert.equal(await use(other), 200);
    },
    { rateLimitPerMinute: 2 },
  ));

test('guessing secrets is limited by address', () =>
  RestExchange.run(
    async (exchange) => {
      const guess = () =>
        exchange.call('POST', '/app/session', { key: KEY, secret: 'a guess at the secret' }, {});
      for (let index = 0; index < 5; index += 1) assert.equal((await guess()).status, 401);
      assert.equal((await guess()).status, 429);
    },
    { rateLimitPerMinute: 5 },
  ));

test('after sixty wrong keys an address has none checked for the rest of the minute but those that were right before', () =>
  RestExchange.run(async (exchange) => {
    const as = (secret: string, remoteAddress = '127.0.0.1', keyId = KEY) =>
      exchange.server.inject({
        method: 'GET',
        url: '/v2/clock',
        remoteAddress,
        headers: { 'apca-api-key-id': keyId, 'apca-api-secret-key': secret },
      });
    assert.equal((await as(SECRET)).statusCode, 200);
    for (const address of ['127.0.0.1', '127.0.0.2'])
      for (let guess = 0; guess < 60; guess += 1)
        assert.equal((await as(`guess ${guess}`, address, guess % 2 ? KEY : 'NOBODY')).statusCode, 401);
    const refused = await as('guess 61');
    assert.deepEqual(
      [refused.statusCode, refused.json(), refused.headers['retry-after']],
      [429, { code: 42910000, message: 'too many wrong keys from this address' }, '60'],
    );
    // A right guess is told by nothing from a wrong one; the key that was used from an address before goes on there.
    assert.equal((await as(SECRET, '127.0.0.2')).statusCode, 429);
    assert.equal((await as(SECRET)).statusCode, 200);
    assert.equal((await as(SECRET, '127.0.0.3')).statusCode, 200);
    exchange.advance(60_000);
    assert.equal((await as('guess 62')).statusCode, 401);
    assert.equal((await as(SECRET, '127.0.0.2')).statusCode, 200);
  }));

test('every error has a code and a message, and every answer its id and careful headers', () =>
  RestExchange.run(async (exchange) => {
    const nowhere = await exchange.call('GET', '/v2/nowhere');
    assert.deepEqual(
      [nowhere.status, nowhere.body],
      [404, { code: 40410000, message: 'endpoint not found' }],
    );
    const method = await exchange.call('PUT', '/v2/orders', {});
    assert.equal(method.status, 404);
    assert.equal(method.body.code, 40410000);
    const path = await exchange.call('GET', '/v2/orders/%');
    assert.deepEqual([path.status, path.body], [400, { code: 40010000, message: 'request is malformed' }]);
    for (const { headers } of [nowhere, await exchange.call('GET', '/health')]) {
      assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
    const foreign = await exchange.call('GET', '/health', undefined, { origin: 'https://example.com' });
    assert.equal(foreign.headers['access-control-allow-origin'], undefined);
  }));

test('pages keep the content policy they need', () =>
  RestExchange.run(async (exchange) => {
    for (const url of ['/', '/docs/']) {
      const { statusCode, headers } = await exchange.server.inject(url);
      assert.equal(statusCode, 200);
      assert.match(String(headers['content-security-policy']), /script-src 'self'/, url);
      assert.doesNotMatch(String(headers['content-security-policy']), /upgrade-insecure-requests/, url);
    }
  }));

test('a log that takes nothing is told as such, not as a time-out', () =>
  RestExchange.run(async (exchange) => {
    await exchange.platform.producer.close();
    const { status, body } = await exchange.order();
    assert.equal(status, 503);
    assert.equal(body.code, 50310000);
  }));

test('the metrics show requests by route, the log, the applications and the process', () =>
  RestExchange.run(async (exchange) => {
    await exchange.order({ client_order_id: 'secret-name' });
    await exchange.call('GET', '/v2/orders/00000000-0000-4000-8000-000000000000');
    const response = await exchange.server.inject('/metrics');
    assert.equal(response.statusCode, 200);
    assert.match(String(response.headers['content-type']), /^text\/plain/);
    const text = response.payload;
    const route = (labels: string) => `opentape_http_request_duration_seconds_count{${labels}} 1`;
    assert.ok(text.includes(route('method="POST",route="/v2/orders",status="200"')), text);
    assert.ok(text.includes(route('method="GET",route="/v2/orders/:id",status="404"')), text);
    assert.match(text, /^opentape_log_commits_total [1-9]/m);
    assert.match(text, /^opentape_log_commit_duration_seconds_bucket\{le="\+Inf"\} [1-9]/m);
    assert.match(text, /^kafka_streams_process_total\{application="orders",task="0_\d"\} \d/m);
    assert.match(text, /^# TYPE kafka_streams_task_count gauge/m);
    assert.match(text, /^process_resident_memory_bytes/m);
    const again = (await exchange.server.inject('/metrics')).payload;
    assert.equal(
      again.match(/^opentape_log_commits_total (\d+)/m)![1],
      text.match(/^opentape_log_commits_total (\d+)/m)![1],
    );
  }));

test('the API describes itself from the schemas that check it', () =>
  RestExchange.run(async (exchange) => {
    const { status, body } = await exchange.call('GET', '/docs/json', undefined, {});
    assert.equal(status, 200);
    const paths = body.paths as Record<
      string,
      Record<string, { parameters?: unknown; requestBody?: unknown }>
    >;
    for (const path of ['/v2/account', '/v2/orders/{id}', '/v2/orders:by_client_order_id', '/v2/stocks/bars'])
      assert.ok(path in paths, `${path} in ${Object.keys(paths).join(' ')}`);
    assert.match(JSON.stringify(paths['/v2/orders']!.post!.requestBody), /"limit_price"/);
    assert.match(JSON.stringify(paths['/v2/orders']!.get!.parameters), /"before_order_id"/);
    const page = await exchange.server.inject('/docs/');
    assert.equal(page.statusCode, 200);
    assert.match(page.payload, /swagger/i);
  }));
