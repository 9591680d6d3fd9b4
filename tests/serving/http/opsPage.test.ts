import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Figures, Graph } from '../../../serving/app/ops/model.ts';
import { readConfig } from '../../../serving/config.ts';
import { createLogger } from '../../../serving/log.ts';
import { readInstance } from '../../../serving/ops/instance.ts';
import { openAccess } from '../../../serving/ops/open.ts';
import { RemoteAccess } from '../../../serving/ops/remote.ts';
import { type Running, startEmbedded } from '../../../serving/start.ts';
import { TemporaryDirectory } from '../../support/temporary.ts';

const directory = new TemporaryDirectory();
const config = readConfig({ OPENTAPE_DATA_DIR: directory.path, OPENTAPE_SOURCE: 'none', PORT: '0' });
let running: Running;
let token: string;

before(async () => {
  running = await startEmbedded(
    config,
    createLogger('silent', () => undefined, false),
  );
  token = readInstance(directory.path)!.token;
});
after(async () => {
  await running.close();
  directory.remove();
});

function signIn(body: unknown): Promise<Response> {
  return fetch(`${running.url}/ops/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0]!;
}

/** The first events of each kind that a signed-in page is told. */
async function firstEvents(cookie: string): Promise<{ readonly graph: Graph; readonly figures: Figures }> {
  const abort = new AbortController();
  const response = await fetch(`${running.url}/ops/live`, { headers: { cookie }, signal: abort.signal });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (/event: figures\ndata: .*\n\n/.test(text)) break;
  }
  abort.abort();
  const data = (event: string): unknown =>
    JSON.parse(new RegExp(`event: ${event}\\ndata: (.*)\\n\\n`).exec(text)?.[1] ?? 'null');
  return { graph: data('graph') as Graph, figures: data('figures') as Figures };
}

test('the page itself tells nothing, and runs nothing but what the server hands out', async () => {
  const response = await fetch(`${running.url}/ops`);
  assert.equal(response.status, 200);
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    /default-src 'none'; script-src 'self'/,
  );
  const html = await response.text();
  assert.doesNotMatch(html, /orders\.commands|<script>|style=/);
  assert.equal((await fetch(`${running.url}/ops/live`)).status, 401);
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  assert.equal(
    (await fetch(`${running.url}/ops/live`, bearer)).status,
    401,
    'the page has sign-ins of its own',
  );
});

test('the operator token signs in, by a cookie that no script and no other site can use', async () => {
  const response = await signIn({ token });
  assert.equal(response.status, 204);
  const cookie = response.headers.get('set-cookie') ?? '';
  assert.match(cookie, /; Path=\/ops; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.doesNotMatch(cookie, new RegExp(token));
  const { graph, figures } = await firstEvents(cookieOf(response));
  assert.deepEqual(
    graph.applications,
    running.platform.applications.map(({ applicationId }) => applicationId),
  );
  assert.ok(
    graph.edges.some(({ from, to }) => from === 'topic/orders.commands' && to === 'application/orders'),
  );
  assert.ok(
    graph.edges.some(
      ({ from, to, global }) => from === 'topic/reference.assets' && to === 'application/orders' && global,
    ),
  );
  const orders = figures.applications.find(({ id }) => id === 'orders')!;
  assert.deepEqual([orders.state, orders.tasks.length > 4, orders.openDeadLetters], ['running', true, 0]);
  assert.equal(orders.stores.find(({ name }) => name === 'accounts')?.entries, 1, 'the demo account');
  assert.ok(figures.topics.some(({ name, records }) => name === 'orders.commands' && records === 1));
  assert.equal(figures.ready, true);
  const cookies = { cookie: cookieOf(response) };
  assert.equal(
    (await fetch(`${running.url}/ops/topics`, { headers: cookies })).status,
    401,
    'it opens no other route',
  );
  await fetch(`${running.url}/ops/session`, { method: 'DELETE', headers: cookies });
  assert.equal((await fetch(`${running.url}/ops/live`, { headers: cookies })).status, 401);
});

test('a code of opentape ops signs in once', async () => {
  const access = await openAccess(config);
  assert.ok(access instanceof RemoteAccess);
  const code = /#code=(.+)$/.exec(await access.pageUrl())![1]!;
  const response = await signIn({ code });
  assert.equal(response.status, 204);
  await firstEvents(cookieOf(response));
  const again = await signIn({ code });
  assert.equal(again.status, 401);
  assert.match(await again.text(), /the code was used or has expired/);
});

test('whoever guesses is turned away after a few times, even with the right token then', async () => {
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1)
    statuses.push((await signIn(attempt % 2 === 0 ? { token: `guess-${attempt}` } : { nonsense: 1 })).status);
  assert.deepEqual([...new Set(statuses)], [401, 429]);
  assert.equal((await signIn({ token })).status, 429);
});
