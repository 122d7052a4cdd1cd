import { availableParallelism } from 'node:os';

/** How many workers a gateway has where nobody says: one for each core. Apart from the configuration, which loads much more than this. */
export const defaultWorkers = availableParallelism();
