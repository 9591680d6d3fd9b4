import { byId } from './dom.ts';

export type View = 'markets' | 'chart' | 'trade' | 'orders' | 'account';

/** On a narrow screen one view shows at a time; on a wide one all of them do, and this changes nothing that is seen. */
export function showView(view: View): void {
  document.body.dataset.view = view;
  for (const button of byId('dock', HTMLElement).querySelectorAll<HTMLButtonElement>('button'))
    button.setAttribute('aria-pressed', String(button.dataset.go === view));
}

export function isNarrow(): boolean {
  return matchMedia('(max-width: 800px)').matches;
}

export function listenToDock(): void {
  byId('dock', HTMLElement).addEventListener('click', (event) => {
    const go = (event.target as Element).closest<HTMLElement>('button[data-go]')?.dataset.go;
    if (go !== undefined) showView(go as View);
  });
}
