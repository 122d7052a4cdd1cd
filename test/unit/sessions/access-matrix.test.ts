/**
 * Every combination of role, grant, key, target, door and kind of channel, asked of the real rules. What should come of
 * it is said here in the words of the specification, by nothing that the rules themselves use.
 */
import { describe, expect, it } from 'vitest';
import { openMatrix } from '../../support/access-matrix.ts';
import {
  type Answer,
  type Door,
  doors,
  type Kind,
  keyKinds,
  kinds,
  type Question,
  standings,
  targets,
} from '../../support/access-questions.ts';
import { forAllTests } from '../../support/lifetimes.ts';

const matrix = forAllTests(openMatrix, ({ close }) => close());

const is = (name: string, ...among: readonly string[]) => among.includes(name);
const isForward = (kind: Kind) => !is(kind, 'shell', 'exec', 'pty', 'sftp', 'agent');
const isSocket = (kind: Kind) => is(kind, 'direct-streamlocal', 'streamlocal-forward');

/** An admin reaches every target; a member what is theirs, granted to them, or shared with all. */
function reaches({ standing, target, key }: Question): boolean {
  if (is(key, 'expired', 'tag that it lacks') || standing === 'disabled grantee') return false;
  return standing !== 'stranger' || target === 'open';
}

/** On `open` there are no grants: whoever is no admin and not its registrant is there as everybody is. */
const granted = (limit: string, { standing, target }: Question) => target !== 'open' && standing === limit;

/** A grantee enters as the default user, or as those of their grant; everybody else as any user the target lets in. */
function entersAsApp(question: Question): boolean {
  return question.target === 'open' || is(question.standing, 'admin', 'manager', 'grantee as app');
}

const hasLimits = (question: Question) =>
  ['grantee as app', 'grantee, no pty', 'grantee, no forwarding', 'grantee, no sftp'].some((limit) =>
    granted(limit, question),
  );

/** A jump is a forwarding, by the key that it is asked with. */
const jumps = (key: string) => !is(key, 'command', 'no-port-forwarding', 'permitopen elsewhere');

function mayForward(question: Question): boolean {
  const { key, kind, target } = question;
  if (granted('grantee, no forwarding', question)) return false;
  if (is(key, 'command', 'no-port-forwarding')) return false;
  // Unix sockets are a container's alone; permitopen= and permitlisten= are about hosts and ports.
  if (isSocket(kind)) return target === 'web';
  return kind === 'direct-tcpip' ? key !== 'permitopen elsewhere' : key !== 'permitlisten elsewhere';
}

/** A session, or a forward, inside the target. */
function inside(question: Question): Answer {
  const { key, kind } = question;
  if (isForward(kind)) return mayForward(question) ? 'yes' : 'no';
  if (kind === 'pty' && (key === 'no-pty' || granted('grantee, no pty', question))) return 'no';
  if (kind === 'agent' && key === 'no-agent-forwarding') return 'no';
  if (key === 'command') return 'forced';
  if (kind === 'sftp' && granted('grantee, no sftp', question)) return 'no';
  return 'yes';
}

const expectedAt: Readonly<Record<Door, (question: Question) => Answer>> = {
  'login name': inside,
  'login name, as app': (question) => (entersAsApp(question) ? inside(question) : 'no'),
  'jump, inner key': (question) => {
    if (question.target !== 'web') return hasLimits(question) ? 'no' : 'yes';
    return inside(question);
  },
  'jump, outer key': (question) => {
    if (!jumps(question.key)) return 'no';
    if (question.target !== 'web') return hasLimits(question) ? 'no' : 'yes';
    return inside(question);
  },
  // Its own commands only; a key's forced command is none of these.
  lobby: (question) => {
    const { kind, key } = question;
    if (key === 'command' || is(kind, 'sftp', 'tcpip-forward') || isSocket(kind)) return 'no';
    return inside(question);
  },
  exec: ({ key }) => (key === 'command' ? 'no' : 'yes'),
  'exec without ssh': () => 'no',
};

function expected(question: Question): Answer {
  // Behind a jump to a host the inner key is the host's to judge.
  const isHostsOwn = question.door === 'jump, inner key' && question.target !== 'web';
  const asked = isHostsOwn ? { ...question, key: 'plain' } : question;
  return reaches(asked) ? expectedAt[question.door](asked) : 'no';
}

/** What a door does not carry is no question at it. */
function isAsked({ door, kind, target }: Question): boolean {
  if (door.startsWith('exec')) return kind === 'exec';
  return !(door.startsWith('jump') && target !== 'web') || kind === 'exec';
}

const questionsAt = (door: Door): readonly Question[] =>
  Object.keys(standings).flatMap((standing) =>
    Object.keys(keyKinds).flatMap((key) =>
      targets.flatMap((target) =>
        kinds.map((kind) => ({ standing, key, target, door, kind })).filter(isAsked),
      ),
    ),
  );

describe('who may what, in full', () => {
  it.each(doors)('at the door "%s"', async (door) => {
    const surprises: string[] = [];
    const answers = new Set<Answer>();
    for (const question of questionsAt(door)) {
      const [answer, due] = [await matrix.ask(question), expected(question)];
      answers.add(answer);
      if (answer !== due) surprises.push(`${Object.values(question).join(' | ')}: ${answer}, not ${due}`);
    }
    expect(surprises).toEqual([]);
    expect(answers.size).toBeGreaterThan(door === 'exec without ssh' ? 0 : 1);
  });

  it('asks thousands of questions', () => {
    expect(doors.flatMap(questionsAt).length).toBeGreaterThan(5_000);
  });
});
