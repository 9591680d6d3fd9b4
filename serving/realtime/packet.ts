/**
 * Event packets of Socket.IO in the form of its MessagePack parser: a map of type, namespace and data. Made once for all receivers.
 */
import { fixedString, pack, writeArrayHead } from './messagePack.ts';

const EVENT = 2;
const ARRAY_HEAD_BYTES = 5;

const heads = new Map<string, Buffer>();

/** Everything of an event packet that stands before its one argument. */
function headOf(event: string): Buffer {
  let head = heads.get(event);
  if (head === undefined) {
    head = Buffer.concat([
      Buffer.of(0x83),
      fixedString('type'),
      Buffer.of(EVENT),
      fixedString('nsp'),
      fixedString('/'),
      fixedString('data'),
      Buffer.of(0x92),
      fixedString(event),
    ]);
    heads.set(event, head);
  }
  return head;
}

/** The packet of an event of ours with one argument. */
export function eventPacket(event: string, argument: unknown): Buffer {
  return Buffer.concat([headOf(event), pack(argument)]);
}

/** The packet of an event whose argument is an array of parts that are encoded already. */
export function arrayPacket(event: string, parts: readonly Buffer[]): Buffer {
  const head = headOf(event);
  let length = head.length + ARRAY_HEAD_BYTES;
  for (const part of parts) length += part.length;
  const packet = Buffer.allocUnsafe(length);
  packet.set(head, 0);
  let end = writeArrayHead(packet, head.length, parts.length);
  for (const part of parts) {
    packet.set(part, end);
    end += part.length;
  }
  return packet;
}
