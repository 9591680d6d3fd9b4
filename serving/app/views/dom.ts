/** The element of an id. @throws Error where index.html has none of that kind */
export function byId<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

export interface ElementOptions {
  readonly text?: string;
  readonly className?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly Node[];
}

/** Makes an element. Data goes in as text only, never as markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { text, className, attributes, children }: ElementOptions = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  if (children !== undefined) element.append(...children);
  return element;
}

/** Writes a text and a class only where they change: most figures stay the same from frame to frame. */
export function show(element: HTMLElement, text: string, className?: string): boolean {
  if (className !== undefined && element.className !== className) element.className = className;
  if (element.textContent === text) return false;
  element.textContent = text;
  return true;
}

const FLASH_MS = 450;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Lights a figure up for a moment, green where it rose and red where it fell. */
export function flash(element: HTMLElement, rose: boolean): void {
  if (calm.matches) return;
  const colour = rose ? 'rgb(47 191 138 / 38%)' : 'rgb(240 97 109 / 38%)';
  element.animate([{ backgroundColor: colour }, { backgroundColor: 'transparent' }], FLASH_MS);
}

/** A list of terms and figures that is filled in again and again. */
export class FigureList {
  readonly #figures = new Map<string, HTMLElement>();

  constructor(list: HTMLDListElement, terms: readonly (readonly [name: string, label: string])[]) {
    list.replaceChildren(
      ...terms.map(([name, label]) => {
        const figure = make('dd', { text: '–' });
        this.#figures.set(name, figure);
        return make('div', { children: [make('dt', { text: label }), figure] });
      }),
    );
  }

  set(name: string, text: string, className = ''): void {
    show(this.#figures.get(name)!, text, className);
  }
}
