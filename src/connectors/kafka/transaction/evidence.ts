/**
 * How a transaction ended, by the log of the commits topic: its commit record stands at a known offset, and the next
 * control record of its producer there is the marker that has ended it, because a producer id has one transaction at a
 * time. Read uncommitted: a committed reader would wait behind every other open transaction.
 */
import { isMillraceError, type Ports } from '../../../core/index.ts';
import { describeErrorCode, ErrorCode, isTransient, type FetchingClient, type FetchResponse } from '../client/index.ts';
import { kafkaErrors } from '../errors.ts';
import { Marker, readBatchHeaders, type BatchHeader } from '../record-batch/index.ts';
import type { TransactionHandle } from './transaction-handle.ts';

export type Evidence =
  | { readonly kind: 'committed' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface EvidenceReading {
  readonly ports: Ports;
  /** How long to wait for a marker that may still be on its way. */
  readonly markerWaitMs: number;
  /** How long to try to reach the partition. */
  readonly persistMs: number;
}

const FETCH_BYTES = 1024 * 1024;
const FETCH_WAIT_MS = 200;
const RETRY_DELAY_MS = 200;

/** Where the search stands. */
interface Search {
  offset: number;
  hasFoundRecord: boolean;
}

/** Rejects with MR-KAFKA-UNAVAILABLE where the partition cannot be read. */
export async function readEvidence(
  client: FetchingClient,
  handle: TransactionHandle,
  { ports, markerWaitMs, persistMs }: EvidenceReading,
): Promise<Evidence> {
  const { clock } = ports;
  const search: Search = { offset: handle.offset, hasFoundRecord: false };
  const waitUntilMs = clock.monotonicMs() + markerWaitMs;
  let failingSinceMs = Infinity;
  for (;;) {
    const answer = await look(client, handle, search);
    const nowMs = clock.monotonicMs();
    switch (answer.kind) {
      case 'found':
        return answer.evidence;
      case 'moved':
        failingSinceMs = Infinity;
        break;
      case 'end':
        failingSinceMs = Infinity;
        if (nowMs < waitUntilMs) break;
        return {
          kind: 'unknown',
          reason: search.hasFoundRecord ? 'nothing says how it ended' : 'the commit record is not there',
        };
      case 'failed': {
        failingSinceMs = Math.min(failingSinceMs, nowMs);
        if (nowMs - failingSinceMs >= persistMs) {
          if (answer.isGone) return { kind: 'unknown', reason: answer.reason };
          throw unavailable(handle, persistMs, answer.reason);
        }
        await clock.sleep(RETRY_DELAY_MS);
      }
    }
  }
}

type Look =
  | { readonly kind: 'found'; readonly evidence: Evidence }
  /** There was something to read, and there may be more. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'end' }
  /** `isGone`: brokers do answer, and say that there is no such partition. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isGone: boolean };

/** One look into the partition, from where the search stands. */
async function look(client: FetchingClient, handle: TransactionHandle, search: Search): Promise<Look> {
  const { topic, partition } = handle;
  let response: FetchResponse;
  try {
    const info = (await client.metadata([topic])).topics.get(topic);
    const leader = info?.partitions[partition]?.leader;
    if (leader === undefined) return { kind: 'failed', reason: 'there is no such partition', isGone: true };
    if (leader < 0) return { kind: 'failed', reason: 'it has no leader', isGone: false };
    response = await client.fetch(leader, {
      partitions: [{ topic, partition, offset: search.offset, maxBytes: FETCH_BYTES }],
      isolation: 'read_uncommitted',
      maxWaitMs: FETCH_WAIT_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES,
      rack: '',
      allocate: (sizeBytes) => new Uint8Array(sizeBytes),
    });
  } catch (error) {
    if (!isMillraceError(error) || error.retry === 'never') throw error;
    return { kind: 'failed', reason: error.message, isGone: false };
  }
  const [found] = response.partitions;
  const code = found?.errorCode ?? response.errorCode;
  if (code === ErrorCode.offsetOutOfRange) {
    return { kind: 'found', evidence: { kind: 'unknown', reason: 'the commit record is not there any more' } };
  }
  const { name, reason } = describeErrorCode(code);
  if (isTransient(code)) return { kind: 'failed', reason: name, isGone: false };
  if (found === undefined || code !== ErrorCode.none) {
    const resource = `topic ${topic}, partition ${partition}`;
    throw kafkaErrors.create('MR-KAFKA-REFUSED', { operation: 'read', resource, reason, error: name });
  }
  const before = search.offset;
  for (const header of readBatchHeaders(response.data, found.recordsStart, found.recordsEnd)) {
    const evidence = judge(header, handle, search);
    if (evidence !== null) return { kind: 'found', evidence };
  }
  return { kind: search.offset > before ? 'moved' : 'end' };
}

/** What one batch says; null to go on. */
function judge(header: BatchHeader, { identity, offset }: TransactionHandle, search: Search): Evidence | null {
  search.offset = header.lastOffset + 1;
  const isOwn = header.producerId === identity.producerId;
  if (!search.hasFoundRecord) {
    if (header.lastOffset < offset) return null;
    const isRecord =
      isOwn &&
      header.baseOffset <= offset &&
      header.epoch === identity.epoch &&
      header.isTransactional &&
      header.markerType === null;
    if (!isRecord) return { kind: 'unknown', reason: 'another record stands there' };
    search.hasFoundRecord = true;
    return null;
  }
  if (!isOwn || header.markerType === null) return null;
  if (header.markerType === Marker.commit) return { kind: 'committed' };
  if (header.markerType === Marker.abort) return { kind: 'aborted' };
  return null;
}

function unavailable({ topic, partition }: TransactionHandle, persistMs: number, reason: string): Error {
  const resource = `topic ${topic}, partition ${partition}`;
  const fields = { operation: 'read', resource, seconds: Math.round(persistMs / 1000), reason };
  return kafkaErrors.create('MR-KAFKA-UNAVAILABLE', fields);
}
