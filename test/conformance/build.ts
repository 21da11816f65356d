/** Builds the runner's page. A family that does not build fails alone: the others still run. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { buildPage, root, type Files } from '../setup/bundle.ts';

const folder = join(root, 'test', 'conformance', 'families');
const PAGE = 'test/conformance/page.html';

/** Families that the project has a file for. */
export function knownFamilies(): Set<string> {
  if (!existsSync(folder)) return new Set();
  return new Set(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => name.slice(0, -3)),
  );
}

function familiesPlugin(families: readonly string[]): Plugin {
  const id = 'virtual:families';
  return {
    name: 'conformance-families',
    resolveId: (source) => (source === id ? `\0${id}` : undefined),
    load: (source) =>
      source === `\0${id}`
        ? `export const families = {${families
            .map(
              (name) =>
                `${JSON.stringify(name)}: () => import(${JSON.stringify(join(folder, `${name}.ts`))})`,
            )
            .join(',\n')}};`
        : undefined,
  };
}

const build = (families: readonly string[]) => buildPage(PAGE, () => [familiesPlugin(families)]);

/** The built page, and why a family is not in it. */
export async function buildFamilies(
  families: readonly string[],
): Promise<{ files: Files; broken: Map<string, string> }> {
  const broken = new Map<string, string>();
  try {
    return { files: await build(families), broken };
  } catch {
    for (const family of families)
      await build([family]).catch((error: unknown) => {
        broken.set(family, firstLines(error instanceof Error ? error.message : String(error)));
      });
    return { files: await build(families.filter((family) => !broken.has(family))), broken };
  }
}

function firstLines(text: string): string {
  return text.split('\n').slice(0, 6).join(' ');
}
