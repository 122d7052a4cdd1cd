/** The lower half of the composition root: the rules, over whatever stands behind the ports. */
import type { Logger } from 'pino';
import { createAccounts } from './accounts/create-accounts.ts';
import { createInvites } from './accounts/create-invites.ts';
import { createKeyFeed } from './accounts/key-feed.ts';
import { createAuthorizer } from './auth/create-authorizer.ts';
import { createFindSharer } from './auth/shared-addresses.ts';
import { createTokenAuthenticator } from './auth/token-authenticator.ts';
import { createExchangeToken } from './auth/token-exchange.ts';
import { withPenalties } from './auth/token-penalties.ts';
import { joinedWithAudit, withAuditRequired } from './auth/with-audit-required.ts';
import { createCertificateAuthorities } from './certificate-authorities/create-certificate-authorities.ts';
import type { Config } from './config/config.ts';
import { withLive } from './config/with-live.ts';
import { createContainerSshd } from './container-sshd/create-container-sshd.ts';
import type { GatewayPorts } from './gateway-ports.ts';
import { createHosts } from './hosts/create-hosts.ts';
import { createKeys } from './keys/create-keys.ts';
import { findBridgeAddress } from './platform/bridge-address.ts';
import { createForwardLogs } from './recordings/forward-logs.ts';
import { createSecondFactors } from './second-factor/create-second-factors.ts';
import { createRecordSession } from './sessions/record-session.ts';
import { isContainerNameOf, isOwnerLabelOf } from './targets/container-names.ts';
import { createTargetDirectory } from './targets/create-target-directory.ts';
import { createApiKeys } from './tokens/api-keys.ts';
import { createHandles } from './tokens/handles.ts';

export function createRules<Ports extends GatewayPorts>(config: Config, log: Logger, ports: Ports) {
  const { store, clock, auditLog, engine, hostEngine } = ports;
  const standing = createAuthorizer({ store, clock, config });
  const auditProblem = () => (config.auditRequired ? auditLog.problem() : undefined);
  const authorizer = withAuditRequired(standing, auditProblem);
  const people = createPeople(config, ports);
  const { dataDir, targetPrefix } = config;
  const isContainerName = isContainerNameOf(engine);
  const scanHost = hostEngine.scanHostKeys;
  const hosts = createHosts({ store, clock, dataDir, targetPrefix, isContainerName, scanHost });
  return {
    ...ports,
    ...people,
    invites: joinedWithAudit(people.invites, auditProblem),
    hosts,
    ...createRecorders(config, log, ports),
    authorizer,
    standing,
    strangerTokens: withPenalties(people.tokens, ports.penalties),
    targets: createTargetDirectory({ engine, hosts, authorizer, config }),
    containerSshd: createContainerSshd({ ...ports, config }),
    auditHead: auditLog.head,
    flushAudit: auditLog.flush,
  };
}

export type Rules = ReturnType<typeof createRules<GatewayPorts>>;

/** Who comes, and what they show. */
function createPeople(config: Config, { store, clock, engine }: GatewayPorts) {
  const { domain } = config;
  const accounts = createAccounts({ store, clock });
  const handles = createHandles({ store, clock });
  const keyRules = withLive(
    { store, clock, handles, domain },
    { maxKeysPerAccount: () => config.maxKeysPerAccount },
  );
  const keys = createKeys(keyRules);
  const findSharer = createFindSharer(config, findBridgeAddress());
  const isShared = (address: string) => findSharer(address) !== undefined;
  const secondFactors = createSecondFactors(
    withLive({ store, clock, issuer: domain, isShared }, { rememberHours: () => config.mfaRememberHours }),
  );
  return {
    accounts,
    handles,
    keys,
    secondFactors,
    apiKeys: createApiKeys(keyRules),
    tokens: createTokenAuthenticator({ accounts, keys, handles, secondFactors, clock, domain }),
    keyFeed: createKeyFeed({ store, clock }),
    exchangeToken: createExchangeToken({ handles, clock }),
    invites: createInvites({ store, clock, isNameSpokenFor: isOwnerLabelOf(engine) }),
    certificateAuthorities: createCertificateAuthorities({ store, clock }),
  };
}

function createRecorders(config: Config, log: Logger, { audit, recordings }: GatewayPorts) {
  const rules = withLive(
    {},
    { input: () => config.recordingInput, maxExecBytes: () => config.recordingExecBytes },
  );
  return {
    recordSession: createRecordSession({ recordings, audit, log, rules }),
    forwardLogs: createForwardLogs(recordings),
  };
}
