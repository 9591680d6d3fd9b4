import { make, show } from './dom.ts';

/** One cell: what stands in it, how it looks, or a button with what it does. */
export interface Cell {
  readonly text: string;
  readonly className?: string;
  readonly action?: { readonly label: string; readonly run: () => void; readonly busy?: boolean };
}

export interface Column {
  readonly title: string;
  readonly className?: string;
}

/** A table of keyed rows that keeps its rows from draw to draw, so that focus and selection stay where they are. */
export class RowTable {
  readonly #columns: readonly Column[];
  readonly #body = make('tbody');
  readonly #table: HTMLTableElement;
  readonly #empty = make('p', { className: 'empty' });
  readonly #rows = new Map<string, HTMLTableRowElement>();
  readonly #actions = new Map<string, () => void>();

  constructor(box: HTMLElement, label: string, columns: readonly Column[]) {
    this.#columns = columns;
    const head = make('tr', {
      children: columns.map(({ title, className }) =>
        make('th', { text: title, className: className ?? '', attributes: { scope: 'col' } }),
      ),
    });
    this.#table = make('table', {
      className: 'figures',
      attributes: { 'aria-label': label },
      children: [make('thead', { children: [head] }), this.#body],
    });
    box.replaceChildren(this.#table, this.#empty);
    this.#body.addEventListener('click', (event) => {
      const name = (event.target as Element).closest<HTMLElement>('button[data-action]')?.dataset.action;
      if (name !== undefined) this.#actions.get(name)?.();
    });
  }

  /** @param rows in the order in which they are shown @param emptyText shown where there is none */
  draw(rows: readonly { readonly key: string; readonly cells: readonly Cell[] }[], emptyText: string): void {
    this.#actions.clear();
    const wanted = new Set(rows.map(({ key }) => key));
    for (const [key, element] of this.#rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#rows.delete(key);
    }
    let before: Element | null = null;
    for (const { key, cells } of rows) {
      const element = this.#row(key);
      const next: Element | null = before === null ? this.#body.firstElementChild : before.nextElementSibling;
      if (next !== element) this.#body.insertBefore(element, next);
      before = element;
      for (const [index, cell] of cells.entries()) this.#fill(key, index, element.cells[index]!, cell);
    }
    this.#table.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    show(this.#empty, emptyText);
  }

  #row(key: string): HTMLTableRowElement {
    const present = this.#rows.get(key);
    if (present !== undefined) return present;
    const made = make('tr', {
      attributes: { 'data-key': key },
      children: this.#columns.map(() => make('td')),
    });
    this.#rows.set(key, made);
    return made;
  }

  #fill(key: string, index: number, element: HTMLTableCellElement, cell: Cell): void {
    const className = [this.#columns[index]!.className, cell.className].filter(Boolean).join(' ');
    if (cell.action === undefined) {
      show(element, cell.text, className);
      return;
    }
    if (element.className !== className) element.className = className;
    const name = `${key} ${index}`;
    let button = element.querySelector('button');
    if (button === null) {
      button = make('button', { attributes: { type: 'button', 'data-action': name } });
      if (index === 0) button.className = 'link-symbol';
      element.replaceChildren(button);
    }
    show(button, cell.text);
    button.disabled = cell.action.busy === true;
    if (button.getAttribute('aria-label') !== cell.action.label)
      button.setAttribute('aria-label', cell.action.label);
    this.#actions.set(name, cell.action.run);
  }
}
