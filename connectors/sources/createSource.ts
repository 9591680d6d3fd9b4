import { type LeanOptions, LeanReplay } from './lean/lean.ts';
import { Simulator, type SimulatorOptions } from './simulator/simulator.ts';
import type { MarketSource } from './source.ts';

export type SourceSettings =
  | ({ readonly kind: 'simulator' } & SimulatorOptions)
  | ({ readonly kind: 'lean' } & LeanOptions)
  | { readonly kind: 'none' };

/** The market source that the settings name; null for none. @throws ConnectorError */
export function createSource(settings: SourceSettings): MarketSource | null {
  if (settings.kind === 'simulator') return new Simulator(settings);
  if (settings.kind === 'lean') return new LeanReplay(settings);
  return null;
}
