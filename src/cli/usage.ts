/** What `postern --help` prints, and the help of commands that are only a line to the running gateway. */

export const usage = `Usage: postern [COMMAND] [FLAGS]

  postern [serve] [FLAGS]      run the gateway (the default); "postern serve --help" lists the flags
  postern backup FILE [--encrypt-to SSH-KEY]
                               copy what a running gateway is to FILE: store, host keys, egress key, identities
  postern restore FILE         make a gateway what FILE says, whether it runs or not
  postern migrate --from DIR --to postgres://…
                               all rows into a database, or back; the gateways are stopped
  postern reload               read a running gateway's configuration and host keys anew, as SIGHUP does;
                               nobody is disconnected, and a file with a mistake changes nothing
  postern restart [--timeout=SECONDS]
                               start the installed version with the configuration as it is now, in place of what
                               runs; nobody is disconnected: what is open stays with the old processes, with
                               --timeout for so long, after which they end it with a sentence
  postern hostkey rotate [--finish]
                               make the next host keys and announce them beside those in use;
                               some weeks later, with --finish, put them in use
  postern audit verify         whether the audit in DATA/audit is whole; also without a gateway
  postern account|audit|recording|invite|ca|session|penalty|ssh-key|mfa|share|tag|ls|host|engine|ssh-config …
                               the lobby's commands, as the operator of this machine, on the running
                               gateway; "ssh GATEWAY help CMD" explains each. Recover a lost admin key with
                               "postern account add-key NAME < key.pub", a lost phone with
                               "postern mfa reset NAME"
  postern token sign|inspect … a token by a key of yours, without a gateway; what stands in one
  postern version              print the version

  --data DIR                   the running gateway's data folder (default ./data)
`;

/** Of the operator's own commands, by their first word. */
export const usageOf: ReadonlyMap<string, string> = new Map([
  [
    'reload',
    `Usage: postern reload [--data DIR]

Reads the running gateway's configuration (file and variables) and host keys anew. Nobody is
disconnected. A file with a mistake changes nothing, and the exit status is then 1.

  --data DIR  the running gateway's data folder (default ./data)
`,
  ],
  [
    'restart',
    `Usage: postern restart [--timeout=SECONDS] [--data DIR]

Starts what is installed now with the configuration as it is now, in place of what runs. Nobody is
disconnected: what is open stays with the old processes, which leave when nothing is left in them.
Not for a gateway with --workers 0, which is one process: stop that and start it.

  --timeout=SECONDS  after so long (1 to 604800) what is open in the old processes is ended
  --data DIR         the running gateway's data folder (default ./data)
`,
  ],
  [
    'hostkey',
    `Usage: postern hostkey rotate [--finish] [--data DIR]

Makes the next host keys and announces them beside those in use, so that clients learn them
(OpenSSH's UpdateHostKeys). Some weeks later --finish puts them in use; the old ones are kept as *.old.

  --finish    put the next host keys in use
  --data DIR  the running gateway's data folder (default ./data)
`,
  ],
]);
