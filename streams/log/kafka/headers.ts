/**
 * Headers on their way through node-rdkafka 3, which takes header values as text only: bytes that are no UTF-8, a zero byte or an absent
 * value would not come out as they went in. Such a header is written as base64 under a marked name, and read back as it was. Readers
 * outside of Opentape see the text headers as they are, and the marked names for the others.
 */
import { type Headers, NO_HEADERS } from '../../record.ts';
import type { RdKafkaHeader } from './rdkafka.ts';

const BYTES_MARK = 'opentape.base64:';
const NULL_MARK = 'opentape.null:';

/** Undefined where there are none. */
export function toRdKafkaHeaders(headers: Headers): RdKafkaHeader[] | undefined {
  if (headers.length === 0) return undefined;
  return headers.map(({ key, value }) => {
    if (value === null) return { [`${NULL_MARK}${key}`]: '' };
    const text = value.toString('utf8');
    if (text.includes('\0') || !Buffer.from(text, 'utf8').equals(value)) {
      return { [`${BYTES_MARK}${key}`]: value.toString('base64') };
    }
    return { [key]: text };
  });
}

export function fromRdKafkaHeaders(headers: readonly RdKafkaHeader[] | undefined): Headers {
  if (headers === undefined || headers.length === 0) return NO_HEADERS;
  return headers.map((header) => {
    const [[name, found]] = Object.entries(header) as [[string, string | Buffer]];
    const value = typeof found === 'string' ? Buffer.from(found) : found;
    if (name.startsWith(NULL_MARK)) return { key: name.slice(NULL_MARK.length), value: null };
    if (name.startsWith(BYTES_MARK)) {
      return { key: name.slice(BYTES_MARK.length), value: Buffer.from(value.toString('latin1'), 'base64') };
    }
    return { key: name, value };
  });
}
