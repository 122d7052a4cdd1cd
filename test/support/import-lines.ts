/** Reads what source files import, for the test that keeps imports running one way. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  /** As the file writes it: `../errors.ts`, `node:fs`, `ssh2`. */
  readonly specifier: string;
  /** `import type` and `export type … from`: gone when the program runs. */
  readonly typeOnly: boolean;
  /** Names in braces, as the other file calls them. */
  readonly names: readonly string[];
}

export interface SourceFile {
  /** From the folder that was read: `auth/identity.ts`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const clause = /^(?:import|export)\s+(type\s+)?([^'";]*?)from\s+'([^']+)'/gm;
const bare = /^import\s+'([^']+)'/gm;
const dynamic = /\bimport\(\s*'([^']+)'/g;

/** The static and dynamic imports, and the re-exports, of a source text. */
export function parseImports(text: string): Import[] {
  const code = text.replace(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*)$/gm, '');
  const found: Import[] = [];
  for (const [, type, names = '', specifier = ''] of code.matchAll(clause)) {
    found.push({ specifier, typeOnly: type !== undefined, names: parseNames(names) });
  }
  for (const [, specifier = ''] of [...code.matchAll(bare), ...code.matchAll(dynamic)]) {
    found.push({ specifier, typeOnly: false, names: [] });
  }
  return found;
}

function parseNames(text: string): string[] {
  const inBraces = /\{([^}]*)\}/.exec(text)?.[1] ?? '';
  return inBraces
    .split(',')
    .map((name) =>
      name
        .trim()
        .replace(/^type\s+/, '')
        .replace(/\s+as\s.*$/, ''),
    )
    .filter((name) => name !== '');
}

/** Every TypeScript file below `folder`. */
export function readSources(folder: string): SourceFile[] {
  return globSync('**/*.ts', { cwd: folder })
    .sort()
    .map((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      return { path, text, imports: parseImports(text) };
    });
}

/** The path of the file that a relative import means, from the same folder as `from`; undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : undefined;
}

/** The name of the package that an import means: `node:fs`, `ssh2` of `ssh2/lib/utils.js`, `@scope/name`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

/** A cycle in the graph, as the nodes along it, or undefined. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next, [...trail, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}
