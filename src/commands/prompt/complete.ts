/** Tab at the prompt: commands, flags, and the names a command's words stand for. */
import type { Principal } from '../../auth/authorizer.ts';
import { hasControlCharacters } from '../../platform/printable.ts';
import type { Command, CommandServices, Positional } from '../command.ts';
import { isFlag } from '../interpreter/find-command.ts';
import { isFor, lacksSecondFactor } from '../interpreter/may-run.ts';
import { commonOptions } from '../interpreter/parse-arguments.ts';
import { readWord } from '../interpreter/words.ts';

/** Completions of the line's last word, and that word as typed. */
export async function completeLine(
  line: string,
  commands: readonly Command[],
  services: CommandServices,
  principal: Principal,
): Promise<[hits: string[], typed: string]> {
  const { words, last, typed } = splitLast(line);
  const mine = commands.filter(
    (command) => isFor(command.permission, principal) && !lacksSecondFactor(command, principal),
  );
  const names = await candidatesFor(words, last, mine, services, principal);
  const hits = [...new Set(names)]
    .filter((name) => name.startsWith(last) && !hasControlCharacters(name))
    .map(quoted);
  return [hits.length === 1 ? [`${hits[0]} `] : hits, typed];
}

/** The words before the last one, and the last as meant and as typed; an open quote belongs to the last. */
function splitLast(line: string): { words: string[]; last: string; typed: string } {
  const words: string[] = [];
  for (let position = 0; ; ) {
    const start = position + /^[ \t]*/.exec(line.slice(position))![0].length;
    const word = tolerantWord(line, start);
    if (word === undefined || word.end >= line.length) {
      return { words, last: word?.text ?? '', typed: line.slice(start) };
    }
    words.push(word.text);
    position = word.end;
  }
}

function tolerantWord(line: string, start: number) {
  try {
    return readWord(line, start);
  } catch {
    return { text: line.slice(start).replace(/['"\\]/g, ''), end: line.length };
  }
}

async function candidatesFor(
  words: readonly string[],
  last: string,
  commands: readonly Command[],
  services: CommandServices,
  principal: Principal,
): Promise<readonly string[]> {
  const plain = words.filter((word) => !isFlag(word));
  const command = commands.find(({ path }) => path.every((word, index) => plain[index] === word));
  if (!command)
    return commands
      .filter(({ path }) => isPrefix(plain, path))
      .map(({ path }) => path[plain.length] as string);
  if (isFlag(last) || last === '-') return flagsOf(command);
  const completes = positionalAt(command, plain.length - command.path.length)?.completes;
  return completes === undefined ? [] : sources[completes](services, principal, commands);
}

const isPrefix = (words: readonly string[], path: readonly string[]) =>
  words.length < path.length && words.every((word, index) => path[index] === word);

const flagsOf = (command: Command) =>
  Object.entries({ ...commonOptions, ...command.options }).map(([name, { type }]) =>
    name.length === 1 ? `-${name}` : `--${name}${type === 'string' ? '=' : ''}`,
  );

function positionalAt({ positionals }: Command, index: number): Positional | undefined {
  const final = positionals.at(-1);
  return positionals[index] ?? (final?.variadic ? final : undefined);
}

type Source = (
  services: CommandServices,
  principal: Principal,
  commands: readonly Command[],
) => Promise<readonly string[]>;

const sources: Readonly<Record<NonNullable<Positional['completes']>, Source>> = {
  key: async ({ keys }, { account }) => (await keys.list(account.id)).map(({ name }) => name),
  target: async (services, principal) =>
    (await Promise.all([containerNames(services, principal), hostNames(services, principal)])).flat(),
  container: (services, principal) => containerNames(services, principal),
  host: (services, principal) => hostNames(services, principal),
  account: async ({ accounts }, { account }) =>
    account.role === 'admin' ? (await accounts.list()).map(({ name }) => name) : [account.name],
  command: async (_services, _principal, commands) => commands.map(({ path }) => path[0] as string),
};

const containerNames = async ({ targets }: CommandServices, principal: Principal) =>
  (await targets.list(principal)).map(({ name, loginName = name }) => loginName);

const hostNames = async ({ authorizer, hosts }: CommandServices, principal: Principal) =>
  (await authorizer.reachableHosts(principal, await hosts.list())).map(({ slug }) => slug);

const quoted = (name: string) =>
  /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
