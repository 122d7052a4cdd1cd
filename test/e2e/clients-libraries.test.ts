/** SSH libraries against a real gateway; clients.test.ts has the other clients. */
import { libraries } from './clients/matrix.ts';
import { tryClients } from './clients/try-clients.ts';

tryClients(libraries);
