import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../support/sources.ts';
import { RestExchange } from './exchange.ts';

const APP = join(ROOT, 'serving/app');

/** Every file of the page that a browser may ask for, as it is named in the address. */
function files(): string[] {
  return readdirSync(APP, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|html|css|svg)$/.test(name))
    .map((name) => `/${name.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`);
}

test('serves the page and each of its files under a policy that lets nothing else run', () =>
  RestExchange.run(async ({ server }) => {
    for (const url of ['/', '/vendor/socket.io.msgpack.min.js', ...files()]) {
      const { statusCode, headers } = await server.inject({ url });
      assert.equal(statusCode, 200, url);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/, url);
      assert.doesNotMatch(policy, /unsafe|\*|https:/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    const unknown = await server.inject({ url: '/tsconfig.json' });
    assert.deepEqual([unknown.statusCode, unknown.json().code], [404, 40410000]);
  }));

test('a file that has not changed is not sent again', () =>
  RestExchange.run(async ({ server }) => {
    const first = await server.inject({ url: '/main.js' });
    assert.equal(first.headers['cache-control'], 'no-cache');
    const again = await server.inject({
      url: '/main.js',
      headers: { 'if-none-match': String(first.headers.etag) },
    });
    assert.equal(again.statusCode, 304);
  }));

test('lists what can be traded to everybody, with the close before', () =>
  RestExchange.run(async (exchange) => {
    const { status, list } = await exchange.call('GET', '/app/markets', undefined, {});
    assert.equal(status, 200);
    assert.ok(list.length > 0);
    const symbols = list.map(({ symbol }) => symbol);
    assert.deepEqual(symbols, [...symbols].sort());
    for (const market of list) {
      assert.deepEqual(Object.keys(market), ['symbol', 'name', 'fractionable', 'previous_close']);
      assert.match(String(market.previous_close), /^(\d+(\.\d+)?|null)$/);
    }
  }));

test('the page holds no script or style of its own in its markup, and writes no data as markup', () => {
  const html = readFileSync(join(APP, 'index.html'), 'utf8');
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style|javascript:|https?:\/\//i);
  const sources = readdirSync(APP, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  assert.ok(sources.length > 20);
  for (const name of sources) {
    const text = readFileSync(join(APP, name), 'utf8');
    assert.doesNotMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
      name,
    );
  }
});
