import { createAccountCommand } from './create-account-command.ts';

export const command = createAccountCommand({
  verb: 'disable',
  summary: 'keep an account from logging in, and close its connections',
  done: 'Disabled',
  change: (accounts, name) => accounts.setDisabled(name, true),
});
