/** Four times sshd's: on a busy machine four tries of a real client may take longer than the default lets them. */
export const slowPenalties = {
  authfailSeconds: 20,
  noauthSeconds: 4,
  graceExceededSeconds: 40,
  invaliduserSeconds: 20,
  minSeconds: 60,
} as const;
