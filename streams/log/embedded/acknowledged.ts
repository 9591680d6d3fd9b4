/**
 * The number of the newest commit that was acknowledged, kept beside the database. RocksDB ends its recovery silently at the
 * first damaged record of its write-ahead log; this number tells a torn tail, which nobody was promised, from commits
 * that were acknowledged and are gone.
 *
 * Two slots of 16 bytes are written in turn (number, f64 LE; CRC32 of it, u32 LE; 4 reserved), so that a torn write loses only the
 * newer one. It is not synced: after a loss of power an older number still holds.
 */
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const SLOT_BYTES = 16;

export class AcknowledgedCommits {
  private readonly file: number;
  private readonly slot: Buffer = Buffer.alloc(SLOT_BYTES);

  private constructor(file: number) {
    this.file = file;
  }

  /** Makes the file, telling that nothing was acknowledged yet. */
  static create(path: string): void {
    const file = openSync(path, 'w');
    try {
      writeSync(file, slotOf(0, Buffer.alloc(SLOT_BYTES)), 0, SLOT_BYTES, 0);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }

  /** Opens an existing file for writing. */
  static open(path: string): AcknowledgedCommits {
    return new AcknowledgedCommits(openSync(path, 'r+'));
  }

  /** The newest number that can be read, or null where neither slot holds one. */
  static read(path: string): number | null {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(2 * SLOT_BYTES);
      readSync(file, bytes, 0, bytes.length, 0);
      let newest: number | null = null;
      for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
        if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) continue;
        newest = Math.max(newest ?? 0, bytes.readDoubleLE(at));
      }
      return newest;
    } finally {
      closeSync(file);
    }
  }

  /** Notes a durable commit, before anybody is told of it. */
  write(commit: number): void {
    writeSync(this.file, slotOf(commit, this.slot), 0, SLOT_BYTES, (commit % 2) * SLOT_BYTES);
  }

  close(): void {
    closeSync(this.file);
  }
}

function slotOf(commit: number, slot: Buffer): Buffer {
  slot.writeDoubleLE(commit, 0);
  slot.writeUInt32LE(crc32(slot.subarray(0, 8)), 8);
  return slot;
}
