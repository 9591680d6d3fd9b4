import type { Running } from './start.ts';

/** What a newcomer reads once the process serves: where it listens, the key, and how to make the first order. */
export function welcome({ url, demo, config }: Running): string {
  const secret = demo.secret ?? config.demo?.secret ?? null;
  const source =
    config.source.kind === 'simulator'
      ? 'a simulated market'
      : config.source.kind === 'lean'
        ? `the replay of ${config.source.directory}`
        : 'no market source';
  const key = [
    `  key     ${demo.key}`,
    demo.secret !== null
      ? `  secret  ${demo.secret}   (shown this once; it is kept hashed)`
      : config.demo !== null
        ? '  secret  as set in OPENTAPE_DEMO_SECRET'
        : '  secret  as shown at the first start; lost it? set OPENTAPE_DEMO_KEY and OPENTAPE_DEMO_SECRET',
  ];
  const shown = demo.secret !== null ? secret : '<secret>';
  return [
    '',
    `Opentape listens on ${url}`,
    `  It serves ${source}; the page is ${url}/, the API is described at ${url}/docs`,
    '',
    'Demo account:',
    ...key,
    '',
    'A first order:',
    `  curl -s ${url}/v2/orders -H 'content-type: application/json' \\`,
    `    -H 'APCA-API-KEY-ID: ${demo.key}' -H 'APCA-API-SECRET-KEY: ${shown}' \\`,
    `    -d '{"symbol":"AAPL","qty":"10","side":"buy","type":"market","time_in_force":"day"}'`,
    '',
    '',
  ].join('\n');
}
