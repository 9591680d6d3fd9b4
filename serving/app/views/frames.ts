/** Draws what has changed once a frame, however often it changed since the last. */
export class Frames {
  readonly #dirty = new Set<() => void>();
  #asked = false;

  /** @param draw the same function each time, so that it is drawn once */
  request(draw: () => void): void {
    this.#dirty.add(draw);
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      const draws = [...this.#dirty];
      this.#dirty.clear();
      for (const each of draws) each();
    });
  }
}
