import { existsSync } from 'node:fs';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { withTemporaryDirectory } from './temporary.ts';

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const WAIT_MS = 30_000;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why tests in a browser are left out, for `skip`; false where there is one, or has to be. */
export function skipWithoutChromium(): string | false {
  if (existsSync(EXECUTABLE) || process.env.OPENTAPE_REQUIRE_SERVERS === '1') return false;
  return `no Chromium at ${EXECUTABLE}; CHROMIUM_PATH names another place`;
}

/** What a page wrote to the console as an error, and what it threw. */
export interface Complaints {
  readonly list: string[];
}

/** Runs `body` with a page of a real Chromium that knows nothing from before. */
export async function withPage(
  viewport: { readonly width: number; readonly height: number },
  body: (page: Page, complaints: Complaints, context: BrowserContext) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const context = await chromium.launchPersistentContext(directory, {
      executablePath: EXECUTABLE,
      headless: true,
      viewport,
      args: FLAGS,
    });
    try {
      context.setDefaultTimeout(WAIT_MS);
      const page = context.pages()[0] ?? (await context.newPage());
      const complaints: Complaints = { list: [] };
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.list.push(message.text());
      });
      page.on('pageerror', (error) => complaints.list.push(error.stack ?? error.message));
      await body(page, complaints, context);
    } finally {
      await context.close();
    }
  });
}
