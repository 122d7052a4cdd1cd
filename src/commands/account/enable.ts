import { createAccountCommand } from './create-account-command.ts';

export const command = createAccountCommand({
  verb: 'enable',
  summary: 'let a disabled account log in again',
  secondFactor: 'proven',
  done: 'Enabled',
  change: (accounts, name) => accounts.setDisabled(name, false),
});
