import { crc32 } from 'node:zlib';

/** A message of the depth channel, as the README has it. */
export interface DepthMessage {
  readonly type: 'snapshot' | 'delta';
  readonly symbol: string;
  readonly sequence: number;
  readonly previous?: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
  readonly checksum: number;
}

type Levels = Map<string, string>;

export function bestFirst(levels: Levels, side: 'bids' | 'asks'): [string, string][] {
  return [...levels].sort(([a], [b]) => (side === 'bids' ? Number(b) - Number(a) : Number(a) - Number(b)));
}

/** A client's book, kept by the README's words and nothing of ours. */
export class ClientBook {
  readonly bids: Levels = new Map();
  readonly asks: Levels = new Map();
  sequence = -1;
  snapshots = 0;
  deltas = 0;
  readonly problems: string[] = [];

  take(message: DepthMessage): void {
    if (message.type === 'snapshot') {
      this.snapshots += 1;
      this.bids.clear();
      this.asks.clear();
    } else {
      this.deltas += 1;
      if (message.previous !== this.sequence)
        this.problems.push(`a delta follows ${message.previous}, the client has ${this.sequence}`);
    }
    for (const side of ['bids', 'asks'] as const)
      for (const [price, size] of message[side]) {
        if (size === '0') this[side].delete(price);
        else this[side].set(price, size);
      }
    this.sequence = message.sequence;
    if (this.#checksum() !== message.checksum) this.problems.push(`wrong checksum at ${message.sequence}`);
  }

  #checksum(): number {
    const units = (text: string, decimals: number): string => {
      const [whole, fraction = ''] = text.split('.');
      return BigInt(whole + fraction.padEnd(decimals, '0')).toString();
    };
    const text = (['bids', 'asks'] as const)
      .flatMap((side) => bestFirst(this[side], side).slice(0, 10))
      .map(([price, size]) => `${units(price, 4)}:${units(size, 6)};`)
      .join('');
    return crc32(text);
  }
}
