import { z } from 'zod';
import { lagOf, type PartitionLag } from '../../streams/ops/lag.ts';
import { findApplication } from './find.ts';
import { named, type Operation, whole } from './operation.ts';

const line: z.ZodType<PartitionLag> = z.object({
  applicationId: z.string(),
  topic: z.string(),
  partition: whole,
  position: whole.nullable(),
  end: whole,
  lag: whole,
});

/** How far one application is behind, or all. */
export const lagOperation: Operation<{ readonly application: string | null }, PartitionLag> = {
  name: 'lag',
  params: z.strictObject({ application: named.nullable() }),
  line,
  async *run({ subject }, { application }) {
    const wanted = application === null ? subject.applications : [findApplication(subject, application)];
    yield* await lagOf(subject.engine, wanted);
  },
};
