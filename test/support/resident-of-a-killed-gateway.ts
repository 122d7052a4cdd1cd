/** Opens a resident in the container named by its argument, says so, and waits to be killed. */
import { createTestResidents } from './residents.ts';

const { open } = createTestResidents();
const resident = await open(process.argv[2] as string);
await resident.ask('/hello');
console.log('open');
setInterval(() => {}, 1_000);
