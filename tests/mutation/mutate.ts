import type { Mutant } from './mutants.ts';

/** The text with the bug put in. @throws where its place is not found exactly once */
export function mutate({ name, file, search, replace }: Mutant, text: string): string {
  const parts = text.split(search);
  if (parts.length !== 2)
    throw new Error(`mutant ${name}: its place is found ${parts.length - 1} times in ${file}: ${search}`);
  return parts.join(replace);
}
