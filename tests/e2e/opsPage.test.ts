import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { readInstance } from '../../serving/ops/instance.ts';
import { runProgram } from '../serving/cli/program.ts';
import { skipWithoutChromium, withPage } from '../support/browser.ts';
import { type RunningServer, startServer } from '../support/server.ts';

/** What the functions that run in the page use of it. */
interface Shown {
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
}
declare const document: {
  readonly documentElement: { readonly scrollWidth: number };
  querySelector(selector: string): Shown | null;
  querySelectorAll(selector: string): Iterable<Shown>;
};
declare const innerWidth: number;

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
/** The browser's own words for a sign-in that is not there yet. */
const PROVOKED = /^Failed to load resource: the server responded with a status of 401/;

describe('the page of the topologies in Chromium', { skip: skipWithoutChromium(), timeout: 240_000 }, () => {
  let directory = '';
  let server: RunningServer;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'opentape-ops-'));
    server = await startServer({ OPENTAPE_DATA_DIR: directory });
  });
  after(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function addressOf(): Promise<string> {
    const { stdout, stderr } = await runProgram(['ops', '--json'], { OPENTAPE_DATA_DIR: directory });
    assert.notEqual(stdout, '', stderr);
    return (JSON.parse(stdout) as { url: string }).url;
  }

  /** What is wrong for those who do not see, and whether anything sticks out to the right. */
  function problems(page: Page): Promise<string[]> {
    return page.evaluate(() => {
      const found: string[] = [];
      const root = document.documentElement;
      if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
      for (const node of document.querySelectorAll('g.node'))
        if (!/, (application|topic)/.test(node.getAttribute('aria-label') ?? ''))
          found.push(`unlabelled ${node.textContent}`);
      return found;
    });
  }

  test('asks for the operator token, refuses a wrong one and draws the map with the right one', async () => {
    await withPage(WIDE, async (page, complaints) => {
      await page.goto(`${server.url}/ops`);
      await page.waitForSelector('#sign-in:not([hidden])');
      await page.fill('#token', 'not-the-token');
      await page.press('#token', 'Enter');
      await page.waitForFunction(() =>
        /token is wrong/.test(document.querySelector('#sign-in-problem')?.textContent ?? ''),
      );
      await page.fill('#token', readInstance(directory)!.token);
      await page.click('#sign-in-submit');
      await page.waitForSelector('body[data-link="live"]');
      await page.waitForSelector('g.node.application[data-id="application/orders"] .lamp');
      assert.equal(await page.locator('g.node.application').count(), 6);
      assert.ok((await page.locator('path.edge').count()) > 20);
      // Rates come with the second sample.
      await page.waitForFunction(() =>
        /[1-9]\d*\/s · lag/.test(
          document.querySelector('[data-id="application/quotes"] .figure')?.textContent ?? '',
        ),
      );
      assert.deepEqual(await problems(page), []);
      await page.click('#sign-out');
      await page.waitForSelector('#sign-in:not([hidden])');
      await page.reload();
      await page.waitForSelector('#sign-in:not([hidden])');
      assert.deepEqual(
        complaints.list.filter((text) => !PROVOKED.test(text)),
        [],
      );
    });
  });

  test('an address of opentape ops signs in; by keyboard a node shows its details, which go on moving', async () => {
    await withPage(PHONE, async (page, complaints) => {
      await page.goto(await addressOf());
      await page.waitForSelector('body[data-link="live"]');
      assert.doesNotMatch(page.url(), /code=/);
      await page.focus('g[data-id="application/candles"]');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('#details-title')?.textContent === 'candles');
      assert.equal(await page.getAttribute('g[data-id="application/candles"]', 'aria-pressed'), 'true');
      const captions = await page.$$eval('#tables caption', (all) =>
        all.map(({ textContent }) => textContent),
      );
      assert.deepEqual(captions, ['Tasks', 'Input', 'Stores']);
      const processed = '#tables table tbody tr:first-child td:nth-child(3)';
      const first = await page.textContent(processed);
      await page.waitForFunction(([place, was]) => document.querySelector(place!)?.textContent !== was, [
        processed,
        first,
      ] as const);
      await page.focus('g[data-id="topic/market.trades"]');
      await page.keyboard.press('Space');
      await page.waitForFunction(() =>
        /written by from outside, matching; read by quotes, candles/.test(
          document.querySelector('#details-note')?.textContent ?? '',
        ),
      );
      assert.deepEqual(await problems(page), []);
      assert.deepEqual(
        complaints.list.filter((text) => !PROVOKED.test(text)),
        [],
      );
    });
  });
});
