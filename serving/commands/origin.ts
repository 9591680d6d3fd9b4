import type { Header, Headers } from '../../streams/record.ts';

const USER_AGENT_MAX = 256;
/** Version 00 of W3C Trace Context. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Who asked for a command, and from where. */
export interface CommandOrigin {
  /** Id of the key, or `session`. */
  readonly actor: string;
  readonly address: string;
  readonly userAgent: string | null;
  readonly requestId: string;
  /** W3C trace context as the client sent it; one that is malformed is left out. */
  readonly traceparent: string | null;
}

/** The origin as headers of the records that come of it. */
export function originHeaders(origin: CommandOrigin): Headers {
  const headers: Header[] = [];
  const add = (key: string, value: string): void => void headers.push({ key, value: Buffer.from(value) });
  add('actor', origin.actor);
  add('address', origin.address);
  if (origin.userAgent !== null) add('user-agent', origin.userAgent.slice(0, USER_AGENT_MAX));
  add('request-id', origin.requestId);
  if (origin.traceparent !== null && TRACEPARENT.test(origin.traceparent)) {
    add('traceparent', origin.traceparent);
  }
  return headers;
}
