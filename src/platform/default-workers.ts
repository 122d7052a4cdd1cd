/** How many workers a gateway has where nobody says. Apart from the configuration, which loads much more than this. */
export const defaultWorkers = 0;
