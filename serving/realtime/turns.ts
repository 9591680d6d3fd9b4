/** Those who go on in one turn of the event loop. */
const TURN_SIZE = 16;

/** Lets those who wait go on a few at a time, in order, so that thousands of reads of a store do not hold up everything else. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isDue = false;

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#isDue) this.#schedule();
    });
  }

  #schedule(): void {
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      for (const goOn of this.#waiting.splice(0, TURN_SIZE)) goOn();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
