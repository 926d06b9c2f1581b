/** The only home of AWS's client, which is loaded with the first request: a job that needs no S3 never pays for it. */
import type { S3Client } from '@aws-sdk/client-s3';

import type { S3Access } from '../../../core/index.ts';
import { UploadStream } from './upload-body.ts';

export type S3Module = typeof import('@aws-sdk/client-s3');

export interface LoadedClient {
  readonly module: S3Module;
  readonly client: S3Client;
}

/** Services other than AWS do not care, but every signature names one. */
const ANY_REGION = 'us-east-1';
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Its agent of node:http takes the place of ports.network. It sends everything once: Patience tries again, by our
 * clock. Nor does it compute checksums, which the uploads bring along.
 */
export async function loadClient(access: S3Access): Promise<LoadedClient> {
  const { endpoint, region, pathStyle, accessKeyId, secretAccessKey, sessionToken } = access;
  const module = await import('@aws-sdk/client-s3');
  const isCustom = endpoint !== undefined;
  const client = new module.S3Client({
    maxAttempts: 1,
    followRegionRedirects: !isCustom,
    forcePathStyle: pathStyle ?? isCustom,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? (isCustom ? { region: defaultRegion } : {}) : { region }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
  });
  // The digest of what is sent is known, so the client is not to compute it; over TLS a signature takes none.
  client.middlewareStack.add(
    (next) => (args) => {
      const { body, headers, protocol } = args.request as HttpRequestParts;
      if (body instanceof UploadStream) {
        headers['x-amz-content-sha256'] = protocol === 'https:' ? 'UNSIGNED-PAYLOAD' : body.sha256;
      }
      return next(args);
    },
    { step: 'build', name: 'contentDigest' },
  );
  return { module, client };
}

interface HttpRequestParts {
  readonly body?: unknown;
  readonly headers: Record<string, string>;
  readonly protocol: string;
}

/** The service's own address, for messages. */
export async function endpointOf({ client }: LoadedClient): Promise<string> {
  const { endpoint, region } = client.config;
  if (endpoint !== undefined) {
    const { protocol, hostname, port } = await endpoint();
    return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
  }
  return `AWS in ${await region()}`;
}

/** Whatever matters comes as an error. */
function ignore(): void {
  // Nothing is written but through ports.streams.
}

function defaultRegion(): Promise<string> {
  return Promise.resolve(ANY_REGION);
}
