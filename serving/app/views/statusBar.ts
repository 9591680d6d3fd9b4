import { directionOf, formatPercent, formatPrice, formatQuantity, NONE } from '../market/format.ts';
import type { Market, MarketStatus } from '../market/marketDesk.ts';
import type { WatchFigures } from '../market/quoteBoard.ts';
import { clockTime, dayAndMinute } from '../market/time.ts';
import type { LinkState } from '../net/connection.ts';
import { byId, show } from './dom.ts';

/** Top and bottom of the page: the selected symbol, the exchange's time, whether the link and the market are alive. */
export class StatusBar {
  readonly #link = byId('link', HTMLSpanElement);
  readonly #clock = byId('clock', HTMLSpanElement);
  readonly #note = byId('feed-note', HTMLSpanElement);
  readonly #banner = byId('banner', HTMLDivElement);
  readonly #last = byId('headline-last', HTMLSpanElement);

  link(state: LinkState, attempt: number): void {
    document.body.dataset.link = state;
    const text =
      state === 'live'
        ? 'Live'
        : state === 'offline'
          ? 'Offline'
          : attempt > 0
            ? `Reconnecting… (${attempt})`
            : 'Connecting…';
    show(this.#link, text);
  }

  banner(text: string | null): void {
    this.#banner.hidden = text === null;
    show(this.#banner, text ?? '');
  }

  clock(status: MarketStatus | null): void {
    if (status === null) return;
    show(this.#clock, clockTime(status.time));
    const source = status.source === null ? 'no market source' : status.source.name;
    const finished = status.source?.finished === true ? ', finished' : '';
    const opens = status.nextOpen === null ? '' : `, opens ${dayAndMinute(status.nextOpen)}`;
    show(this.#note, `${source}${finished} · market ${status.open ? 'open' : `closed${opens}`}`);
  }

  headline(symbol: string, market: Market | null, figures: WatchFigures | null): void {
    const last = formatPrice(figures?.quote.lastTicks ?? null);
    show(byId('headline-symbol', HTMLSpanElement), symbol);
    show(byId('headline-name', HTMLSpanElement), market?.name ?? '');
    const direction = directionOf(figures?.changeTicks ?? null);
    show(this.#last, last, `headline-last ${direction}`);
    const change = figures?.changeTicks ?? null;
    show(
      byId('headline-change', HTMLSpanElement),
      change === null ? '' : `${formatPrice(change, true)} (${formatPercent(figures?.changeRatio ?? null)})`,
      `headline-change ${direction}`,
    );
    const side = (ticks: number | null, sizeMicros: number | null): string =>
      ticks === null ? NONE : `${formatPrice(ticks)} × ${formatQuantity(sizeMicros)}`;
    const quote = figures?.quote ?? null;
    show(byId('headline-bid', HTMLElement), side(quote?.bidTicks ?? null, quote?.bidSizeMicros ?? null));
    show(byId('headline-ask', HTMLElement), side(quote?.askTicks ?? null, quote?.askSizeMicros ?? null));
    document.title = `${symbol} ${last} · Opentape`;
  }
}
