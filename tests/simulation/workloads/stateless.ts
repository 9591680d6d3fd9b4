import { type SimulatedWorkload, StreamsBuilder } from '../../../streams/index.ts';
import { drawInputs, TEXTS } from './inputs.ts';

function topology() {
  const builder = new StreamsBuilder();
  const lines = builder.stream('lines', TEXTS).filter((key, value) => key !== null && value !== 'v3');
  lines.mapValues((value) => (value === null ? null : value.toUpperCase())).to('upper', TEXTS);
  const branches = lines
    .flatMapValues((value) => (value === null ? [] : [value, `${value}!`]))
    .split({ name: 'by-length-' })
    .branch((_key, value) => value.length > 3, { name: 'long' })
    .defaultBranch({ name: 'short' });
  branches.get('by-length-long')!.to('long', TEXTS);
  branches
    .get('by-length-short')!
    .merge(builder.stream('others', TEXTS).filter((_key, value) => value !== null))
    .map((key, value) => ({ key: `${key}-${value}`, value }))
    .to('short', TEXTS);
  return builder.build();
}

/** Filters, maps, branches and merges: nothing is kept. */
export const STATELESS: SimulatedWorkload = {
  name: 'stateless',
  applications: [{ applicationId: 'stateless', topology: topology() }],
  partitions: { lines: 3, others: 3, upper: 3, long: 2, short: 2 },
  inputs: (chance) =>
    drawInputs(chance, { topics: ['lines', 'others'], count: 60, keys: 9, deletions: 50, missingKeys: 50 }),
  kafkaOutcome: { upper: 'records', long: 'records-by-key', short: 'any-order' },
};
