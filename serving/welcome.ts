import { listDays } from '../connectors/sources/lean/folder.ts';
import type { Config } from './config.ts';
import type { ServedPlatform } from './platform.ts';
import type { Running } from './start.ts';

const USUAL_SYMBOL = 'AAPL';

/** A symbol that the market has: the first order can be made in it. @throws ConnectorError where a replay's folder has gone */
export function firstOrderSymbol({ source }: Config): string {
  const known = (symbols: readonly string[]): string =>
    symbols.includes(USUAL_SYMBOL) ? USUAL_SYMBOL : (symbols[0] ?? USUAL_SYMBOL);
  if (source.kind === 'none') return USUAL_SYMBOL;
  if (source.kind === 'simulator')
    return typeof source.symbols === 'number' ? USUAL_SYMBOL : known(source.symbols);
  const [firstDay = []] = listDays(source).values();
  return known(firstDay.map(({ symbol }) => symbol));
}

/** What a newcomer reads once the process serves: where it listens, the key, and how to make the first order. */
export function welcome({ url, demo, config }: Running<ServedPlatform>): string {
  const { serving, source: runsSource, applications } = config.roles;
  if (!serving) {
    const does = [...applications, ...(runsSource ? ['the market source'] : [])].join(', ');
    return `\nOpentape listens on ${url}\n  It does not serve; it runs ${does}\n\n`;
  }
  const secret = demo.secret ?? config.demo?.secret ?? null;
  const source = !runsSource
    ? 'the market that another process runs'
    : config.source.kind === 'simulator'
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
    `    -d '{"symbol":"${firstOrderSymbol(config)}","qty":"10","side":"buy","type":"market","time_in_force":"day"}'`,
    '',
    '',
  ].join('\n');
}
