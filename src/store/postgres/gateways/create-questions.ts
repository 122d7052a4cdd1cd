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

export function createQuestions({
  link,
  name,
  log,
}: QuestionsOptions): Pick<OtherGateways, 'ask' | 'onQuestion'> {
  let answerTo: ((question: unknown) => Promise<unknown>) | undefined;
  const answering = new Set<string>();
  const waiting = new Map<string, (answer: unknown) => void>();

  async function answerOne(number: string, question: string): Promise<void> {
    answering.add(number);
    try {
      const answer = JSON.stringify(await answerTo?.(JSON.parse(question))) ?? 'null';
      if (answer.length <= maxAnswerLength) await link.query(answerQuestion, [number, answer]);
    } catch (error) {
      log?.warn({ err: error }, 'a question of another gateway has no answer');
    } finally {
      answering.delete(number);
    }
  }

  const lookForQuestions = inTurn(async () => {
    if (!answerTo) return;
    for (const { number, question } of await link.query(selectQuestions, [name])) {
      if (number && question && !answering.has(number)) void answerOne(number, question);
    }
  });

  const lookForAnswers = inTurn(async () => {
    if (waiting.size === 0) return;
    const rows = await link.query(selectAnswers, [[...waiting.keys()], maxAnswerLength]);
    for (const { number, answer } of rows) {
      const resolve = waiting.get(number ?? '');
      waiting.delete(number ?? '');
      resolve?.(JSON.parse(answer ?? 'null'));
    }
  });

  link.onNews((channel, number = '') => {
    if (channel !== answeredChannel) lookForQuestions();
    if (channel === undefined || waiting.has(number)) lookForAnswers();
  });

  return {
    onQuestion(answer) {
      answerTo = answer;
    },
    async ask(question) {
      const rows = await link.query(askOthers, [name, JSON.stringify(question)]);
      if (rows.length === 0) return [];
      const numbers = rows.map(({ number }) => number ?? '');
      const answers = rows.map(
        ({ number, asked }) =>
          new Promise<Answered>((resolve) => {
            const done = (answer: unknown) => resolve({ gateway: asked ?? '', answer });
            waiting.set(number ?? '', done);
          }),
      );
      const timer = setTimeout(() => {
        for (const number of numbers) waiting.get(number)?.(undefined);
      }, answerWithinMs);
      lookForAnswers();
      const all = await Promise.all(answers);
      clearTimeout(timer);
      for (const number of numbers) waiting.delete(number);
      // What is left is forgotten after a minute.
      link.query(forgetQuestions, [numbers]).catch(() => {});
      return all;
    },
  };
}

/** Runs at once, and once more where it is called meanwhile. What fails is tried again at the next call. */
function inTurn(work: () => Promise<void>): () => void {
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
