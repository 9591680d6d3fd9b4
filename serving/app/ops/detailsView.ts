import { byId, make, show } from '../views/dom.ts';
import { count } from './format.ts';
import type { Application, Figures, Graph, Topic } from './model.ts';

type Cell = string | number;

interface TableContent {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Whether a cell is set to the right, as figures are. */
function isFigure(cell: Cell | undefined): boolean {
  return typeof cell === 'number' || (cell !== undefined && /^[\d,]+\+?$/.test(cell));
}

function cellText(cell: Cell): string {
  return typeof cell === 'number' ? count(cell) : cell;
}

/** A table whose cells are written again where they change; it is made anew where rows come or go. */
class TableView {
  readonly element: HTMLElement;
  readonly #body: HTMLTableSectionElement = make('tbody');
  readonly #key: string;

  constructor({ title, head, rows }: TableContent) {
    this.#key = TableView.key({ title, head, rows });
    const caption = make('caption', { text: title });
    const headRow = make('tr', {
      children: head.map((text, column) =>
        make('th', {
          text,
          attributes: { scope: 'col' },
          ...(isFigure(rows[0]?.[column]) ? { className: 'number' } : {}),
        }),
      ),
    });
    for (const row of rows)
      this.#body.append(
        make('tr', {
          children: row.map((cell) => make('td', isFigure(cell) ? { className: 'number' } : {})),
        }),
      );
    const table = make('table', { children: [caption, make('thead', { children: [headRow] }), this.#body] });
    this.element = make('section', {
      className: 'table-scroll',
      attributes: { tabindex: '0', 'aria-label': title },
      children: [table],
    });
  }

  static key({ title, head, rows }: TableContent): string {
    return `${title}|${head.length}|${rows.length}`;
  }

  fits(content: TableContent): boolean {
    return TableView.key(content) === this.#key;
  }

  update({ rows }: TableContent): void {
    for (const [index, row] of rows.entries()) {
      const cells = this.#body.rows[index]?.cells;
      for (const [column, cell] of row.entries()) {
        const element = cells?.[column];
        if (element !== undefined) show(element, cellText(cell));
      }
    }
  }
}

function applicationTables({ tasks, inputs, stores }: Application): readonly TableContent[] {
  const restoring = tasks.some((task) => task.restoring !== null);
  return [
    {
      title: 'Tasks',
      head: [
        'Task',
        'Records/s',
        'Processed',
        'Dropped',
        'Dead letters',
        ...(restoring ? ['To restore'] : []),
      ],
      rows: tasks.map((task) => [
        task.id,
        task.rate,
        task.processed,
        task.dropped,
        task.deadLettered,
        ...(restoring ? [task.restoring ?? 0] : []),
      ]),
    },
    {
      title: 'Input',
      head: ['Topic', 'Partition', 'Position', 'End', 'Lag'],
      rows: inputs.map(({ topic, partition, position, end, lag }) => [
        topic,
        String(partition),
        position ?? 0,
        end,
        lag,
      ]),
    },
    {
      title: 'Stores',
      head: ['Store', 'Kind', 'Partitions', 'Entries'],
      rows: stores.map(({ name, kind, partitions, entries, counted }) => [
        name,
        kind,
        partitions,
        counted ? count(entries) : `${count(entries)}+`,
      ]),
    },
  ];
}

function topicTables({ partitions }: Topic): readonly TableContent[] {
  return [
    {
      title: 'Partitions',
      head: ['Partition', 'Earliest', 'Latest', 'Records'],
      rows: partitions.map(({ earliest, latest }, partition) => [
        String(partition),
        earliest,
        latest,
        latest - earliest,
      ]),
    },
  ];
}

function applicationNote({ state, failure, lag, openDeadLetters }: Application): string {
  if (failure !== null) return `failed: ${failure}`;
  const letters =
    openDeadLetters > 0 ? `; ${count(openDeadLetters)} open dead letters: see opentape dlq list` : '';
  return `${state}, ${count(lag)} records behind${letters}`;
}

/** What there is to know of the node that is chosen. */
export class DetailsView {
  readonly #panel = byId('details', HTMLElement);
  readonly #title = byId('details-title', HTMLElement);
  readonly #note = byId('details-note', HTMLElement);
  readonly #tables = byId('tables', HTMLElement);
  #views: readonly TableView[] = [];

  show(id: string, graph: Graph, figures: Figures): void {
    const name = id.slice(id.indexOf('/') + 1);
    this.#panel.hidden = false;
    show(this.#title, name);
    const application = figures.applications.find((each) => id === `application/${each.id}`);
    const topic = figures.topics.find((each) => id === `topic/${each.name}`);
    if (application !== undefined) {
      show(
        this.#note,
        applicationNote(application),
        application.state === 'failed' ? 'details-note down' : 'details-note',
      );
      this.#fill(applicationTables(application));
    } else if (topic !== undefined) {
      show(this.#note, this.#topicNote(id, graph), 'details-note');
      this.#fill(topicTables(topic));
    }
  }

  #topicNote(id: string, { edges, topics }: Graph): string {
    const label = (node: string): string => node.slice(node.indexOf('/') + 1);
    const external = topics.some((each) => `topic/${each.name}` === id && each.external);
    const writers = edges.filter(({ to }) => to === id).map(({ from }) => label(from));
    const readers = edges.filter(({ from }) => from === id).map(({ to }) => label(to));
    const by = [...(external ? ['from outside'] : []), ...writers].join(', ') || 'nobody';
    return `written by ${by}; read by ${readers.join(', ') || 'serving only'}`;
  }

  #fill(contents: readonly TableContent[]): void {
    const shown = contents.filter(({ rows }) => rows.length > 0);
    if (
      shown.length !== this.#views.length ||
      !shown.every((content, index) => this.#views[index]!.fits(content))
    ) {
      this.#views = shown.map((content) => new TableView(content));
      this.#tables.replaceChildren(...this.#views.map(({ element }) => element));
    }
    for (const [index, content] of shown.entries()) this.#views[index]!.update(content);
  }
}
