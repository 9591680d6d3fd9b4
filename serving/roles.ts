import { ServingError } from './errors.ts';

/** What a process of a deployment does. */
export interface Roles {
  /** Whether it serves the API, the streams and the page. */
  readonly serving: boolean;
  /** Whether it runs the market source. One process of a deployment does. */
  readonly source: boolean;
  /** Ids of the applications it runs. */
  readonly applications: readonly string[];
}

export const ALL = 'all';
export const SERVING = 'serving';
export const SOURCE = 'source';

/**
 * Reads a list of roles: `all` is serving and every application, and on the embedded log the source as well.
 * @param applicationIds every application there is
 * @throws ServingError SERVING_CONFIG
 */
export function rolesOf(
  names: readonly string[],
  engine: 'embedded' | 'kafka',
  applicationIds: readonly string[],
): Roles {
  const known = [ALL, SERVING, SOURCE, ...applicationIds];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || names.length === 0) {
    throw new ServingError(
      'SERVING_CONFIG',
      `OPENTAPE_ROLES: ${unknown === undefined ? 'no role is named' : `${JSON.stringify(unknown)} is no role`}; name some of ${known.join(', ')}`,
    );
  }
  const all = names.includes(ALL);
  if (engine === 'embedded') {
    if (all && names.length === 1) return { serving: true, source: true, applications: applicationIds };
    throw new ServingError(
      'SERVING_CONFIG',
      'OPENTAPE_ROLES: on the embedded log one process does everything; leave the setting out, or set OPENTAPE_ENGINE=kafka',
    );
  }
  return {
    serving: all || names.includes(SERVING),
    source: names.includes(SOURCE),
    applications: applicationIds.filter((id) => all || names.includes(id)),
  };
}
