import type { Figures, Graph } from './model.ts';

export interface LiveListener {
  onGraph(graph: Graph): void;
  onFigures(figures: Figures): void;
  onState(state: 'live' | 'connecting' | 'signed-out'): void;
}

const RETRY_MS = 2_000;

async function isSignedOut(): Promise<boolean> {
  try {
    // An event stream tells no status: asked for once more, it does.
    const abort = new AbortController();
    const { status } = await fetch('/ops/live', { signal: abort.signal });
    abort.abort();
    return status === 401;
  } catch {
    return false;
  }
}

/** Follows the figures of the instance; connects again by itself, until the sign-in ends. */
export class Live {
  readonly #listener: LiveListener;
  #source: EventSource | null = null;

  constructor(listener: LiveListener) {
    this.#listener = listener;
  }

  start(): void {
    this.stop();
    this.#listener.onState('connecting');
    const source = new EventSource('/ops/live');
    this.#source = source;
    source.addEventListener('graph', ({ data }) => this.#listener.onGraph(JSON.parse(data) as Graph));
    source.addEventListener('figures', ({ data }) => {
      this.#listener.onFigures(JSON.parse(data) as Figures);
      this.#listener.onState('live');
    });
    source.addEventListener('error', () => void this.#failed(source));
  }

  async #failed(source: EventSource): Promise<void> {
    source.close();
    if (this.#source !== source) return;
    this.#source = null;
    this.#listener.onState('connecting');
    if (await isSignedOut()) this.#listener.onState('signed-out');
    else setTimeout(() => this.#source === null && this.start(), RETRY_MS);
  }

  stop(): void {
    this.#source?.close();
    this.#source = null;
  }
}
