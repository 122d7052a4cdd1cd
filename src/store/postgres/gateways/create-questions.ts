/** Questions of one gateway to all others: rows that each finds by a NOTIFY, or at its next beat, and writes its answer into. */
import type { Logger } from 'pino';
import type { Answered, OtherGateways } from '../../../gateways/other-gateways.ts';
import type { Link } from './create-link.ts';
import {
  answeredChannel,
  answerQuestion,
  askOthers,
  forgetQuestions,
  selectAnswers,
  selectQuestions,
} from './statements.ts';

export interface QuestionsOptions {
  readonly link: Link;
  readonly name: string;
  readonly log: Logger | undefined;
}

/** Two beats: so that a NOTIFY which was lost delays, and hides nothing. */
const answerWithinMs = 2_000;
/** What is longer is taken for no answer. */
const maxAnswerLength = 16 * 1024 * 1024;

export function createQuestions(options: QuestionsOptions): Pick<OtherGateways, 'ask' | 'onQuestion'> {
  const { link } = options;
  const answering = createAnswering(options);
  const asking = createAsking(options);
  link.onNews((channel, number = '') => {
    if (channel !== answeredChannel) answering.look();
    if (channel === undefined || asking.isWaitedFor(number)) asking.look();
  });
  return { onQuestion: answering.onQuestion, ask: asking.ask };
}

function createAnswering({ link, name, log }: QuestionsOptions) {
  let answerTo: ((question: unknown) => Promise<unknown>) | undefined;
  const underWay = new Set<string>();

  async function answerOne(number: string, question: string): Promise<void> {
    underWay.add(number);
    try {
      const answer = JSON.stringify(await answerTo?.(JSON.parse(question))) ?? 'null';
      if (answer.length <= maxAnswerLength) await link.query(answerQuestion, [number, answer]);
    } catch (error) {
      log?.warn({ err: error }, 'a question of another gateway has no answer');
    } finally {
      underWay.delete(number);
    }
  }

  return {
    onQuestion(answer: (question: unknown) => Promise<unknown>): void {
      answerTo = answer;
    },
    look: notTwiceAtOnce(async () => {
      if (!answerTo) return;
      for (const { number, question } of await link.query(selectQuestions, [name])) {
        if (number && question && !underWay.has(number)) void answerOne(number, question);
      }
    }),
  };
}

function createAsking({ link, name }: QuestionsOptions) {
  const waiting = new Map<string, (answer: unknown) => void>();
  const look = notTwiceAtOnce(async () => {
    if (waiting.size === 0) return;
    const rows = await link.query(selectAnswers, [[...waiting.keys()], maxAnswerLength]);
    for (const { number, answer } of rows) waiting.get(number ?? '')?.(JSON.parse(answer ?? 'null'));
  });

  /** Undefined: none in time. */
  async function answerTo(number: string): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    waiting.set(number, resolve);
    const timer = setTimeout(() => resolve(undefined), answerWithinMs);
    const answer = await promise;
    clearTimeout(timer);
    waiting.delete(number);
    return answer;
  }

  return {
    look,
    isWaitedFor: (number: string) => waiting.has(number),
    async ask(question: unknown): Promise<readonly Answered[]> {
      const rows = await link.query(askOthers, [name, JSON.stringify(question)]);
      const answers = rows.map(async ({ number, asked }) => ({
        gateway: asked ?? '',
        answer: await answerTo(number ?? ''),
      }));
      look();
      const all = await Promise.all(answers);
      // What is left is forgotten after a minute.
      if (rows.length > 0) link.query(forgetQuestions, [rows.map(({ number }) => number)]).catch(() => {});
      return all;
    },
  };
}

/** Runs at once, and once more where it is called meanwhile. What fails is tried again at the next call. */
function notTwiceAtOnce(work: () => Promise<void>): () => void {
  let isRunning = false;
  let again = false;
  const run = async () => {
    isRunning = true;
    do {
      again = false;
      await work().catch(() => {});
    } while (again);
    isRunning = false;
  };
  return () => {
    again = true;
    if (!isRunning) void run();
  };
}
