/** Reads packets of Socket.IO clients, after it has looked whether they are what they say. */
import parser from 'socket.io-msgpack-parser';

/** A packet holds a list of parameters, one of them a request with a list of symbols. */
const DEPTH_MAX = 16;
const EVENT: number = parser.PacketType.EVENT;
/** Events of the library itself, which a client must not seem to have raised. */
const RESERVED = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'error',
  'newListener',
  'removeListener',
]);

/** Bytes behind the first one of every form from 0xc0 to 0xdf, without what a length says; null for a byte that begins nothing. */
const HEAD_BYTES: readonly (number | null)[] = [
  ...[0, null, 0, 0, 1, 2, 4, 2, 3, 5, 4, 8, 1, 2, 4, 8],
  ...[1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4],
];
/** Bytes of the length in the forms that have one. */
const LENGTH_BYTES = new Map<number, number>([
  ...([0xc4, 0xc7, 0xd9] as const).map((form) => [form, 1] as const),
  ...([0xc5, 0xc8, 0xda, 0xdc, 0xde] as const).map((form) => [form, 2] as const),
  ...([0xc6, 0xc9, 0xdb, 0xdd, 0xdf] as const).map((form) => [form, 4] as const),
]);

/** How many bytes a value takes before the values in it, and how many those are. */
function measure(bytes: Buffer, offset: number): { readonly size: number; readonly values: number } {
  const form = bytes[offset]!;
  if (form < 0x80 || form >= 0xe0) return { size: 1, values: 0 };
  if (form < 0x90) return { size: 1, values: 2 * (form & 0x0f) };
  if (form < 0xa0) return { size: 1, values: form & 0x0f };
  if (form < 0xc0) return { size: 1 + (form & 0x1f), values: 0 };
  const head = HEAD_BYTES[form - 0xc0] ?? null;
  if (head === null) throw new RangeError('not MessagePack');
  const lengthBytes = LENGTH_BYTES.get(form);
  if (lengthBytes === undefined) return { size: 1 + head, values: 0 };
  const length = bytes.readUIntBE(offset + 1, lengthBytes);
  if (form === 0xdc || form === 0xdd) return { size: 1 + head, values: length };
  if (form === 0xde || form === 0xdf) return { size: 1 + head, values: 2 * length };
  return { size: 1 + head + length, values: 0 };
}

/**
 * Checks that bytes hold one MessagePack value, every part of it. A decoder makes room for what a length says before it looks whether
 * that is there, so a few bytes could have gigabytes set aside.
 * @throws RangeError
 */
export function checkMessagePack(bytes: Buffer): void {
  let offset = 0;
  /** Values still to come, of each list or map that is open. */
  const open = [1];
  while (open.length > 0) {
    const last = open.length - 1;
    if (open[last] === 0) {
      open.pop();
      continue;
    }
    open[last]! -= 1;
    if (offset >= bytes.length) throw new RangeError('MessagePack ends early');
    const { size, values } = measure(bytes, offset);
    offset += size;
    if (values > bytes.length - offset) throw new RangeError('MessagePack ends early');
    if (values > 0) open.push(values);
    if (open.length > DEPTH_MAX) throw new RangeError('MessagePack is nested too deeply');
  }
  if (offset !== bytes.length) throw new RangeError('MessagePack has another length than it says');
}

/** The library's decoder; what it throws ends the connection. */
class PacketDecoder extends parser.Decoder {
  override add(packet: unknown): void {
    if (!Buffer.isBuffer(packet)) throw new TypeError('packets are binary');
    checkMessagePack(packet);
    super.add(packet);
  }

  override checkPacket(packet: { readonly type: unknown; readonly data?: readonly unknown[] }): void {
    super.checkPacket(packet);
    if (packet.type !== EVENT) return;
    const event = packet.data?.[0];
    if (typeof event !== 'string' || RESERVED.has(event)) throw new TypeError('not an event of a client');
  }
}

/** Socket.IO's MessagePack parser for a server that does not trust its clients. */
export const packetParser = { Encoder: parser.Encoder, Decoder: PacketDecoder };
