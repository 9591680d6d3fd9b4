import { count, fitted, shortCount } from './format.ts';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type PlacedNode } from './layout.ts';
import type { Application, Figures, Graph, Topic } from './model.ts';

const SVG = 'http://www.w3.org/2000/svg';
const NAME_CHARACTERS = 18;

type Attributes = Readonly<Record<string, string | number>>;

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes,
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

function textOf(attributes: Attributes, content: string): SVGTextElement {
  return svg('text', attributes, document.createTextNode(content));
}

interface NodeView {
  readonly group: SVGGElement;
  readonly figure: SVGTextElement;
  readonly title: SVGTitleElement;
  /** What it is and what it is called, for those who listen. */
  readonly spoken: string;
}

interface EdgeView {
  readonly path: SVGPathElement;
  readonly from: string;
  readonly to: string;
}

function applicationFigure({ state, rate, lag, openDeadLetters }: Application): string {
  if (state === 'failed' || state === 'stopped') return state;
  const letters = openDeadLetters > 0 ? ` · ${shortCount(openDeadLetters)} dead` : '';
  return `${shortCount(rate)}/s · lag ${shortCount(lag)}${letters}`;
}

function topicFigure({ rate, records }: Topic): string {
  return `${shortCount(rate)}/s · ${shortCount(records)} held`;
}

/** The map as SVG: made once, its figures and states written again with each sample. */
export class MapView {
  readonly #box: HTMLElement;
  readonly #onSelect: (id: string) => void;
  readonly #nodes = new Map<string, NodeView>();
  #edges: readonly EdgeView[] = [];
  #selected: string | null = null;

  constructor(box: HTMLElement, onSelect: (id: string) => void) {
    this.#box = box;
    this.#onSelect = onSelect;
  }

  draw(graph: Graph): void {
    const ids = [
      ...graph.topics.filter(({ external }) => external).map(({ name }) => `topic/${name}`),
      ...graph.applications.map((id) => `application/${id}`),
      ...graph.topics.filter(({ external }) => !external).map(({ name }) => `topic/${name}`),
    ];
    const layout = layOut(ids, graph.edges);
    const root = svg('svg', {
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      width: layout.width,
      height: layout.height,
      role: 'group',
      'aria-label': `${graph.applications.length} applications and ${graph.topics.length} topics`,
    });
    const arrow = svg('path', { d: 'M0,0 L7,3.5 L0,7 z', class: 'arrow' });
    root.append(
      svg(
        'defs',
        {},
        svg(
          'marker',
          {
            id: 'arrow',
            markerWidth: 7,
            markerHeight: 7,
            refX: 6.5,
            refY: 3.5,
            orient: 'auto',
            markerUnits: 'userSpaceOnUse',
          },
          arrow,
        ),
      ),
    );
    this.#edges = layout.edges.map(({ edge, back, path }) => {
      const kind = `edge${back ? ' back' : ''}${edge.global ? ' global' : ''}`;
      const line = svg('path', { d: path, class: kind, 'marker-end': 'url(#arrow)', 'aria-hidden': 'true' });
      root.append(line);
      return { path: line, from: edge.from, to: edge.to };
    });
    this.#nodes.clear();
    for (const node of layout.nodes) root.append(this.#node(node, graph));
    this.#box.replaceChildren(root);
    if (this.#selected !== null) this.select(this.#selected);
  }

  #node({ id, x, y }: PlacedNode, graph: Graph): SVGGElement {
    const application = id.startsWith('application/');
    const name = id.slice(id.indexOf('/') + 1);
    const topic = graph.topics.find((each) => each.name === name);
    const kind = application
      ? 'application'
      : topic?.internal
        ? 'topic internal'
        : topic?.external
          ? 'topic external'
          : 'topic';
    const figure = textOf({ x: NODE_WIDTH / 2, y: 35, class: 'figure' }, '');
    const title = svg('title', {}, document.createTextNode(name));
    const group = svg(
      'g',
      {
        class: `node ${kind}`,
        transform: `translate(${x} ${y})`,
        tabindex: 0,
        role: 'button',
        'aria-pressed': 'false',
      },
      title,
      svg('rect', { width: NODE_WIDTH, height: NODE_HEIGHT, rx: application ? 6 : 0 }),
      textOf({ x: NODE_WIDTH / 2, y: 19, class: 'name' }, fitted(name, NAME_CHARACTERS)),
      figure,
    );
    if (application) group.append(svg('circle', { cx: 9, cy: 9, r: 3.5, class: 'lamp' }));
    group.dataset.id = id;
    group.addEventListener('click', () => this.#onSelect(id));
    group.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      this.#onSelect(id);
    });
    const what = application ? 'application' : topic?.external ? 'topic written from outside' : 'topic';
    this.#nodes.set(id, { group, figure, title, spoken: `${name}, ${what}` });
    return group;
  }

  #show(id: string, figure: string, state: string, spoken: string): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    if (node.figure.textContent !== figure) node.figure.textContent = figure;
    if (node.group.dataset.state !== state) node.group.dataset.state = state;
    const label = `${node.spoken}, ${spoken}`;
    if (node.group.getAttribute('aria-label') !== label) node.group.setAttribute('aria-label', label);
    if (node.title.textContent !== label) node.title.textContent = label;
  }

  update({ applications, topics }: Figures): void {
    const moving = new Set<string>();
    for (const application of applications) {
      const { id, state, rate, lag, openDeadLetters } = application;
      const shown = state === 'running' && (lag > 0 || openDeadLetters > 0) ? 'behind' : state;
      const spoken = `${state}, ${count(rate)} records a second, ${count(lag)} behind, ${count(openDeadLetters)} open dead letters`;
      this.#show(`application/${id}`, applicationFigure(application), shown, spoken);
    }
    for (const topic of topics) {
      if (topic.rate > 0) moving.add(`topic/${topic.name}`);
      const spoken = `${count(topic.rate)} records a second, ${count(topic.records)} held`;
      this.#show(`topic/${topic.name}`, topicFigure(topic), topic.rate > 0 ? 'moving' : 'still', spoken);
    }
    for (const { path, from, to } of this.#edges)
      path.classList.toggle('moving', moving.has(from) || moving.has(to));
  }

  /** Shows a node as chosen, and the edges that touch it. */
  select(id: string): void {
    this.#selected = id;
    for (const [each, { group }] of this.#nodes) group.setAttribute('aria-pressed', String(each === id));
    for (const { path, from, to } of this.#edges) path.classList.toggle('touched', from === id || to === id);
  }
}
