import { createAccountCommand } from './create-account-command.ts';

export const command = createAccountCommand({
  verb: 'remove',
  summary: 'remove an account with its keys and grants; its name stays used',
  done: 'Removed',
  change: (accounts, name) => accounts.remove(name),
});
