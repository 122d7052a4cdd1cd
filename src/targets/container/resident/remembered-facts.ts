import type { ContainerFacts } from '../container-facts.ts';

const rememberedForMs = 10_000;

/** Facts that ask the engine once for what many sessions want to know at a time, also for what is not there. */
export function rememberedFacts(facts: ContainerFacts): ContainerFacts {
  return {
    ...facts,
    findProgram: remembered((paths) => facts.findProgram(paths)),
    hasFolder: remembered((path) => facts.hasFolder(path)),
  };
}

function remembered<Asked, Answer>(find: (asked: Asked) => Promise<Answer>) {
  const answers = new Map<string, { readonly answer: Promise<Answer>; readonly at: number }>();
  return (asked: Asked): Promise<Answer> => {
    const key = JSON.stringify(asked);
    const known = answers.get(key);
    if (known && performance.now() - known.at < rememberedForMs) return known.answer;
    const answer = find(asked);
    answers.delete(key);
    answers.set(key, { answer, at: performance.now() });
    answer.catch(() => answers.delete(key));
    if (answers.size > 64) answers.delete(answers.keys().next().value as string);
    return answer;
  };
}
