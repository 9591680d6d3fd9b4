import { logConformance } from './conformance.ts';
import { LogUnderTest } from './support.ts';

logConformance('embedded', async () => {
  const under = new LogUnderTest();
  return { engine: await under.open(), reopen: () => under.reopen(), dispose: () => under.dispose() };
});
