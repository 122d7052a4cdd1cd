/** What must hold, as ratios of medians, and whether it does. */
import { findRow, type Row, spreadOf, type Table } from './table.ts';

interface Bar {
  readonly claim: string;
  readonly table: string;
  readonly at?: string | number;
  /** Begins with this; the first row that does. */
  readonly ours?: string;
  /** Undefined: the figure itself is held against the bar. */
  readonly theirs?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const sshd = "OpenSSH's sshd";
const [gcm, chacha] = ['aes128-gcm@openssh.com', 'chacha20-poly1305@openssh.com'];

const stream = (table: string, at: string, atLeast: number): Bar => {
  const [what, way] = table.split('-') as [string, string];
  const how = { session: 'one session', jump: 'ssh -J', forward: 'ssh -L' }[what];
  return { claim: `${how}, ${at.split('@')[0]}, ${way}, of sshd's`, table, at, theirs: sshd, atLeast };
};

const bars: readonly Bar[] = [
  { claim: "processor for each login, of sshd's", table: 'login-cpu', at: 8, theirs: sshd, atMost: 1 / 8 },
  {
    claim: "processor for each login, of the Go server's",
    table: 'login-cpu',
    at: 8,
    theirs: 'Go (gliderlabs/ssh)',
    atMost: 3,
  },
  {
    claim: 'logins a second, two workers of one',
    table: 'logins',
    at: 64,
    ours: 'Postern, 2 workers',
    theirs: 'Postern, 1 worker',
    atLeast: 1.7,
  },
  { claim: "login, p50, one client, of sshd's", table: 'login-p50', at: 1, theirs: sshd, atMost: 0.2 },
  { claim: "memory of an idle connection, of sshd's", table: 'memory-each', theirs: sshd, atMost: 0.06 },
  stream('session-up', gcm, 1.1),
  stream('session-down', gcm, 2),
  stream('session-up', chacha, 1.1),
  stream('session-down', chacha, 1.8),
  ...[gcm, chacha].flatMap((cipher) => [stream('jump-up', cipher, 0.95), stream('jump-down', cipher, 0.95)]),
  { claim: "one stream over 100 ms, up, of sshd's", table: 'far', at: 'up', theirs: sshd, atLeast: 0.95 },
  { claim: "one stream over 100 ms, down, of sshd's", table: 'far', at: 'down', theirs: sshd, atLeast: 0.95 },
  {
    claim: 'a login beside 10,000 idle connections, of one without',
    table: 'held-login',
    at: 10_000,
    atMost: 2,
  },
];

export interface Judged {
  readonly claim: string;
  readonly bar: string;
  readonly figure: number;
  readonly kept: boolean;
}

/** Those bars whose tables are there. */
export function judge(tables: readonly Table[]): Judged[] {
  return bars.flatMap(({ claim, table: id, at, ours = 'Postern', theirs, atMost, atLeast }) => {
    const table = tables.find((each) => each.id === id);
    const own = table?.rows.find((row) => row.name.startsWith(ours) && (at === undefined || row.at === at));
    const other = table && theirs !== undefined ? findRow(table, theirs, at) : undefined;
    if (!own || (theirs !== undefined && !other)) return [];
    const figure = medianOf(own) / (other ? medianOf(other) : 1);
    const kept = atMost === undefined ? figure >= (atLeast as number) : figure <= atMost;
    const bar = atMost === undefined ? `≥ ${atLeast}` : `≤ ${Number(atMost.toFixed(3))}`;
    return [{ claim, bar, figure, kept }];
  });
}

const medianOf = ({ samples }: Row) => spreadOf(samples).median;
