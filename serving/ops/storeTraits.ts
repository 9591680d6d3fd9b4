import { z } from 'zod';
import { STORE_RESIDENCES } from '../../stores/store.ts';

/** What every description of a store says of it, whether it is sent to a tool or noted of a deployment. */
export const storeTraits = {
  kind: z.enum([
    'key-value',
    'timestamped-key-value',
    'window',
    'timestamped-window',
    'session',
    'versioned-key-value',
  ]),
  layout: z.enum(['plain', 'window', 'range', 'session', 'versioned']),
  residence: z.enum(STORE_RESIDENCES),
  global: z.boolean(),
} as const;
