import { isAbsolute, join, relative, resolve, sep } from 'node:path';

import {
  codeUrl,
  isStorageUrl,
  type CheckpointPlace,
  type ConnectorCatalog,
  type MillraceError,
  type Ports,
  type S3Access,
} from '../../core/index.ts';
import {
  startDispatcher,
  startRestServer,
  type RestTokens,
  type RunningDispatcher,
  type SubmittedCode,
} from '../../dispatcher/index.ts';
import type { CodeFile, CompileOptions, JobExplanation, JobGraph } from '../../graph/index.ts';
import { processLogAddress } from '../../rpc/index.ts';
import { openCheckpointStorage } from '../../state/index.ts';
import type { CommandContext } from '../command-context.ts';
import { codeFinder } from '../find-code.ts';
import { openHighAvailability, openRpc, readTls, sharedDirectory } from './open-cluster.ts';
import type { OutputRing } from './output-ring.ts';
import type { RoleLog } from './role-log.ts';
import type { DispatcherSettings } from './role-options.ts';
import type { RunningRole } from './role-process.ts';

/** Resolves once it serves its API and contends; whether it leads is seen later. */
export async function startDispatcherRole(
  { ports, version }: CommandContext,
  settings: DispatcherSettings,
  log: RoleLog,
  written: OutputRing,
): Promise<RunningRole> {
  const tls = await readTls(settings, ports.files);
  let dispatcher: RunningDispatcher | null = null;
  // Its address is part of what a candidate says of itself, so that it is served before there is one.
  const rest = await startRestServer({
    service: () => dispatcher?.service ?? null,
    leader: () => dispatcher?.leader ?? null,
    listen: { host: settings['rest.host'], port: settings['rest.port'] },
    tokens: tokensOf(settings),
    takesCode: takesCode(settings),
    ownLog: (kind) => written.read(kind),
    logOf: (address, kind) => {
      const epoch = dispatcher?.leader?.epoch ?? 0;
      return rpc.connect('process-log', processLogAddress(address)).readLog({ epoch, kind });
    },
    tls,
    isInsecureAllowed: settings.insecure,
    ports,
    explainJob,
    version,
  });
  const restUrl = urlOf(settings['rest.advertised-host'] ?? settings['rest.host'], rest.port, tls !== null);
  const rpc = await openRpc(settings, ports.randomness.hex(8), tls, ports);
  const ha = openHighAvailability(settings, ports, log);
  dispatcher = startDispatcher({
    ports,
    loadCatalog,
    rpc,
    ha,
    rpcAddress: rpc.address,
    restUrl,
    compile: compiler(settings, ports),
    openStorage: (config) => openCheckpointStorage(config, ports),
    stateSchemas: async (graph) => (await schemasRoom()).stateSchemas(graph),
    checkpointPlace: checkpointPlace(settings),
    heartbeats: { intervalMs: settings['heartbeat.interval'], timeoutMs: settings['heartbeat.timeout'] },
    slotTimeoutMs: settings['slot-timeout'],
    takeoverTimeoutMs: settings['takeover-timeout'],
    localityWaitMs: settings['locality-wait'],
    onProblem: (error: MillraceError) => {
      log(error.domain === 'internal' ? 'error' : 'warn', 'problem', {
        code: error.code,
        message: error.message,
        ...(error.domain === 'internal' ? { stack: error.stack ?? null } : {}),
      });
    },
    prepareTakeover: () => Promise.all([graphRoom(), loadCatalog(), schemasRoom()]),
    onLeading: (isLeading) => log('info', isLeading ? 'leading' : 'not-leading'),
  });
  const running = dispatcher;
  return {
    ready: { id: running.dispatcherId, rpcAddress: rpc.address, restUrl },
    async close() {
      await running.close();
      await rest.close();
      await ha.close();
      await rpc.close();
    },
  };
}

/*
 * The rooms that understand jobs are a third of what this process could hold in memory. They are loaded with the first
 * job, or by a Dispatcher that stands by: one that leads and waits for jobs is small.
 */
function graphRoom() {
  return import('../../graph/index.ts');
}

function schemasRoom() {
  return import('../state-schemas.ts');
}

async function loadCatalog(): Promise<ConnectorCatalog> {
  return (await import('../catalog.ts')).catalog;
}

async function explainJob(graph: JobGraph): Promise<JobExplanation> {
  const [room, catalog] = await Promise.all([graphRoom(), loadCatalog()]);
  return room.explainJob(graph, catalog);
}

/** Whoever may send code runs it as this cluster. */
function takesCode(settings: DispatcherSettings): boolean {
  const setting = settings['jobs.code-upload'];
  return setting === 'always' || (setting === 'with-token' && settings['rest.token.deploy'] !== null);
}

/** Null where nobody needs one. */
function tokensOf(settings: DispatcherSettings): RestTokens | null {
  const deploy = settings['rest.token.deploy'];
  if (deploy === null) return null;
  return { deploy, operate: settings['rest.token.operate'], view: settings['rest.token.view'] };
}

function urlOf(host: string, port: number, isSecure: boolean): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${isSecure ? 'https' : 'http'}://${name}:${port}`;
}

/** For jobs that name no place; among what processes of one machine share, if nothing is said. */
function checkpointPlace(settings: DispatcherSettings): CheckpointPlace | null {
  const given = settings['checkpoints.place'];
  const shared = sharedDirectory(settings);
  const s3 = s3Access(settings);
  if (given !== null) return { location: isStorageUrl(given) ? given : resolve(given), s3 };
  return shared === null ? null : { location: join(shared, '..', 'checkpoints'), s3 };
}

/** Who asks is found as AWS's own tools do, by every process for itself. */
function s3Access(settings: DispatcherSettings): S3Access {
  const { 'checkpoints.s3.endpoint': endpoint, 'checkpoints.s3.region': region } = settings;
  const pathStyle = settings['checkpoints.s3.path-style'];
  return {
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(pathStyle === null ? {} : { pathStyle }),
  };
}

type Compiler = Parameters<typeof startDispatcher>[0]['compile'];

/** The environment of this process is no business of whoever submits a job: variables come with the job alone. */
function compiler(settings: DispatcherSettings, ports: Ports): Compiler {
  const ofCluster = codeFinderOf(settings['jobs.code-directory'], ports);
  return async ({ text, variables, code }, parallelism) => {
    const [{ compileJob }, catalog] = await Promise.all([graphRoom(), loadCatalog()]);
    const ofJob = (name: string): string | undefined => (Object.hasOwn(variables, name) ? variables[name] : undefined);
    const options = { fileName: 'job.yaml', variables: ofJob, catalog, parallelism };
    if (code === undefined) return compileJob(text, { ...options, findCode: ofCluster });
    const { bundle, module } = code;
    if (module === null) return compileJob(text, { ...options, findCode: submittedFiles(code, ofCluster) });
    const { file, name, origin, roles } = module;
    const url = codeUrl({ hash: bundle.hash, file });
    return compileJob(text, { ...options, code: { module: url, name, origin, roles: new Map(Object.entries(roles)) } });
  };
}

type FindCode = NonNullable<CompileOptions['findCode']>;

/** What came with the job; for other paths, what the cluster has. */
function submittedFiles({ bundle, named }: SubmittedCode, otherwise: FindCode): FindCode {
  return async (path) => {
    const file = Object.hasOwn(named, path) ? named[path] : undefined;
    if (file === undefined) return otherwise(path);
    return { url: codeUrl({ hash: bundle.hash, file }), text: bundle.files.get(file) ?? null };
  };
}

/** Only files that somebody has put into the folder run here: what a job names elsewhere is taken for missing. */
function codeFinderOf(folder: string | null, ports: Ports): FindCode {
  const nothing = (): Promise<CodeFile> => Promise.resolve({ url: 'file:///', text: null });
  if (folder === null) return nothing;
  const find = codeFinder(ports, resolve(folder, 'job.yaml'));
  return (path) => {
    const inside = relative(resolve(folder), resolve(folder, path));
    const isOutside = isAbsolute(path) || isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`);
    return isOutside ? nothing() : find(path);
  };
}
