/** The examples of the guide: what stands in its pages runs in the tests as it is written. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as streams from '../../../streams/index.ts';
import { ROOT } from '../../support/sources.ts';

const { Serdes } = streams;
export const TEXTS = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** Something to run out of a page: a function's body with the parameters it is given, or a whole program. */
export interface Example {
  readonly name: string;
  readonly parameters: string;
  readonly code: string;
}

const PAGES = [
  'streams/README.md',
  ...readdirSync(join(ROOT, 'streams/docs')).map((name) => `streams/docs/${name}`),
];

function blocks(kind: 'example' | 'program'): readonly Example[] {
  const block = new RegExp(`<!-- ${kind}: ([\\w.]+)(?: \\((.*?)\\))? -->\n+\`\`\`ts\n(.*?)\`\`\``, 'gs');
  return PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(block)].map(([, name, parameters = '', code]) => ({
      name: name!,
      parameters,
      code: code!,
    })),
  );
}

export const EXAMPLES = blocks('example');
export const PROGRAMS = blocks('program');

/** Runs an example; its types are left to the test of the package. */
export function example<T>(name: string, given: Readonly<Record<string, unknown>> = {}): T {
  const found = EXAMPLES.find((each) => each.name === name);
  assert.ok(found, `the guide has no example ${name}`);
  const scope: Readonly<Record<string, unknown>> = { ...streams, texts: TEXTS, ...given };
  const names = Object.keys(scope);
  const code = found.code
    .replaceAll(/<string[^>()]*(?:<number>)?>(?=\()/g, '')
    .replaceAll(/^(\s*(?:const|let) \w+): [^=;]+(?=[=;])/gm, '$1')
    .replaceAll(/\((\w+): string\): number/g, '($1)');
  return new Function(...names, code)(...names.map((each) => scope[each])) as T;
}

/** Pipes records into topics of a topology and gives what it wrote to another: keys and values of text. */
export function outcome(
  topology: streams.Topology,
  records: readonly (readonly [topic: string, key: string, value: string | null, atMs: number])[],
  to: string,
): readonly (readonly [string | null, string | null])[] {
  const driver = new streams.TopologyTestDriver({ applicationId: 'guide', topology });
  for (const [topic, key, value, atMs] of records)
    driver.createInputTopic(topic, Serdes.string, Serdes.string).pipeInput(key, value, atMs);
  return driver.createOutputTopic(to, Serdes.string, Serdes.string).readKeyValuesToList();
}
