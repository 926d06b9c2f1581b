/**
 * The version of each request that is sent, the same for every broker: Kafka 2.4 (KIP-392) to 4.x (KIP-896) understand
 * all of them.
 */
export const apis = Object.freeze({
  produce: { name: 'Produce', apiKey: 0, version: 7 },
  fetch: { name: 'Fetch', apiKey: 1, version: 11 },
  listOffsets: { name: 'ListOffsets', apiKey: 2, version: 3 },
  metadata: { name: 'Metadata', apiKey: 3, version: 5 },
  offsetFetch: { name: 'OffsetFetch', apiKey: 9, version: 4 },
  findCoordinator: { name: 'FindCoordinator', apiKey: 10, version: 2 },
  createTopics: { name: 'CreateTopics', apiKey: 19, version: 3 },
  initProducerId: { name: 'InitProducerId', apiKey: 22, version: 1 },
});

export const requiredApis = Object.freeze(Object.values(apis));

/** Requests that few jobs send: whether the broker has them is checked when one is sent. */
export const optionalApis = Object.freeze({
  offsetCommit: { name: 'OffsetCommit', apiKey: 8, version: 5 },
  addPartitionsToTxn: { name: 'AddPartitionsToTxn', apiKey: 24, version: 1 },
  endTxn: { name: 'EndTxn', apiKey: 26, version: 1 },
  describeConfigs: { name: 'DescribeConfigs', apiKey: 32, version: 2 },
});
