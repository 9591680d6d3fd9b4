import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Complaints, skipWithoutChromium, withPage } from '../support/browser.ts';
import { call, DEMO_KEY, DEMO_SECRET, type RunningServer, startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const SYMBOL = 'NVDA';
/** Far below the market: rests, and costs little. */
const RESTING_PRICE = '1.25';

interface Fill {
  readonly id: string;
  readonly symbol: string;
}

/** What the browser itself writes about refusals and a lost link that a test brought about on purpose. */
const PROVOKED = [
  /^Failed to load resource: the server responded with a status of (401|403|404|422)/,
  /^Failed to load resource: net::ERR_CONNECTION_(REFUSED|RESET)/,
  /^WebSocket connection to '[^']*' failed/,
];

function assertQuiet({ list }: Complaints): void {
  assert.deepEqual(
    list.filter((text) => !PROVOKED.some((pattern) => pattern.test(text))),
    [],
  );
}

async function open(page: Page, server: RunningServer): Promise<void> {
  await page.goto(server.url);
  await page.waitForSelector('body[data-link="live"]');
  await page.waitForSelector(`#watch-body tr[data-symbol="${SYMBOL}"]`);
}

async function signIn(page: Page): Promise<void> {
  await page.fill('#sign-in-key', DEMO_KEY);
  await page.fill('#sign-in-secret', DEMO_SECRET);
  await page.click('#sign-in-submit');
  await page.waitForFunction(() => /^\$[\d,]+\.\d\d$/.test(textOf('#account-summary div:nth-child(4) dd')));
}

/** Functions that run in the page; Playwright takes them over as text. */
declare function textOf(selector: string): string;
async function addHelpers(page: Page): Promise<void> {
  await page.addInitScript(
    'globalThis.textOf = (selector) => document.querySelector(selector)?.textContent ?? "";',
  );
}

async function text(page: Page, selector: string): Promise<string> {
  return (await page.textContent(selector)) ?? '';
}

/** Waits until the text of an element is not what it was. */
async function waitForChange(page: Page, selector: string, before: string): Promise<void> {
  await page.waitForFunction(([place, was]) => textOf(place!) !== was, [selector, before] as const);
}

async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<void> {
  await page.waitForFunction(([place, source]) => new RegExp(source!).test(textOf(place!)), [
    selector,
    pattern.source,
  ] as const);
}

async function place(
  page: Page,
  side: 'buy' | 'sell',
  amount: string,
  limit: { readonly price: string } | null = null,
): Promise<void> {
  await page.check(`#ticket input[value="${side}"]`, { force: true });
  await page.selectOption('#ticket-type', limit === null ? 'market' : 'limit');
  if (limit !== null) await page.fill('#ticket-limit', limit.price);
  await page.fill('#ticket-amount', amount);
  await page.click('#ticket-submit');
}

async function fillsOf(server: RunningServer): Promise<readonly Fill[]> {
  const { status, body } = await call(server, 'GET', '/v2/account/activities/FILL?page_size=100');
  assert.equal(status, 200);
  return body as readonly Fill[];
}

async function ordersOf(server: RunningServer): Promise<readonly { readonly status: string }[]> {
  const { status, body } = await call(server, 'GET', '/v2/orders?status=all');
  assert.equal(status, 200);
  return body as readonly { readonly status: string }[];
}

async function buyMarket(server: RunningServer): Promise<void> {
  const order = { symbol: SYMBOL, side: 'buy', type: 'market', qty: '1', time_in_force: 'day' };
  // Right after a start there may be no quote to price a market order with.
  await until('a market order is taken', async () => {
    const { status, body } = await call(server, 'POST', '/v2/orders', order);
    assert.ok(status === 200 || status === 422, JSON.stringify(body));
    return status === 200;
  });
}

function rowsOf(page: Page, pane: string): Promise<string[]> {
  return page.$$eval(`#pane-${pane} tbody tr`, (rows) => rows.map(({ textContent }) => textContent ?? ''));
}

describe('the first page in Chromium', { skip: skipWithoutChromium(), timeout: 240_000 }, () => {
  let directory = '';
  let server: RunningServer;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'opentape-page-'));
    server = await startServer({ OPENTAPE_DATA_DIR: directory });
  });

  after(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('shows quotes that move, and depth and candles of the symbol that is selected', () =>
    withPage(WIDE, async (page, complaints) => {
      await addHelpers(page);
      await open(page, server);
      assert.equal(await page.locator('#watch-body tr[data-symbol]').count(), 12);
      const bid = `#watch-body tr[data-symbol="${SYMBOL}"] td:nth-child(4)`;
      await waitForText(page, bid, /^\d+\.\d\d$/);
      await waitForChange(page, bid, await text(page, bid));

      await page.click(`#watch-body tr[data-symbol="${SYMBOL}"]`);
      await waitForText(page, '#headline-symbol', new RegExp(`^${SYMBOL}$`));
      await waitForText(page, '#ladder-bids .level:not(:disabled) span', /^\d+\.\d\d$/);
      await waitForText(page, '#ladder-asks .level:not(:disabled) span', /^\d+\.\d\d$/);
      await page.waitForSelector('#chart-canvas[data-candles]:not([data-candles="0"])');
      await page.click('#intervals button[data-interval="M5"]');
      await page.waitForSelector('#intervals button[data-interval="M5"][aria-pressed="true"]');
      await page.waitForSelector(
        '#chart-canvas[aria-label*="5 minutes"][data-candles]:not([data-candles="0"])',
      );
      assert.match(page.url(), new RegExp(`#${SYMBOL}/M5$`));

      await page.keyboard.press('/');
      await page.keyboard.type('ms');
      await waitForText(page, '#watch-body tr[data-symbol] td', /^MSFT$/);
      await page.keyboard.press('Enter');
      await waitForText(page, '#headline-symbol', /^MSFT$/);
      await page.fill('#watch-filter', '');
      await page.focus('#watch-scroll');
      await page.keyboard.press('ArrowDown');
      await waitForText(page, '#headline-symbol', new RegExp(`^${SYMBOL}$`));
      await page.click('#watch-head th:nth-child(4) button');
      await page.waitForSelector('#watch-head th:nth-child(4)[aria-sort="descending"]');
      await waitForText(page, '#watch-body tr[data-symbol] td', /^SPY$/);
      await page.click('#watch-head th:nth-child(4) button');
      await waitForText(page, '#watch-body tr[data-symbol] td', /^KO$/);
      assertQuiet(complaints);
    }));

  test('signs in, trades, cancels, says why an order is refused, and signs out', () =>
    withPage(WIDE, async (page, complaints) => {
      await addHelpers(page);
      await open(page, server);
      await page.click(`#watch-body tr[data-symbol="${SYMBOL}"]`);
      await page.fill('#sign-in-key', DEMO_KEY);
      await page.fill('#sign-in-secret', 'not-the-secret-of-this-account');
      await page.click('#sign-in-submit');
      await waitForText(page, '#sign-in-problem', /No account has this key and secret/);
      await signIn(page);
      assert.equal(await text(page, '#account-summary div:nth-child(4) dd'), '$100,000.00');
      assert.equal(await page.inputValue('#sign-in-secret'), '');

      // The ticket says what is missing instead of sending it.
      await waitForText(page, '#ticket-estimate div:nth-child(4) dd', /^\$100,000\.00$/);
      await page.click('#ticket-submit');
      await waitForText(page, '#problem-amount', /number of shares/);

      await waitForText(page, '#ticket-estimate div:nth-child(1) dd', /\d/);
      await place(page, 'buy', '10');
      await waitForText(page, '#ticket-outcome', new RegExp(`^Filled: 10 ${SYMBOL} at \\d`));
      await waitForText(page, '#pane-positions tbody tr', new RegExp(`^${SYMBOL}10\\d`));
      await waitForChange(page, '#account-summary div:nth-child(4) dd', '$100,000.00');
      await page.click('#tab-fills');
      const account = (await call(server, 'GET', '/v2/account')).body as { readonly cash: string };
      const [fill] = await rowsOf(page, 'fills');
      assert.match(fill!, new RegExp(`^${SYMBOL}Buy10\\d`));
      const cents = Math.round(Number(account.cash) * 100);
      const shown = (await text(page, '#account-summary div:nth-child(4) dd')).replace(/[$,]/g, '');
      assert.equal(Math.round(Number(shown) * 100), cents);

      await place(page, 'buy', '3', { price: RESTING_PRICE });
      await waitForText(page, '#ticket-outcome', /^Accepted: buy 3 NVDA at 1\.25$/);
      await page.click('#tab-open');
      await waitForText(page, '#pane-open tbody tr', /^NVDABuylimit301\.25DAY/);
      await page.click('#pane-open tbody tr button:text("Cancel")');
      await waitForText(page, '#pane-open .empty:not([hidden])', /^No open orders$/);
      assert.deepEqual((await ordersOf(server)).map(({ status }) => status).sort(), ['canceled', 'filled']);

      for (const price of ['1.10', '1.20']) {
        await place(page, 'buy', '1', { price });
        await waitForText(page, '#ticket-outcome', new RegExp(`^Accepted: .* at ${price}`));
      }
      await page.locator('#pane-open tbody tr').nth(1).waitFor();
      assert.equal(await page.locator('#pane-open tbody tr').count(), 2);
      await page.click('#cancel-all');
      await waitForText(page, '#pane-open .empty:not([hidden])', /^No open orders$/);

      await place(page, 'buy', '5000');
      await waitForText(page, '#ticket-warning', /^More than your buying power/);
      await waitForText(page, '#ticket-outcome', /^Rejected: Insufficient buying power \(needs \$/);
      await place(page, 'sell', '11');
      await waitForText(page, '#ticket-outcome', /^Rejected: Insufficient qty available/);

      await page.reload();
      await waitForText(page, '#pane-positions tbody tr', new RegExp(`^${SYMBOL}10\\d`));
      await waitForText(page, '#count-fills', /^1$/);
      await page.click('#sign-out');
      await page.waitForSelector('#sign-in:not([hidden])');
      assert.equal(await page.evaluate('sessionStorage.length'), 0);
      await waitForText(page, '#pane-positions .empty:not([hidden])', /^Sign in to see/);
      assertQuiet(complaints);
    }));

  test('finds back by itself when the server comes back, and misses no fill made meanwhile', () =>
    withTemporaryDirectory(async (directory) => {
      let server = await startServer({ OPENTAPE_DATA_DIR: directory });
      try {
        await withPage(WIDE, async (page, complaints) => {
          await addHelpers(page);
          await open(page, server);
          await signIn(page);
          await buyMarket(server);
          await waitForText(page, '#count-fills', /^1$/);
          const { port } = new URL(server.url);
          await server.kill();
          await page.waitForSelector('body:not([data-link="live"])');

          // At another port the page cannot see what is traded.
          server = await startServer({ OPENTAPE_DATA_DIR: directory });
          for (let count = 0; count < 3; count += 1) await buyMarket(server);
          await server.stop();
          server = await startServer({ OPENTAPE_DATA_DIR: directory, PORT: port });
          await page.waitForSelector('body[data-link="live"]');
          await buyMarket(server);
          const fills = await fillsOf(server);
          assert.ok(fills.length >= 5);
          await waitForText(page, '#count-fills', new RegExp(`^${fills.length}$`));
          await page.click('#tab-fills');
          assert.equal((await rowsOf(page, 'fills')).length, fills.length);
          await page.click('#tab-positions');
          await waitForText(page, '#pane-positions tbody tr', new RegExp(`^${SYMBOL}5\\d`));
          const bid = `#watch-body tr[data-symbol="${SYMBOL}"] td:nth-child(4)`;
          await waitForChange(page, bid, await text(page, bid));
          await page.click('#ladder-asks .level:not(:disabled)', { force: true });
          await page.waitForSelector('#limit-field:not([hidden])');

          // A reload forgets the secret; a restart after it ends the session, and the page says so.
          await page.reload();
          await waitForText(page, '#count-fills', new RegExp(`^${fills.length}$`));
          await server.stop();
          server = await startServer({ OPENTAPE_DATA_DIR: directory, PORT: port });
          await waitForText(page, '#sign-in-problem', /session has ended/);
          await page.waitForSelector('body[data-link="live"]');
          await signIn(page);
          await waitForText(page, '#count-fills', new RegExp(`^${fills.length}$`));
          assertQuiet(complaints);
        });
      } finally {
        await server.stop();
      }
    }));

  test('fits a phone: one view at a time, nothing beside the screen', () =>
    withPage(PHONE, async (page, complaints) => {
      await addHelpers(page);
      await open(page, server);
      for (const [view, selector] of [
        ['chart', '#chart-canvas'],
        ['trade', '#ticket-submit'],
        ['orders', '#tab-open'],
        ['account', '#sign-in-submit'],
        ['markets', '#watch-filter'],
      ] as const) {
        await page.click(`#dock button[data-go="${view}"]`);
        await page.waitForSelector(selector, { state: 'visible' });
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(width <= PHONE.width, `${view} is ${width} wide`);
      }
      await page.click(`#watch-body tr[data-symbol="${SYMBOL}"]`);
      await page.waitForSelector('#chart-canvas', { state: 'visible' });
      assertQuiet(complaints);
    }));

  test('asks whether an order arrived whose answer was lost, and never sends it twice', () =>
    withPage(WIDE, async (page, complaints) => {
      await addHelpers(page);
      await open(page, server);
      await signIn(page);
      const before = (await ordersOf(server)).length;
      let reaches = true;
      let sent = 0;
      await page.route('**/v2/orders', async (route) => {
        if (route.request().method() !== 'POST') return route.continue();
        sent += 1;
        if (reaches) await route.fetch();
        return route.abort('connectionreset');
      });
      await place(page, 'buy', '2', { price: RESTING_PRICE });
      await waitForText(page, '#ticket-outcome', /^No answer; asking whether the order arrived/);
      await waitForText(page, '#ticket-outcome', /^Accepted: buy 2 AAPL at 1\.25$/);
      reaches = false;
      await place(page, 'buy', '2', { price: '1.50' });
      await waitForText(page, '#ticket-outcome', /^The order did not reach the server$/);
      assert.equal(sent, 2);
      assert.equal((await ordersOf(server)).length, before + 1);
      assertQuiet(complaints);
    }));

  test('takes a new snapshot of the book where an update was lost on the way', () =>
    withPage(WIDE, async (page, complaints) => {
      await addHelpers(page);
      let snapshots = 0;
      let lost = false;
      await page.routeWebSocket(/socket\.io/, (socket) => {
        const upstream = socket.connectToServer();
        upstream.onMessage((message) => {
          const content = Buffer.from(message).toString('latin1');
          if (content.includes('depth') && content.includes('snapshot')) snapshots += 1;
          if (!lost && content.includes('depth') && content.includes('delta')) lost = true;
          else socket.send(message);
        });
      });
      await open(page, server);
      await until('a second snapshot', () => snapshots >= 2);
      assert.equal(lost, true);
      await waitForText(page, '#ladder-bids .level:not(:disabled) span', /^\d+\.\d\d$/);
      await waitForText(page, '#depth-note', /^$/);
      assertQuiet(complaints);
    }));
});
