/** The rules of ARCHITECTURE.md that a machine can check, checked on the import lines of src/. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCycle, packageOf, parseImports, readSources, resolveImport } from '../support/import-lines.ts';

const root = join(import.meta.dirname, '../..');
const sources = readSources(join(root, 'src'));

/**
 * From what everything may use up to what uses everything. A file imports from its own layer or from
 * one further down; an adapter is reached from the composition root alone.
 */
const layers = [
  ['platform', 'keeper', 'errors.ts', 'errors-table.ts', 'error-rows'],
  ['config', 'store', 'ipc'],
  [
    'keys',
    'accounts',
    'hosts',
    'engines',
    'certificate-authorities',
    'second-factor',
    'tokens',
    'auth',
    'targets',
    'audit',
    'metrics',
    'recordings',
    'container-sshd',
    'proxies',
    'listening',
    'backup',
  ],
  ['sessions', 'commands', 'gateways'],
  ['ssh', 'http', 'dialects', 'control'],
  ['workers'],
  [
    'gateway.ts',
    'gateway-facade.ts',
    'gateway-ports.ts',
    'gateway-memory.ts',
    'gateway-arrivals.ts',
    'gateway-adapters.ts',
    'gateway-rules.ts',
    'gateway-backup.ts',
    'gateway-store.ts',
    'gateway-migrate.ts',
    'gateway-engines.ts',
    'gateway-doors.ts',
    'gateway-operator.ts',
    'gateway-ending.ts',
    'gateway-workers.ts',
    'gateway-workers-serving.ts',
    'gateway-worker.ts',
    'gateway-worker-held.ts',
    'gateway-worker-ports.ts',
  ],
  ['cli'],
  ['main.ts'],
] as const;
const doors = layers[4] as readonly string[];
const doorsLayer = layers.indexOf(layers[4]);
const adapters = [
  'store/lowdb',
  'store/over-ipc',
  'store/postgres',
  'targets/container',
  'targets/remote-host',
];

/** Who may import a library, types included. */
const importersOf: Readonly<Record<string, readonly string[]>> = {
  ssh2: ['ssh/'],
  sshpk: ['keys/'],
  dockerode: ['targets/container/'],
  lowdb: ['store/lowdb/'],
  pg: ['store/postgres/'],
  otpauth: ['second-factor/'],
  uqr: ['second-factor/'],
  'age-encryption': ['backup/'],
  fastify: ['http/', 'dialects/'],
  'prom-client': ['metrics/'],
};

const topOf = (path: string) => path.split('/')[0] as string;
const adapterOf = (path: string) => adapters.find((adapter) => path.startsWith(`${adapter}/`));
const layerOf = (path: string) =>
  layers.findIndex((layer) => (layer as readonly string[]).includes(topOf(path)));

const edges = sources.flatMap(({ path, imports }) =>
  imports.flatMap(({ specifier, typeOnly, names }) => {
    const to = resolveImport(path, specifier);
    return to === undefined ? [] : [{ from: path, to, typeOnly, names }];
  }),
);
const told = (list: readonly { from: string; to: string }[]) =>
  list.map(({ from, to }) => `${from} imports ${to}`);

describe('imports run one way', () => {
  it('every folder of src has its layer', () => {
    expect(sources.map(({ path }) => path).filter((path) => layerOf(path) === -1)).toEqual([]);
  });

  it('no file imports from a layer above its own', () => {
    const wrong = edges.filter(({ from, to, typeOnly }) => !typeOnly && layerOf(to) > layerOf(from));
    expect(told(wrong)).toEqual([]);
  });

  it('nothing below the doors knows a door, the gateway or the command line, not even by a type', () => {
    const wrong = edges.filter(({ from, to }) => layerOf(from) < doorsLayer && layerOf(to) >= doorsLayer);
    expect(told(wrong)).toEqual([]);
  });

  it('no door knows another', () => {
    const wrong = edges.filter(
      ({ from, to }) => doors.includes(topOf(from)) && doors.includes(topOf(to)) && topOf(from) !== topOf(to),
    );
    expect(told(wrong)).toEqual([]);
  });

  it('only the composition root names an adapter', () => {
    const wrong = edges.filter(
      ({ from, to }) =>
        adapterOf(to) !== undefined &&
        adapterOf(from) !== adapterOf(to) &&
        !/^gateway(-adapters|-rules|-store|-migrate|-backup|-engines|-workers|-worker-ports)?\.ts$/.test(
          from,
        ),
    );
    expect(told(wrong)).toEqual([]);
  });

  it('an adapter uses its port, platform and errors, and no rule', () => {
    const allowed = ['platform', 'errors.ts', 'config', 'ipc'];
    const wrong = edges.filter(({ from, to, typeOnly }) => {
      const adapter = adapterOf(from);
      if (adapter === undefined || typeOnly || adapterOf(to) === adapter) return false;
      return topOf(to) !== topOf(adapter) && !allowed.includes(topOf(to));
    });
    expect(told(wrong)).toEqual([]);
  });

  it('no two files import each other, over however many others', () => {
    const graph = new Map(sources.map(({ path }): [string, string[]] => [path, []]));
    for (const { from, to, typeOnly } of edges) if (!typeOnly) graph.get(from)?.push(to);
    expect(findCycle(graph)).toBeUndefined();
  });

  it('every relative import names a file that is there', () => {
    const paths = new Set(sources.map(({ path }) => path));
    expect(told(edges.filter(({ to }) => !paths.has(to)))).toEqual([]);
  });
});

describe('what only one place may do', () => {
  it.each(Object.entries(importersOf))('%s is imported by %j alone', (library, importers) => {
    const wrong = sources.filter(
      ({ path, imports }) =>
        imports.some(({ specifier }) => packageOf(specifier) === library) &&
        !importers.some((importer) => path.startsWith(importer)),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it.each([
    ['provenIdentity', 'auth/identity.ts'],
    ['grantAuthorization', 'auth/authorization.ts'],
  ])('%s is imported in auth/ alone, and by name', (name, home) => {
    const users = edges.filter(
      ({ to, typeOnly, names }) => to === home && !typeOnly && (names.length === 0 || names.includes(name)),
    );
    expect(users.map(({ from }) => from).filter((from) => !from.startsWith('auth/'))).toEqual([]);
    expect(users).not.toEqual([]);
  });

  it('process.argv is read and process.exitCode written by main.ts alone', () => {
    const users = sources.filter(({ text }) => /process\.(argv|exitCode)\b/.test(text));
    expect(users.map(({ path }) => path)).toEqual(['main.ts']);
  });
});

describe('names and sizes', () => {
  const files = globSync('{src,test,scripts,bench,fuzz}/**/*.{ts,mjs,sh}', { cwd: root });

  it('no file or folder is called utils, common, helpers, core, lib or misc', () => {
    const vague = /(^|\/)(utils?|common|helpers?|core|lib|misc)(\.\w+)?(\/|$)/;
    expect(files.filter((file) => vague.test(file))).toEqual([]);
  });

  it('files are named in kebab-case', () => {
    expect(files.filter((file) => !/^([a-z0-9]+(-[a-z0-9]+)*(\/|\.))+(ts|mjs|sh)$/.test(file))).toEqual([]);
  });

  it('no file is longer than 280 lines', () => {
    const lines = (file: string) => readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length;
    expect(files.filter((file) => lines(file) > 280)).toEqual([]);
  });
});

describe('the reader of import lines', () => {
  it('sees imports over several lines, types, re-exports, bare and dynamic ones', () => {
    const text = `import {\n  one,\n  type Two,\n} from './a.ts';
import type { Three } from 'ssh2';
export { four as five } from '../b.ts';
import 'side-effect';
const six = await import('./c.ts');
// import { commented } from 'out';`;
    expect(parseImports(text)).toEqual([
      { specifier: './a.ts', typeOnly: false, names: ['one', 'Two'] },
      { specifier: 'ssh2', typeOnly: true, names: ['Three'] },
      { specifier: '../b.ts', typeOnly: false, names: ['four'] },
      { specifier: 'side-effect', typeOnly: false, names: [] },
      { specifier: './c.ts', typeOnly: false, names: [] },
    ]);
  });

  it('finds a cycle and tells its way', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    expect(findCycle(graph)).toEqual(['b', 'd', 'b']);
    expect(findCycle(new Map([['a', ['b']]]))).toBeUndefined();
  });

  it('knows a package by any path into it', () => {
    expect(packageOf('ssh2/lib/utils.js')).toBe('ssh2');
    expect(packageOf('@scope/name/deep.js')).toBe('@scope/name');
  });

  it('reads more than a few files', () => {
    expect(sources.length).toBeGreaterThan(40);
  });
});
