import { byId, FigureList } from '../views/dom.ts';
import { DetailsView } from './detailsView.ts';
import { count, duration } from './format.ts';
import { Live } from './live.ts';
import { MapView } from './mapView.ts';
import type { Figures, Graph } from './model.ts';

const LINK_TEXT = { live: 'Live', connecting: 'Connecting…', 'signed-out': 'Signed out' } as const;

/** The page of the topologies. */
class OpsPage {
  readonly #totals: FigureList;
  readonly #map = new MapView(byId('map', HTMLElement), (id) => this.#select(id));
  readonly #details = new DetailsView();
  readonly #live: Live;
  #graph: Graph | null = null;
  #figures: Figures | null = null;
  #selected: string | null = decodeURIComponent(location.hash.slice(1)) || null;

  constructor() {
    this.#totals = new FigureList(byId('totals', HTMLDListElement), [
      ['rate', 'Records/s'],
      ['lag', 'Behind'],
      ['dead', 'Dead letters'],
      ['up', 'Up'],
      ['version', 'Version'],
    ]);
    this.#live = new Live({
      onGraph: (graph) => this.#onGraph(graph),
      onFigures: (figures) => this.#onFigures(figures),
      onState: (state) => this.#onState(state),
    });
    byId('sign-in', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#signIn({ token: byId('token', HTMLInputElement).value.trim() });
    });
    byId('sign-out', HTMLButtonElement).addEventListener('click', () => void this.#signOut());
  }

  async start(): Promise<void> {
    const code = /^#code=(.+)$/.exec(location.hash)?.[1];
    if (code === undefined) {
      this.#live.start();
      return;
    }
    // Used up or not, a code has no place in the history.
    history.replaceState(null, '', location.pathname);
    this.#selected = null;
    await this.#signIn({ code });
  }

  #onGraph(graph: Graph): void {
    this.#graph = graph;
    this.#map.draw(graph);
    this.#show(true);
    const first = graph.applications[0];
    if (this.#selected === null && first !== undefined) this.#selected = `application/${first}`;
    if (this.#selected !== null) this.#map.select(this.#selected);
  }

  #onFigures(figures: Figures): void {
    this.#figures = figures;
    this.#map.update(figures);
    const sum = (of: (application: Figures['applications'][number]) => number): number =>
      figures.applications.reduce((total, application) => total + of(application), 0);
    const [lag, dead] = [sum((each) => each.lag), sum((each) => each.openDeadLetters)];
    this.#totals.set('rate', count(sum((each) => each.rate)));
    this.#totals.set('lag', count(lag), lag > 0 ? 'warn' : '');
    this.#totals.set('dead', count(dead), dead > 0 ? 'warn' : '');
    if (this.#graph !== null) {
      this.#totals.set('up', duration(figures.atMs - this.#graph.startedAtMs));
      this.#totals.set('version', `${this.#graph.version}, ${this.#graph.engine}`);
    }
    const wrong = Object.entries(figures.checks).filter(
      ([, state]) => state !== 'ok' && state !== 'finished',
    );
    const banner = byId('banner', HTMLElement);
    banner.hidden = wrong.length === 0;
    banner.textContent = wrong.map(([name, state]) => `${name}: ${state}`).join('; ');
    this.#showDetails();
  }

  #showDetails(): void {
    if (this.#selected !== null && this.#graph !== null && this.#figures !== null)
      this.#details.show(this.#selected, this.#graph, this.#figures);
  }

  #select(id: string): void {
    this.#selected = id;
    history.replaceState(null, '', `#${encodeURIComponent(id)}`);
    this.#map.select(id);
    this.#showDetails();
  }

  #onState(state: keyof typeof LINK_TEXT): void {
    document.body.dataset.link = state;
    byId('link', HTMLElement).textContent = LINK_TEXT[state];
    if (state === 'signed-out') this.#show(false);
  }

  /** Shows the map, or asks to sign in. */
  #show(signedIn: boolean): void {
    byId('sign-in', HTMLFormElement).hidden = signedIn;
    for (const id of ['map-panel', 'totals', 'sign-out']) byId(id, HTMLElement).hidden = !signedIn;
    if (signedIn) return;
    for (const id of ['details', 'banner']) byId(id, HTMLElement).hidden = true;
    byId('token', HTMLInputElement).focus();
  }

  async #signIn(how: { readonly token: string } | { readonly code: string }): Promise<void> {
    const problem = byId('sign-in-problem', HTMLElement);
    problem.textContent = '';
    const headers = { 'content-type': 'application/json' };
    try {
      const response = await fetch('/ops/session', { method: 'POST', headers, body: JSON.stringify(how) });
      if (response.ok) {
        byId('token', HTMLInputElement).value = '';
        this.#live.start();
        return;
      }
      const { message } = (await response.json()) as { readonly message?: string };
      problem.textContent = message ?? `the server answered ${response.status}`;
    } catch {
      problem.textContent = 'the server does not answer; try again';
    }
    this.#onState('signed-out');
  }

  async #signOut(): Promise<void> {
    this.#live.stop();
    await fetch('/ops/session', { method: 'DELETE' }).catch(() => undefined);
    this.#onState('signed-out');
  }
}

await new OpsPage().start();
