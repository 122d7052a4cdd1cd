/** Where an sshd and package managers are, also for an image whose PATH leaves that out. Begins a script. */
export const withSystemPath = `PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
`;
