/** The smallest key greater than every key that starts with the prefix; null where there is none. */
export function prefixEnd(prefix: Buffer): Buffer | null {
  for (let index = prefix.length - 1; index >= 0; index -= 1) {
    if (prefix[index]! < 0xff) {
      const end = Buffer.from(prefix.subarray(0, index + 1));
      end[index] = prefix[index]! + 1;
      return end;
    }
  }
  return null;
}
