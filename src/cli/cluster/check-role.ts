/** What can be wrong with settings that are each right alone. All of it is told at once. */
import type { ClusterSettings, DispatcherSettings, TaskManagerSettings } from './role-options.ts';

const LAST_PORT = 65_535;

/** Problems of what every process of a cluster is told. */
function clusterProblems(settings: ClusterSettings): readonly string[] {
  return [
    ...highAvailabilityProblems(settings),
    ...tlsProblems(settings),
    ...exposure(settings, 'rpc.host', settings['rpc.host'], 'rpc.token', settings['rpc.token']),
    ...reachable('rpc', settings['rpc.host'], settings['rpc.advertised-host']),
    ...forwarded('rpc.advertised-port', settings['rpc.advertised-port'], 'rpc.port', settings['rpc.port']),
  ];
}

export function dispatcherProblems(settings: DispatcherSettings): readonly string[] {
  const problems = [...clusterProblems(settings)];
  const deploy = settings['rest.token.deploy'];
  problems.push(...exposure(settings, 'rest.host', settings['rest.host'], 'rest.token.deploy', deploy));
  problems.push(...reachable('rest', settings['rest.host'], settings['rest.advertised-host']));
  for (const key of ['rest.token.operate', 'rest.token.view'] as const) {
    if (settings[key] !== null && deploy === null) problems.push(`\`${key}\` needs \`rest.token.deploy\``);
  }
  if (settings['ha.zookeeper.connect'] !== null && settings['checkpoints.place'] === null) {
    problems.push('`checkpoints.place` is required with ZooKeeper: a place that all processes reach');
  }
  if (settings['heartbeat.timeout'] <= settings['heartbeat.interval']) {
    problems.push('`heartbeat.timeout` must be longer than `heartbeat.interval`');
  }
  return problems;
}

export function taskManagerProblems(settings: TaskManagerSettings): readonly string[] {
  const problems = [...clusterProblems(settings)];
  const dataHost = settings['taskmanager.data-host'];
  if (dataHost !== null) {
    problems.push(...exposure(settings, 'taskmanager.data-host', dataHost, 'rpc.token', settings['rpc.token']));
  }
  const { 'taskmanager.data-port': port, 'taskmanager.data-advertised-port': advertised } = settings;
  problems.push(...forwarded('taskmanager.data-advertised-port', advertised, 'taskmanager.data-port', port));
  for (const key of ['taskmanager.data-port', 'taskmanager.data-advertised-port'] as const) {
    const first = settings[key] ?? 0;
    const last = first + settings['taskmanager.slots'] - 1;
    if (first !== 0 && last > LAST_PORT) {
      problems.push(`\`${key}\` ${first}: the slots take the ports up to ${last}, beyond ${LAST_PORT}`);
    }
  }
  return problems;
}

function highAvailabilityProblems(settings: ClusterSettings): readonly string[] {
  const problems: string[] = [];
  const { 'ha.zookeeper.user': user, 'ha.zookeeper.password': password } = settings;
  if (settings['ha.zookeeper.connect'] !== null && settings['ha.directory'] !== null) {
    problems.push('`ha.zookeeper.connect` and `ha.directory`: only one of them can be where the leader is elected');
  }
  if ((user === null) !== (password === null)) {
    problems.push('`ha.zookeeper.user` and `ha.zookeeper.password` go together');
  }
  if (settings['ha.zookeeper.acl'] === 'creator-all' && user === null) {
    problems.push('`ha.zookeeper.acl` creator needs `ha.zookeeper.user`');
  }
  return problems;
}

function tlsProblems(settings: ClusterSettings): readonly string[] {
  const given = (['tls.cert', 'tls.key', 'tls.ca'] as const).filter((key) => settings[key] !== null);
  return given.length === 0 || given.length === 3 ? [] : ['`tls.cert`, `tls.key` and `tls.ca` go together'];
}

function reachable(prefix: string, host: string, advertised: string | null): readonly string[] {
  if (!isEverywhere(host) || advertised !== null) return [];
  return [`\`${prefix}.host\` ${host} names no machine: \`${prefix}.advertised-host\` says how others reach it`];
}

/** Whatever forwards must know where to. */
function forwarded(key: string, advertised: number | null, portKey: string, port: number): readonly string[] {
  return advertised === null || port !== 0 ? [] : [`\`${key}\` ${advertised} needs \`${portKey}\`, to which it leads`];
}

/** Whoever can reach the address must show a token, which nobody must be able to read on its way. */
function exposure(
  settings: ClusterSettings,
  key: string,
  host: string,
  tokenKey: string,
  token: string | null,
): readonly string[] {
  if (isLoopback(host)) return [];
  const problems: string[] = [];
  if (token === null) problems.push(`\`${key}\` ${host} is not loopback: \`${tokenKey}\` is required`);
  if (settings['tls.cert'] === null && !settings.insecure) {
    problems.push(`\`${key}\` ${host} is not loopback: TLS is required (\`tls.cert\`), or --insecure`);
  }
  return problems;
}

/** Whether it is no address of anything, but stands for all of a machine. */
export function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
