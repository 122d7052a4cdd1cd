/** Recordings without a gateway, and what reads them. */
import { openRecordings } from '../../src/recordings/open-recordings.ts';
import { createRecordingSpace, type SpaceOptions } from '../../src/recordings/recording-space.ts';
import type { RecordingFacts, Recordings } from '../../src/recordings/recordings.ts';

/** Of a session in the container `web`. */
export const recordingFacts: RecordingFacts = {
  id: 'aaaaaaaaaaaaaaaa',
  kind: 'exec',
  account: 'alice',
  accountId: 'account',
  fingerprint: 'SHA256:test',
  source: '192.0.2.7',
  connectionId: 'connection',
  target: 'web',
  targetKey: 'container:web',
  command: 'id',
};

/** With their room, which is closed with them. */
export function openOwnRecordings(options: SpaceOptions): Recordings {
  const space = createRecordingSpace(options);
  const recordings = openRecordings({ ...options, space });
  const close = async () => {
    await recordings.close();
    await space.close();
  };
  return { ...recordings, close };
}

export interface Cast {
  readonly header: Readonly<Record<string, unknown>>;
  readonly events: readonly (readonly [number, string, string])[];
  /** What a terminal got, joined. */
  readonly output: string;
  /** Of our own events, in order. */
  readonly ours: readonly Readonly<Record<string, unknown>>[];
}

/** Throws where a line is no JSON. */
export function parseCast(text: string): Cast {
  const [first = '', ...lines] = text.trimEnd().split('\n');
  const events = lines.map((line) => JSON.parse(line) as [number, string, string]);
  const of = (code: string) => events.filter((event) => event[1] === code).map((event) => event[2]);
  return {
    header: JSON.parse(first) as Cast['header'],
    events,
    output: of('o').join(''),
    ours: of('x').map((each) => JSON.parse(each) as Readonly<Record<string, unknown>>),
  };
}
