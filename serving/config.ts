import { z } from 'zod';
import { APPLICATION_IDS } from '../topologies/applications.ts';
import { CLUSTER_SETTINGS, type ClusterConfig, clusterOf } from './cluster/settings.ts';
import { ServingError } from './errors.ts';
import { ALL, type Roles, rolesOf } from './roles.ts';

const whole = (least: number, most: number) => {
  const error = `a whole number from ${least} to ${most}`;
  return z.coerce.number({ error }).int(error).min(least, error).max(most, error);
};
const above = (most: number) => {
  const error = `a number above 0 and at most ${most}`;
  return z.coerce.number({ error }).positive(error).max(most, error);
};
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });
/** What an HTTP header can carry as it is. */
const credential = (least: number, most: number) => {
  const error = `${least} to ${most} characters of printable ASCII, no space at either end`;
  return z
    .string()
    .min(least, error)
    .max(most, error)
    .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, error);
};
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'a date as YYYY-MM-DD');
const ticker = z.string().regex(/^[A-Z][A-Z0-9.]{0,9}$/, 'a ticker in capitals');

/** Every setting, by the name of its environment variable. The README's table of settings follows this order. */
const SETTINGS = {
  PORT: whole(0, 65_535).default(8080),
  OPENTAPE_HOST: z.string().min(1).default('127.0.0.1'),
  OPENTAPE_DATA_DIR: z.string().min(1).default('.opentape'),
  OPENTAPE_ENGINE: oneOf(['embedded', 'kafka']).default('embedded'),
  OPENTAPE_SOURCE: oneOf(['simulator', 'lean', 'none']).default('simulator'),
  OPENTAPE_SESSION: oneOf(['always', 'us-equities']).optional(),
  OPENTAPE_MARKET_MAKER: oneOf(['on', 'off']).default('on'),
  OPENTAPE_DEMO_KEY: credential(8, 128).optional(),
  OPENTAPE_DEMO_SECRET: credential(16, 256).optional(),
  OPENTAPE_SIMULATOR_SEED: whole(0, 0xffff_ffff).default(1),
  OPENTAPE_SIMULATOR_SYMBOLS: z
    .union([whole(1, 20_000), list.pipe(z.array(ticker).min(1).max(20_000))], {
      error: 'a whole number from 1 to 20000, or tickers in capitals joined with commas',
    })
    .default(12),
  OPENTAPE_SIMULATOR_QUOTES_PER_SECOND: above(1_000_000).optional(),
  OPENTAPE_LEAN_DIR: z.string().min(1).optional(),
  OPENTAPE_LEAN_SPEED: z
    .union([z.literal('max'), above(100_000)], { error: 'max, or a number above 0 and at most 100000' })
    .default(1),
  OPENTAPE_LEAN_SYMBOLS: list
    .pipe(z.array(ticker).min(1, 'tickers in capitals joined with commas'))
    .optional(),
  OPENTAPE_LEAN_FROM: date.optional(),
  OPENTAPE_LEAN_TO: date.optional(),
  OPENTAPE_MEMORY_BUDGET_MB: whole(32, 65_536).default(128),
  OPENTAPE_RATE_LIMIT_PER_MINUTE: whole(1, 10_000_000).default(10_000),
  OPENTAPE_LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  SCHEMA_REGISTRY_URL: z.url({ protocol: /^https?$/, error: 'an http or https URL' }).optional(),
  OPENTAPE_ROLES: list.default([ALL]),
  ...CLUSTER_SETTINGS,
} as const;

const schema = z.object(SETTINGS);
type Settings = z.infer<typeof schema>;

/** Where the process listens, keeps its data and takes its market from. Validated; no environment is read after this. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly source:
    | {
        readonly kind: 'simulator';
        readonly seed: number;
        readonly symbols: number | readonly string[];
        readonly quotesPerSecond: number | null;
      }
    | {
        readonly kind: 'lean';
        readonly directory: string;
        readonly speed: number | 'max';
        readonly symbols: readonly string[] | null;
        readonly from: string | null;
        readonly to: string | null;
      }
    | { readonly kind: 'none' };
  readonly session: 'always' | 'us-equities';
  readonly marketMaker: boolean;
  readonly demo: { readonly key: string; readonly secret: string } | null;
  readonly memoryBudgetBytes: number;
  readonly rateLimitPerMinute: number;
  readonly logLevel: Settings['OPENTAPE_LOG_LEVEL'];
  readonly schemaRegistryUrl: string | null;
  readonly engine: { readonly kind: 'embedded' } | ClusterConfig;
  readonly roles: Roles;
}

/** Names of ours that the tests and CI use; they are no settings of the product. */
const NOT_SETTINGS = /^OPENTAPE_(TEST_|REQUIRE_SERVERS$|BENCH_)/;

function refuse(message: string): never {
  throw new ServingError('SERVING_CONFIG', message);
}

function nearest(name: string): string {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= a.length; i += 1) {
      const next = [i];
      for (let j = 1; j <= b.length; j += 1) {
        next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      }
      row = next;
    }
    return row[b.length]!;
  };
  return Object.keys(SETTINGS).reduce((best, known) =>
    distance(name, known) < distance(name, best) ? known : best,
  );
}

function sourceOf(settings: Settings): Config['source'] {
  if (settings.OPENTAPE_SOURCE === 'none') return { kind: 'none' };
  if (settings.OPENTAPE_SOURCE === 'simulator') {
    return {
      kind: 'simulator',
      seed: settings.OPENTAPE_SIMULATOR_SEED,
      symbols: settings.OPENTAPE_SIMULATOR_SYMBOLS,
      quotesPerSecond: settings.OPENTAPE_SIMULATOR_QUOTES_PER_SECOND ?? null,
    };
  }
  if (settings.OPENTAPE_LEAN_DIR === undefined) {
    refuse('OPENTAPE_SOURCE=lean needs OPENTAPE_LEAN_DIR, the folder that holds equity/usa/');
  }
  return {
    kind: 'lean',
    directory: settings.OPENTAPE_LEAN_DIR,
    speed: settings.OPENTAPE_LEAN_SPEED,
    symbols: settings.OPENTAPE_LEAN_SYMBOLS ?? null,
    from: settings.OPENTAPE_LEAN_FROM ?? null,
    to: settings.OPENTAPE_LEAN_TO ?? null,
  };
}

/** What only concerns deployments of several processes. */
function checkCluster(settings: Settings, roles: Roles): void {
  if (settings.OPENTAPE_ENGINE === 'embedded') {
    if (settings.KAFKA_BROKERS !== undefined)
      refuse('KAFKA_BROKERS is set, but the engine is the embedded one; set OPENTAPE_ENGINE=kafka');
    return;
  }
  if (roles.serving && settings.OPENTAPE_DEMO_KEY === undefined)
    refuse(
      'OPENTAPE_ENGINE=kafka needs OPENTAPE_DEMO_KEY and OPENTAPE_DEMO_SECRET, the same for all processes that serve',
    );
  if (settings.OPENTAPE_SOURCE === 'lean' && roles.serving !== roles.source)
    refuse('OPENTAPE_SOURCE=lean sets the time of the market, so the roles serving and source go together');
}

/**
 * Reads the settings from environment variables.
 * @throws ServingError SERVING_CONFIG: one line that names the variable, what is wrong and what would be right.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  for (const name of Object.keys(environment)) {
    if (name.startsWith('OPENTAPE_') && !(name in SETTINGS) && !NOT_SETTINGS.test(name)) {
      refuse(`${name} is not a setting of Opentape; did you mean ${nearest(name)}?`);
    }
  }
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (!result.success) {
    const issue = result.error.issues[0]!;
    const name = String(issue.path[0]);
    // An address may hold a password.
    const hidden = /SECRET|PASSWORD/.test(name) || given[name]?.includes('@') === true;
    const shown = hidden ? 'what is set' : JSON.stringify(given[name]);
    refuse(`${name}: ${shown} is not valid; ${issue.message} is expected`);
  }
  const settings = result.data;
  if ((settings.OPENTAPE_DEMO_KEY === undefined) !== (settings.OPENTAPE_DEMO_SECRET === undefined)) {
    refuse('OPENTAPE_DEMO_KEY and OPENTAPE_DEMO_SECRET go together: set both or neither');
  }
  const roles = rolesOf(settings.OPENTAPE_ROLES, settings.OPENTAPE_ENGINE, APPLICATION_IDS);
  const engine = settings.OPENTAPE_ENGINE === 'kafka' ? clusterOf(settings) : { kind: 'embedded' as const };
  checkCluster(settings, roles);
  return {
    host: settings.OPENTAPE_HOST,
    port: settings.PORT,
    dataDirectory: settings.OPENTAPE_DATA_DIR,
    source: sourceOf(settings),
    session: settings.OPENTAPE_SESSION ?? (settings.OPENTAPE_SOURCE === 'lean' ? 'us-equities' : 'always'),
    marketMaker: settings.OPENTAPE_MARKET_MAKER === 'on',
    demo:
      settings.OPENTAPE_DEMO_KEY !== undefined && settings.OPENTAPE_DEMO_SECRET !== undefined
        ? { key: settings.OPENTAPE_DEMO_KEY, secret: settings.OPENTAPE_DEMO_SECRET }
        : null,
    memoryBudgetBytes: settings.OPENTAPE_MEMORY_BUDGET_MB * 1024 * 1024,
    rateLimitPerMinute: settings.OPENTAPE_RATE_LIMIT_PER_MINUTE,
    logLevel: settings.OPENTAPE_LOG_LEVEL,
    schemaRegistryUrl: settings.SCHEMA_REGISTRY_URL ?? null,
    engine,
    roles,
  };
}
